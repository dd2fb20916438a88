import type {
  AppendEntriesArgs,
  AppendEntriesReply,
  Entry,
  InstallSnapshotArgs,
  InstallSnapshotReply,
  LogIndex,
  MemberId,
  RequestVoteArgs,
  RequestVoteReply,
  Term,
} from '../../../src/raft/messages.js';
import { majorityOf } from '../../../src/raft/quorum.js';
import type { Raft } from '../../../src/raft/raft.js';
import type { RpcName } from '../../../src/transport/rpcs.js';
import type { MemoryDisk } from './memory-store.js';

/** What is looked at after every event. */
export interface Witness {
  readonly id: MemberId;
  readonly name: string;
  readonly boot: number;
  readonly disk: MemoryDisk;
  /** Null while it is down. */
  readonly raft: Raft | null;
}

interface Seen {
  readonly boot: number;
  readonly term: Term;
  readonly commitIndex: LogIndex;
  readonly lastApplied: LogIndex;
  readonly isLeader: boolean;
  readonly lastIndex: LogIndex;
}

/** What Raft promises (Figure 3), and that nothing is said before it is on disk. Watches all members at once. */
export class Invariants {
  /** Highest index that any member has known to be committed. */
  highestCommit: LogIndex = 0;
  /** What is seen is forgiven: the script forges what no member would do. */
  isForgiving = false;
  readonly #leaders = new Map<Term, string>();
  readonly #committed = new Map<LogIndex, { term: Term; payload: string }>();
  readonly #votes = new Map<string, MemberId>();
  readonly #seen = new Map<MemberId, Seen>();
  /** Found in the middle of somebody else's call: thrown at the end of the event. */
  #broken: string | null = null;

  constructor(private readonly witnesses: readonly Witness[]) {}

  /** @throws Error that names what was broken. */
  check(): void {
    if (this.isForgiving) return;
    for (const witness of this.witnesses)
      if (witness.raft && !witness.raft.stopped) this.#checkMember(witness, witness.raft);
    this.#checkLogMatching();
    if (this.#broken) throw new Error(this.#broken);
  }

  /** State Machine Safety: whoever applies an index applies the same there. */
  onApply(name: string, entry: Entry): void {
    const committed = this.#committed.get(entry.index);
    if (!committed) this.#commit(name, entry);
    else if (committed.term !== entry.term || committed.payload !== entry.payload.toString('latin1'))
      this.#break(`${name} applied another entry at ${entry.index} than was committed there`);
  }

  /** A reply leaves `from`. */
  onReply(from: Witness, rpc: RpcName, args: never, reply: never): void {
    if (rpc === 'requestVote') this.#onVote(from, args, reply);
    else if (rpc === 'appendEntries') this.#onAppend(from, args, reply);
    else if (rpc === 'installSnapshot') this.#onInstall(from, args, reply);
  }

  /** A linearizable read that began when `highestCommit` was `atLeast` is answered at `index`. */
  onRead(name: string, index: LogIndex, atLeast: LogIndex): void {
    if (index < atLeast) this.#break(`read ${name} was answered at ${index}, it began after ${atLeast} was committed`);
  }

  #checkMember(witness: Witness, raft: Raft): void {
    const { name, boot } = witness;
    const { currentTerm: term, commitIndex, lastApplied } = raft;
    const { lastIndex } = raft.log;
    const seen = this.#seen.get(witness.id);
    if (seen?.boot === boot) {
      if (term < seen.term) this.#break(`${name} went from term ${seen.term} back to ${term}`);
      if (commitIndex < seen.commitIndex) this.#break(`${name}'s commit index fell from ${seen.commitIndex}`);
      if (lastApplied < seen.lastApplied) this.#break(`${name}'s applied index fell from ${seen.lastApplied}`);
      if (seen.isLeader && seen.term === term && lastIndex < seen.lastIndex)
        this.#break(`${name} took back entries of its log while leading`);
    }
    if (!(lastApplied <= commitIndex && commitIndex <= lastIndex))
      this.#break(`${name}: applied ${lastApplied}, commit ${commitIndex}, last ${lastIndex} are out of order`);
    if (!(raft.savedIndex <= raft.handedIndex && raft.handedIndex <= lastIndex))
      this.#break(`${name}: saved ${raft.savedIndex}, handed ${raft.handedIndex}, last ${lastIndex} are out of order`);
    for (const [peer, { matchIndex, nextIndex, inflight }] of raft.progress)
      if (matchIndex >= nextIndex || matchIndex > lastIndex || inflight < 0)
        this.#break(`${name}: progress of ${peer} is match ${matchIndex}, next ${nextIndex}, inflight ${inflight}`);
    const from = seen?.boot === boot ? seen.commitIndex : raft.log.marker.index;
    for (let index = Math.max(from, raft.log.marker.index) + 1; index <= commitIndex; index++)
      this.#commit(name, raft.log.at(index));
    if (raft.role === 'leader') this.#checkLeader(witness, raft);
    this.#seen.set(witness.id, { boot, term, commitIndex, lastApplied, isLeader: raft.role === 'leader', lastIndex });
  }

  /** Election Safety and Leader Completeness. */
  #checkLeader({ name, id, disk }: Witness, raft: Raft): void {
    const known = this.#leaders.get(raft.currentTerm);
    if (known === name) return;
    if (known) this.#break(`${known} and ${name} both led in term ${raft.currentTerm}`);
    this.#leaders.set(raft.currentTerm, name);
    if (disk.hardState.currentTerm !== raft.currentTerm || disk.hardState.votedFor !== id)
      this.#break(`${name} leads term ${raft.currentTerm}, but its own vote is not on disk`);
    for (const [index, { term }] of this.#committed)
      if (index > raft.log.marker.index && raft.log.termAt(index) !== term)
        this.#break(`${name} leads without the committed entry ${index} of term ${term}`);
  }

  #commit(name: string, entry: Entry): void {
    const { index, term } = entry;
    const payload = entry.payload.toString('latin1');
    const committed = this.#committed.get(index);
    if (committed) {
      if (committed.term !== term || committed.payload !== payload)
        this.#break(`${name} committed (term ${term}) at ${index}, where (term ${committed.term}) was committed`);
      return;
    }
    this.#committed.set(index, { term, payload });
    this.highestCommit = Math.max(this.highestCommit, index);
    const copies = this.witnesses.filter(
      ({ disk }) => disk.snapshot.index >= index || disk.termAt(index) === term,
    ).length;
    if (copies < majorityOf(this.witnesses.length))
      this.#break(`${name} committed ${index} with ${copies} copies on disk`);
  }

  #checkLogMatching(): void {
    const rafts = this.witnesses.flatMap(({ raft, name }) => (raft && !raft.stopped ? [{ log: raft.log, name }] : []));
    for (const [position, a] of rafts.entries()) {
      for (const b of rafts.slice(position + 1)) {
        let matching = false;
        const lowest = Math.max(a.log.firstIndex, b.log.firstIndex);
        for (let index = Math.min(a.log.lastIndex, b.log.lastIndex); index >= lowest; index--) {
          const same = a.log.termAt(index) === b.log.termAt(index);
          matching ||= same;
          if (matching && (!same || !a.log.at(index).record.equals(b.log.at(index).record)))
            this.#break(`the logs of ${a.name} and ${b.name} match later on, but differ at ${index}`);
        }
      }
    }
  }

  #onVote({ id, name, disk }: Witness, args: RequestVoteArgs, reply: RequestVoteReply): void {
    if (!reply.voteGranted || args.preVote) return;
    const key = `${id}/${args.term}`;
    const earlier = this.#votes.get(key);
    if (earlier !== undefined && earlier !== args.candidateId)
      this.#break(`${name} voted for ${earlier} and ${args.candidateId} in term ${args.term}`);
    this.#votes.set(key, args.candidateId);
    if (disk.hardState.currentTerm !== args.term || disk.hardState.votedFor !== args.candidateId)
      this.#break(`${name} granted a vote in term ${args.term} that is not on its disk`);
  }

  #onAppend({ name, disk }: Witness, args: AppendEntriesArgs, reply: AppendEntriesReply): void {
    if (disk.hardState.currentTerm < reply.term) this.#break(`${name} spoke of term ${reply.term} before saving it`);
    if (!reply.success) return;
    const last = args.entries.at(-1);
    const proven = last?.index ?? args.prevLogIndex;
    if (disk.snapshot.index < proven && disk.termAt(proven) !== (last?.term ?? args.prevLogTerm))
      this.#break(`${name} acknowledged entry ${proven}, which is not on its disk`);
  }

  #onInstall({ name, disk }: Witness, args: InstallSnapshotArgs, reply: InstallSnapshotReply): void {
    if (reply.installed && disk.lastIndex < args.snapshot.index)
      this.#break(`${name} said that snapshot ${args.snapshot.index} is in place, but it is not on its disk`);
  }

  #break(what: string): void {
    this.#broken ??= what;
  }
}
