import type {
  AppendEntriesArgs,
  AppendEntriesReply,
  InstallSnapshotArgs,
  InstallSnapshotReply,
  MemberId,
} from '../../../src/raft/messages.js';
import type { Machine } from '../machine.js';
import type { NetworkObserver } from '../network.js';
import type { ArgsOf, ReplyOf, RpcKind } from '../wire.js';
import type { ClusterView } from './cluster-view.js';
import { must } from './violation.js';

/** Whatever a member tells others would still be true if it lost power right now and came back with its synced bytes. */
export class SaidImpliesSynced implements NetworkObserver {
  constructor(
    private readonly cluster: ClusterView,
    private readonly idOf: (machine: Machine) => MemberId,
    /** Told of violations: what is thrown inside the sender might be caught there. */
    private readonly report: (failure: Error) => void,
  ) {}

  onRequest<K extends RpcKind>(from: Machine, _to: Machine, kind: K, args: ArgsOf<K>): void {
    this.#reporting(() => {
      const id = this.idOf(from);
      if (kind === 'requestVote') {
        const { preVote, term, candidateId } = args as ArgsOf<'requestVote'>;
        // Asking others is to say: I have voted for myself.
        if (!preVote) this.cluster.enterVote(id, from.name, term, candidateId);
      } else if (kind === 'appendEntries') {
        this.#checkTerm(id, from, args.term);
      }
    });
  }

  onReply<K extends RpcKind>(from: Machine, _to: Machine, kind: K, args: ArgsOf<K>, reply: ReplyOf<K>): void {
    this.#reporting(() => {
      const id = this.idOf(from);
      if (kind === 'requestVote') {
        const { term, candidateId, preVote } = args as ArgsOf<'requestVote'>;
        const { voteGranted } = reply as ReplyOf<'requestVote'>;
        if (voteGranted && !preVote) this.cluster.enterVote(id, from.name, term, candidateId);
      } else if (kind === 'appendEntries') {
        this.#checkAppend(id, from, args as AppendEntriesArgs, reply as AppendEntriesReply);
      } else if (kind === 'installSnapshot') {
        this.#checkInstalled(id, from, args as InstallSnapshotArgs, reply as InstallSnapshotReply);
      }
    });
  }

  /** A term that was told to anybody must not be forgotten: who would vote in it again could vote differently. */
  #checkTerm(id: MemberId, from: Machine, term: number): void {
    const { currentTerm } = this.cluster.durable(id);
    must(currentTerm >= term, 'DUR', () => `${from.name} speaks of term ${term}, its disk of term ${currentTerm}`);
  }

  #checkAppend(id: MemberId, from: Machine, args: AppendEntriesArgs, reply: AppendEntriesReply): void {
    this.#checkTerm(id, from, reply.term);
    if (!reply.success) return;
    const durable = this.cluster.durable(id);
    const index = args.prevLogIndex + args.entries.length;
    const term = args.entries.at(-1)?.term ?? args.prevLogTerm;
    must(
      durable.holds(index, term),
      'DUR',
      () => `${from.name} acknowledged index ${index} of term ${term}, its disk holds ${durable.lastIndex}`,
    );
    durable.promise(index, term, reply.term);
  }

  #checkInstalled(id: MemberId, from: Machine, { snapshot }: InstallSnapshotArgs, reply: InstallSnapshotReply): void {
    if (!reply.installed) return;
    const durable = this.cluster.durable(id);
    must(
      durable.holds(snapshot.index, snapshot.term),
      'DUR',
      () => `${from.name} says it has the snapshot through ${snapshot.index}, its disk holds ${durable.lastIndex}`,
    );
  }

  #reporting(check: () => void): void {
    try {
      check();
    } catch (violation) {
      this.report(violation as Error);
    }
  }
}
