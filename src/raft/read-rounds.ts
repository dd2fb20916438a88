import type { LogIndex } from './messages.js';

/** Confirmation rounds that may be under way at once. Reads that come meanwhile share the next one. */
export const MAX_READ_ROUNDS = 4;
/** Reads that may wait for the next round. More are told that leadership could not be confirmed. */
export const MAX_WAITING_READS = 20_000;

/** Told the index to wait for, or null when leadership could not be confirmed. */
export type ReadIndexDone = (readIndex: LogIndex | null) => void;

interface Round {
  readonly number: number;
  readonly readIndex: LogIndex;
  readonly reads: readonly ReadIndexDone[];
}

/**
 * A leader's linearizable reads (ReadIndex, thesis 6.4). Reads gather; a round takes all of them, notes the commit index
 * and asks every peer "am I still your leader?". Every AppendEntries carries the number of the newest round, and only
 * an answer to a message sent in or after a round counts for it (C28).
 */
export class ReadRounds {
  /** The newest round begun in this leader's life. */
  current = 0;
  #waiting: ReadIndexDone[] = [];
  #underWay: Round[] = [];

  add(read: ReadIndexDone): void {
    if (this.#waiting.length >= MAX_WAITING_READS) read(null);
    else this.#waiting.push(read);
  }

  /** Another round may begin. */
  get hasRoom(): boolean {
    return this.#underWay.length < MAX_READ_ROUNDS;
  }

  /** Reads wait for the next round. */
  get isWanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Begins a round for everything that waits. The caller sends its number to every peer. */
  begin(commitIndex: LogIndex): void {
    this.current++;
    this.#underWay.push({ number: this.current, readIndex: commitIndex, reads: this.#waiting });
    this.#waiting = [];
  }

  /** A majority has answered messages of round `confirmed`, or of later ones. */
  confirm(confirmed: number): void {
    while (this.#underWay[0] && this.#underWay[0].number <= confirmed) {
      const round = this.#underWay.shift();
      for (const done of round?.reads ?? []) done(round?.readIndex ?? null);
    }
  }

  /** Leadership is gone: nothing can be confirmed any more. */
  failAll(): void {
    const reads = [...this.#underWay.flatMap((round) => round.reads), ...this.#waiting];
    this.#underWay = [];
    this.#waiting = [];
    this.current = 0;
    for (const done of reads) done(null);
  }
}
