import { NotLeaderError, OverloadedError } from '../errors.js';
import type { ForwardProposalsArgs, ForwardProposalsReply, LogIndex, MemberId } from '../messages.js';
import type { ProposalOutcome, WaitingProposal } from '../outbox.js';
import type { Raft } from '../raft.js';

/** Why a leader appends nothing for now, or null. */
export function proposalRefusal(raft: Raft): Error | null {
  if (raft.role !== 'leader' || raft.transfer.underWay)
    return new NotLeaderError('this member does not take proposals now');
  if (raft.uncommittedBytes < raft.options.maxUncommittedBytes) return null;
  return new OverloadedError(`${raft.uncommittedBytes} bytes of proposals are not committed yet; try again later`);
}

/** A leader's own proposals go to its log. */
export function appendWaiting(raft: Raft): void {
  for (const proposal of raft.outbox.takeProposals()) {
    const refusal = proposalRefusal(raft);
    if (refusal instanceof NotLeaderError)
      raft.outbox.addProposal(proposal); // a transfer is under way: wait for its end
    else
      proposal.done(
        refusal ? { kind: 'refused', error: refusal } : { kind: 'appended', ...append(raft, proposal.payload) },
      );
  }
}

function append(raft: Raft, payload: Buffer): { index: LogIndex; term: number } {
  const { index, term } = raft.appendToLog(payload);
  return { index, term };
}

/** A follower's proposals go to the leader, all that wait in one message of a task of its own. */
export function forwardWaiting(raft: Raft, leader: MemberId): void {
  const proposals = raft.outbox.takeProposals();
  for (let from = 0; from < proposals.length;) {
    const batch = takeBatch(proposals, from, raft.options.maxAppendBytes);
    from += batch.length;
    raft.start(() => forwardProposalsTo(raft, leader, batch));
  }
}

function takeBatch(proposals: readonly WaitingProposal[], from: number, maxBytes: number): WaitingProposal[] {
  const batch: WaitingProposal[] = [];
  let bytes = 0;
  for (const proposal of proposals.slice(from)) {
    if (batch.length > 0 && bytes + proposal.payload.length > maxBytes) break;
    batch.push(proposal);
    bytes += proposal.payload.length;
  }
  return batch;
}

/** Sender: one task, one RPC. */
async function forwardProposalsTo(raft: Raft, leader: MemberId, batch: readonly WaitingProposal[]): Promise<void> {
  const args: ForwardProposalsArgs = {
    term: raft.currentTerm,
    originId: raft.id,
    bootId: raft.bootId,
    // Every attempt has a sequence of its own: a late copy of a refused one must not be taken for its repetition.
    proposals: batch.map(({ payload }) => ({ sequence: raft.nextForwardSequence++, payload })),
  };
  const reply = await raft.ports.transport.forwardProposals(leader, args);
  if (reply && !raft.stopped) raft.observeTerm(reply.term);
  batch.forEach((proposal, position) => {
    settle(raft, proposal, outcomeOf(args, reply, reply?.indexes[position]));
  });
}

function outcomeOf(
  args: ForwardProposalsArgs,
  reply: ForwardProposalsReply | null,
  index: LogIndex | undefined,
): ProposalOutcome | 'again' {
  if (!reply || index === undefined) return { kind: 'unknown' };
  if (index > 0) return { kind: 'appended', index, term: args.term };
  if (reply.refusal === 'notLeader') return 'again'; // surely in no log
  return {
    kind: 'refused',
    error: new OverloadedError('the leader has too many proposals that are not committed yet; try again later'),
  };
}

function settle(raft: Raft, proposal: WaitingProposal, outcome: ProposalOutcome | 'again'): void {
  if (outcome !== 'again') {
    proposal.done(outcome);
    return;
  }
  raft.outbox.pausedUntil = raft.ports.clock.now() + raft.options.heartbeatIntervalMs;
  raft.outbox.addProposal(proposal);
  if (raft.stopped) raft.outbox.failAll();
}

/** Receiver: appended at once. The reply promises nothing but where: the origin hears of the commit as every follower does. */
export async function answerForwardProposals(
  raft: Raft,
  args: ForwardProposalsArgs,
): Promise<ForwardProposalsReply | null> {
  return raft.guard(() => handleForwardProposals(raft, args)) ?? null;
}

/** Null when a proposal may have been appended before and it is not known where: silence is the honest answer. */
export function handleForwardProposals(raft: Raft, args: ForwardProposalsArgs): ForwardProposalsReply | null {
  const nothing = args.proposals.map(() => 0);
  if (raft.role !== 'leader' || raft.currentTerm !== args.term) {
    return { term: raft.currentTerm, indexes: nothing, refusal: 'notLeader' };
  }
  const known = args.proposals.map(({ sequence }) =>
    raft.forwardedSequences.outcomeOf(args.originId, args.bootId, sequence),
  );
  if (known.includes('forgotten')) return null;
  const refusal = proposalRefusal(raft);
  const indexes = args.proposals.map(({ sequence, payload }, position) => {
    const outcome = known[position];
    if (typeof outcome === 'number') return outcome;
    const index = refusal ? 0 : raft.appendToLog(payload).index;
    raft.forwardedSequences.remember(args.originId, args.bootId, sequence, index);
    return index;
  });
  const progress = raft.progress.get(args.originId);
  if (progress) progress.awaitedCommitIndex = Math.max(progress.awaitedCommitIndex, ...indexes);
  return {
    term: raft.currentTerm,
    indexes,
    refusal: !refusal ? 'none' : refusal instanceof NotLeaderError ? 'notLeader' : 'overloaded',
  };
}
