import type { MemberId, TimeoutNowArgs, TimeoutNowReply } from '../messages.js';
import { TransferError } from '../errors.js';
import type { Progress } from '../progress.js';
import type { Raft } from '../raft.js';
import { startElection } from './request-vote.js';

/** A leader hands over to `target` (thesis 3.10). Until it is settled no proposal is appended. */
export function transferLeadership(raft: Raft, target: MemberId | null, settle: (error: Error | null) => void): void {
  if (raft.role !== 'leader' || raft.stopped) {
    settle(new TransferError('this member is not the leader'));
  } else if (target === null) {
    settle(new TransferError('there is no other member to lead'));
  } else if (target === raft.id) {
    settle(null);
  } else if (!raft.progress.has(target)) {
    settle(new TransferError(`member ${target.toString(16)} is not a voter of this cluster`));
  } else {
    raft.transfer.begin(target, raft.ports.clock.now() + raft.options.electionTimeoutMs, settle);
    raft.scheduleTurn();
  }
}

/** Has most of our log; among equals, was heard last. Null without peers, or when this member does not lead. */
export function bestSuccessor(raft: Raft): MemberId | null {
  let best: [MemberId, Progress] | null = null;
  for (const candidate of raft.progress) if (!best || isFitter(candidate[1], best[1])) best = candidate;
  return best?.[0] ?? null;
}

function isFitter(a: Progress, b: Progress): boolean {
  return a.matchIndex > b.matchIndex || (a.matchIndex === b.matchIndex && a.lastAckAt > b.lastAckAt);
}

/** The disk of this leader stands still: what others commit is not applied here, and nobody is answered (S21). */
export function handOver(raft: Raft): void {
  const target = bestSuccessor(raft);
  if (raft.transfer.underWay || target === null) return;
  raft.ports.logger.warn({ term: raft.currentTerm, peer: target.toString(16) }, 'handing over, the disk stands still');
  transferLeadership(raft, target, (error) => {
    if (error) raft.ports.logger.warn({ err: error, term: raft.currentTerm }, 'could not hand over');
  });
}

/** Once the target holds everything it is told to campaign at once. */
export function pursueTransfer(raft: Raft): void {
  const { underWay } = raft.transfer;
  if (!underWay || underWay.asked) return;
  if (raft.progress.get(underWay.target)?.matchIndex !== raft.log.lastIndex) return;
  underWay.asked = true;
  const args = { term: raft.currentTerm, leaderId: raft.id };
  raft.start(() => timeoutNowTo(raft, underWay.target, args));
}

/** Sender: one task, one RPC. If it is lost, the transfer ends with its deadline. */
async function timeoutNowTo(raft: Raft, peer: MemberId, args: TimeoutNowArgs): Promise<void> {
  const reply = await raft.ports.transport.timeoutNow(peer, args);
  if (reply && !raft.stopped) raft.observeTerm(reply.term);
}

/** Receiver. A late message of an old term, or of somebody who does not lead us, does nothing (C26). */
export async function answerTimeoutNow(raft: Raft, args: TimeoutNowArgs): Promise<TimeoutNowReply | null> {
  raft.guard(() => handleTimeoutNow(raft, args));
  await raft.untilSaved(0);
  return raft.stopped ? null : { term: raft.currentTerm };
}

function handleTimeoutNow(raft: Raft, args: TimeoutNowArgs): void {
  const isFromLeader = args.term === raft.currentTerm && raft.role === 'follower' && raft.leaderId === args.leaderId;
  if (isFromLeader && raft.isVoter && !raft.pendingInstall) startElection(raft, true);
}
