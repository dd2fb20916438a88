import { MAX_INFLIGHT_APPENDS, type Progress } from '../../../src/raft/progress.js';
import type { LogIndex, MemberId, Role, Term } from '../../../src/raft/messages.js';
import type { Raft } from '../../../src/raft/raft.js';
import type { ClusterView } from './cluster-view.js';
import { must } from './violation.js';
import { WatchedLog } from './watched-log.js';

/** Follows one process through its life, and compares what it knows with what everybody together knows. */
export class WatchedProcess {
  readonly log: WatchedLog;
  readonly #raft: Raft;
  readonly #cluster: ClusterView;
  readonly #who: string;
  #term: Term = 0;
  #role: Role = 'follower';
  #commitIndex: LogIndex = 0;
  #lastApplied: LogIndex = 0;
  #savedIndex: LogIndex = 0;
  readonly #matched = new Map<MemberId, { progress: Progress; matchIndex: LogIndex }>();

  constructor(raft: Raft, cluster: ClusterView, who: string) {
    this.#raft = raft;
    this.#cluster = cluster;
    this.#who = who;
    this.log = new WatchedLog(raft.log, cluster.registry, who);
  }

  /** After every event of this process. */
  check(): void {
    const raft = this.#raft;
    const wasLeader = this.#role === 'leader' && this.#term === raft.currentTerm;
    const kept = this.log.update();
    must(kept >= this.#commitIndex, 'SMS', () => `${this.#who} took back index ${kept + 1}, which was committed`);
    must(!(wasLeader && kept !== Infinity), 'LAO', () => `leader ${this.#who} took back entries after ${kept}`);
    this.#checkOrder();
    if (raft.role === 'leader') {
      if (!wasLeader) this.#checkNewLeader();
      this.#checkProgress();
    } else if (this.#matched.size > 0) {
      this.#matched.clear();
    }
    if (raft.commitIndex !== this.#commitIndex) this.#checkCommit();
    this.#term = raft.currentTerm;
    this.#role = raft.role;
    this.#commitIndex = raft.commitIndex;
    this.#lastApplied = raft.lastApplied;
    this.#savedIndex = raft.savedIndex;
  }

  #checkOrder(): void {
    const { currentTerm, commitIndex, lastApplied, savedIndex, handedIndex, log } = this.#raft;
    const holds =
      currentTerm >= this.#term &&
      commitIndex >= this.#commitIndex &&
      lastApplied >= this.#lastApplied &&
      lastApplied <= commitIndex &&
      commitIndex <= log.lastIndex &&
      savedIndex <= handedIndex &&
      handedIndex <= log.lastIndex &&
      log.marker.index <= lastApplied &&
      log.lastTerm <= currentTerm;
    must(holds, 'ORDER', () => {
      const now = { currentTerm, commitIndex, lastApplied, savedIndex, handedIndex, last: log.lastIndex };
      const before = [this.#term, this.#commitIndex, this.#lastApplied, this.#savedIndex];
      return `${this.#who} has ${JSON.stringify(now)} after (term, commit, applied, saved) ${before.join(', ')}`;
    });
    if (savedIndex !== this.#savedIndex || currentTerm !== this.#term) this.#checkSaved();
  }

  /** What this member believes to be on its own disk is there. */
  #checkSaved(): void {
    const { savedIndex, log, id } = this.#raft;
    const term = log.termAt(savedIndex);
    must(
      term === null || this.#cluster.durable(id).holds(savedIndex, term),
      'DUR',
      () => `${this.#who} believes that index ${savedIndex} of term ${term} is on its disk`,
    );
  }

  #checkNewLeader(): void {
    const { currentTerm, log } = this.#raft;
    const other = this.#cluster.leaderOf(currentTerm);
    must(other === null, 'ES', () => `${this.#who} and ${other} lead in term ${currentTerm}`);
    this.#cluster.enterLeader(currentTerm, this.#who);
    const { registry } = this.#cluster;
    const index = registry.committedBefore(currentTerm);
    const isThere = index < log.marker.index || this.log.prefix(index) === registry.committedAt(index)?.hash;
    must(isThere, 'LC', () => `${this.#who} leads in term ${currentTerm} without what is committed through ${index}`);
  }

  /** First commit fixes an index for ever, and needs a majority of synced copies. */
  #checkCommit(): void {
    const { commitIndex, currentTerm, log } = this.#raft;
    const { registry } = this.#cluster;
    for (let index = registry.committedThrough + 1; index <= commitIndex; index++) {
      const hash = this.log.prefix(index);
      const term = log.termAt(index);
      must(hash !== undefined && term !== null, 'SMS', () => `${this.#who} committed ${index} without having it`);
      if (hash === undefined || term === null) return;
      const copies = this.#cluster.copiesOf(index, term);
      must(copies >= this.#cluster.quorum, 'DUR', () => {
        return `${this.#who} committed index ${index} of term ${term} with ${copies} synced copies`;
      });
      registry.commit(hash, term, currentTerm);
    }
    const expected = registry.committedAt(commitIndex)?.hash;
    const isSame = commitIndex < log.marker.index || this.log.prefix(commitIndex) === expected;
    must(isSame, 'SMS', () => `${this.#who} committed another entry at or before index ${commitIndex}`);
  }

  #checkProgress(): void {
    const { progress, log, currentTerm } = this.#raft;
    for (const [peer, now] of progress) {
      const { matchIndex, nextIndex, inflight } = now;
      const before = this.#matched.get(peer);
      const isRaised = before?.progress !== now || matchIndex !== before.matchIndex;
      must(
        matchIndex < nextIndex && matchIndex <= log.lastIndex && nextIndex <= log.lastIndex + 1,
        'ORDER',
        () => `${this.#who} has match ${matchIndex}, next ${nextIndex} of a log through ${log.lastIndex}`,
      );
      must(
        inflight >= 0 && inflight <= MAX_INFLIGHT_APPENDS,
        'RES',
        () => `${this.#who} has ${inflight} messages in flight to one peer`,
      );
      if (!isRaised) continue;
      must(
        before?.progress !== now || matchIndex > before.matchIndex,
        'ORDER',
        () => `${this.#who} lowered a match index to ${matchIndex}`,
      );
      this.#matched.set(peer, { progress: now, matchIndex });
      // A deposed leader that does not know it yet may hold true what was true.
      const term = this.#cluster.lastLeaderTerm > currentTerm ? null : log.termAt(matchIndex);
      must(
        term === null || this.#cluster.durable(peer).holds(matchIndex, term),
        'DUR',
        () => `${this.#who} believes that index ${matchIndex} of term ${term} is on the disk of ${peer}`,
      );
    }
  }
}
