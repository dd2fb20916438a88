import type {
  AppendEntriesArgs,
  ForwardProposalsArgs,
  InstallSnapshotArgs,
  ReadIndexArgs,
  RequestVoteArgs,
  TimeoutNowArgs,
} from './messages.js';
import type { PeerHandler } from './ports.js';
import type { Raft } from './raft.js';
import { answerAppendEntries } from './rpc/append-entries.js';
import { answerForwardProposals } from './rpc/forward-proposals.js';
import { answerInstallSnapshot } from './rpc/install-snapshot.js';
import { answerReadIndex } from './rpc/read-index.js';
import { answerRequestVote } from './rpc/request-vote.js';
import { answerTimeoutNow } from './rpc/timeout-now.js';

/** Takes what peers ask to the file of each RPC. Every call is a task of its own. */
export class PeerReceiver implements PeerHandler {
  constructor(private readonly raft: Raft) {}

  readonly requestVote = (args: RequestVoteArgs) => this.#answer(answerRequestVote, args);
  readonly appendEntries = (args: AppendEntriesArgs) => this.#answer(answerAppendEntries, args);
  readonly installSnapshot = (args: InstallSnapshotArgs) => this.#answer(answerInstallSnapshot, args);
  readonly timeoutNow = (args: TimeoutNowArgs) => this.#answer(answerTimeoutNow, args);
  readonly forwardProposals = (args: ForwardProposalsArgs) => this.#answer(answerForwardProposals, args);
  readonly readIndex = (args: ReadIndexArgs) => this.#answer(answerReadIndex, args);

  /** A stopped member says nothing. A failure while answering is the member's own. */
  async #answer<Args, Reply>(
    answer: (raft: Raft, args: Args) => Promise<Reply | null>,
    args: Args,
  ): Promise<Reply | null> {
    if (this.raft.stopped) return null;
    try {
      return await answer(this.raft, args);
    } catch (error) {
      this.raft.fail(error);
      return null;
    }
  }
}
