import type { Member } from '../../../src/member/member.js';
import type { Entry, LogIndex } from '../../../src/raft/messages.js';
import type { LogOracle } from '../log-oracle.js';
import type { ClusterView } from './cluster-view.js';
import { must } from './violation.js';

/** So many entries lie between two comparisons of the members' states. */
const COMPARE_EVERY = 64;

/** Stands between consensus and the state machine of every member: what is applied is committed, whole, in order, once. */
export class ApplyWatch {
  /** Hash of the state after an index, as the first member that came there had it. */
  readonly #hashes = new Map<LogIndex, { readonly hash: string; readonly who: string }>();

  constructor(
    private readonly cluster: ClusterView,
    private readonly oracle: LogOracle,
  ) {}

  attach(member: Member, who: string, report: (failure: Error) => void): void {
    const { state } = member;
    const apply = state.apply.bind(state);
    state.apply = (entries) => {
      try {
        this.#before(member, entries, who);
        const cuts = cutAtMultiples(entries, COMPARE_EVERY);
        return inTurn(cuts, (part) => {
          const applied = apply(part);
          const compare = (): void => this.#after(member, part, who);
          return applied ? applied.then(compare) : compare();
        });
      } catch (violation) {
        report(violation as Error);
        throw violation;
      }
    };
  }

  #before(member: Member, entries: readonly Entry[], who: string): void {
    const { raft } = member.node;
    const { registry } = this.cluster;
    let expected = member.state.lastApplied + 1;
    for (const { index, term } of entries) {
      must(index === expected, 'SMS', () => `${who} applies index ${index}, expected ${expected}`);
      must(index <= raft.commitIndex, 'SMS', () => `${who} applies index ${index}, committed is ${raft.commitIndex}`);
      must(
        registry.committedAt(index)?.term === term || registry.committedThrough < index,
        'SMS',
        () => `${who} applies index ${index} of term ${term}, committed is term ${registry.committedAt(index)?.term}`,
      );
      must(
        this.cluster.durable(raft.id).holds(index, term),
        'DUR',
        () => `${who} applies index ${index}, which is not on its own disk`,
      );
      expected++;
    }
    this.oracle.apply(entries, who);
  }

  #after(member: Member, part: readonly Entry[], who: string): void {
    const index = part.at(-1)?.index ?? 0;
    const { kv } = member.state;
    must(kv.appliedIndex === index, 'SMS', () => `${who} has applied ${kv.appliedIndex}, expected ${index}`);
    if (index % COMPARE_EVERY === 0) this.compare(member, who);
  }

  /** @throws InvariantViolation DET when another member had another state at this index. */
  compare(member: Member, who: string): void {
    const { kv } = member.state;
    const index = kv.appliedIndex;
    const hash = String(kv.contentHash());
    const first = this.#hashes.get(index);
    if (first === undefined) this.#hashes.set(index, { hash, who });
    else must(first.hash === hash, 'DET', () => `${who} and ${first.who} differ after index ${index}`);
  }
}

/** Runs of entries that end at multiples of `span`. */
function cutAtMultiples(entries: readonly Entry[], span: number): (readonly Entry[])[] {
  const cuts: (readonly Entry[])[] = [];
  let start = 0;
  for (const [position, { index }] of entries.entries()) {
    if (index % span !== 0 && position !== entries.length - 1) continue;
    cuts.push(entries.slice(start, position + 1));
    start = position + 1;
  }
  return cuts;
}

/** One after the other, without a promise as long as none is needed. */
function inTurn<T>(items: readonly T[], run: (item: T) => void | Promise<void>): void | Promise<void> {
  for (const [position, item] of items.entries()) {
    const running = run(item);
    if (running) return running.then(() => inTurn(items.slice(position + 1), run));
  }
}
