import { isDeepStrictEqual } from 'node:util';
import { decodeCommand } from '../../src/kv/commands.js';
import type { Entry, LogIndex } from '../../src/raft/messages.js';
import type { Recorded } from './checkers/history.js';
import { KvModel, type Reply, changesStore } from './checkers/kv-model.js';
import type { History, Operation } from './history.js';
import { must } from './invariants/violation.js';
import { operationIdOf } from './kv-wire.js';

/**
 * Replays the committed log on the model, once for the whole cluster. It knows which of the operations without an answer
 * took effect and when, and what every client of a write must be told.
 */
export class LogOracle {
  readonly model = new KvModel();
  appliedThrough: LogIndex = 0;
  readonly #history: History;
  readonly #outcomes = new Map<
    number,
    { readonly index: LogIndex; readonly reply: Reply; readonly appliedAt: number }
  >();

  constructor(history: History) {
    this.#history = history;
  }

  /** A member is about to apply these. Whoever is first with an index tells the oracle. */
  apply(entries: readonly Entry[], who: string): void {
    for (const { index, payload } of entries) {
      if (index <= this.appliedThrough) continue;
      const expected = this.appliedThrough + 1;
      must(index === expected, 'SMS', () => `${who} applies index ${index}, nobody has applied ${expected}`);
      this.appliedThrough = index;
      if (payload.length > 0) this.#run(index, payload);
    }
  }

  #run(index: LogIndex, payload: Buffer): void {
    const id = operationIdOf(decodeCommand(payload).request);
    const operation = id === null ? undefined : this.#history.get(id);
    if (operation === undefined) return; // a member's own command: it changes no keys
    const earlier = this.#outcomes.get(operation.id);
    must(earlier === undefined, 'ONCE', () => `operation #${operation.id} is at index ${earlier?.index} and ${index}`);
    must(
      !operation.isRefused,
      'ONCE',
      () => `operation #${operation.id} is committed at index ${index}, its client was told that it is not done`,
    );
    const appliedAt = this.#history.nextStamp();
    this.#outcomes.set(operation.id, { index, reply: this.model.apply(operation.request), appliedAt });
  }

  /** Whether the operation is in the committed log. */
  knows(id: number): boolean {
    return this.#outcomes.has(id);
  }

  /** A member tells the client of a write that it is done. */
  checkAnswer(operation: Operation, reply: Reply): void {
    const outcome = this.#outcomes.get(operation.id);
    must(outcome !== undefined, 'ONCE', () => `operation #${operation.id} was acknowledged and is in no log`);
    must(isDeepStrictEqual(outcome?.reply, reply), 'REV', () => {
      return `operation #${operation.id} was answered ${JSON.stringify(reply)}, the log says ${JSON.stringify(outcome?.reply)}`;
    });
  }

  /** A member tells the client of a write that it is not done and never will be. */
  checkRefusal(operation: Operation): void {
    operation.isRefused = true;
    const outcome = this.#outcomes.get(operation.id);
    must(
      outcome === undefined,
      'ONCE',
      () => `operation #${operation.id} was refused and is at index ${outcome?.index}`,
    );
  }

  /**
   * The history with what only the log can tell: unanswered writes that are not in it are left out, the others have taken
   * effect when the first member applied them, at the latest. Without this a search would have to try each anywhere.
   */
  completed(recorded: readonly Recorded[]): Recorded[] {
    return recorded.flatMap((operation) => {
      if (operation.reply !== null) return [operation];
      const outcome = this.#outcomes.get(operation.id);
      return outcome ? [{ ...operation, returnedAt: outcome.appliedAt }] : [];
    });
  }

  /** What each operation that is in the log came to. */
  replies(): Map<number, Reply> {
    return new Map([...this.#outcomes].map(([id, { reply }]) => [id, reply]));
  }

  /** The operations that no client got an answer to and that changed the store, by revision. */
  placed(recorded: readonly Recorded[]): Map<number, Recorded> {
    const placed = new Map<number, Recorded>();
    for (const operation of recorded) {
      const outcome = operation.reply === null ? this.#outcomes.get(operation.id) : undefined;
      if (outcome && changesStore(outcome.reply.result)) placed.set(outcome.reply.revision, operation);
    }
    return placed;
  }
}
