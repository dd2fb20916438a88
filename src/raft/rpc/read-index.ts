import type { MemberId, ReadIndexArgs, ReadIndexReply } from '../messages.js';
import type { WaitingRead } from '../outbox.js';
import type { ReadIndexDone } from '../read-rounds.js';
import type { Raft } from '../raft.js';
import { confirmedRound, sendHeartbeatTo } from './append-entries.js';

/**
 * A leader begins a confirmation round for the reads that wait, unless it does not know yet what is committed (§8). Until
 * then they stay in the outbox, where their deadlines are watched.
 */
export function beginReadRound(raft: Raft): void {
  if (!raft.readRounds.hasRoom || !raft.hasCommittedInTerm()) return;
  for (const read of raft.outbox.takeReads()) raft.readRounds.add(confirmOrWaitOn(raft, read));
  if (!raft.readRounds.isWanted) return;
  raft.readRounds.begin(raft.commitIndex);
  for (const peer of raft.peers) sendHeartbeatTo(raft, peer);
  raft.readRounds.confirm(confirmedRound(raft)); // alone in its cluster, a leader needs nobody's word
}

/** Leadership may be lost before the round is confirmed: then the read waits for the next leader, here or elsewhere. */
function confirmOrWaitOn(raft: Raft, read: WaitingRead): ReadIndexDone {
  return (readIndex) => {
    if (readIndex === null) raft.outbox.addRead(read);
    else read.done(readIndex);
  };
}

/** A follower asks the leader for an index to wait for, once for all reads that wait. */
export function askReadIndex(raft: Raft, leader: MemberId): void {
  const reads = raft.outbox.takeReads();
  if (reads.length > 0) raft.start(() => readIndexFrom(raft, leader, reads));
}

/** Sender: one task, one RPC. Reads that come later ask again: an answer serves only what waited when it was asked (C28). */
async function readIndexFrom(raft: Raft, leader: MemberId, reads: readonly WaitingRead[]): Promise<void> {
  const args: ReadIndexArgs = { term: raft.currentTerm, originId: raft.id };
  const reply = await raft.ports.transport.readIndex(leader, args);
  if (reply && !raft.stopped) raft.observeTerm(reply.term);
  if (reply && reply.readIndex > 0) {
    for (const read of reads) read.done(reply.readIndex);
    return;
  }
  raft.outbox.pausedUntil = raft.ports.clock.now() + raft.options.heartbeatIntervalMs;
  for (const read of reads) raft.outbox.addRead(read);
  if (raft.stopped) raft.outbox.failAll();
}

/** Receiver: answers when a majority has confirmed that this member leads, or cannot. */
export async function answerReadIndex(raft: Raft, args: ReadIndexArgs): Promise<ReadIndexReply | null> {
  if (raft.stopped) return null;
  const readIndex = await new Promise<number | null>((done) => {
    addForwardedRead(raft, args, done);
  });
  return raft.stopped ? null : { term: raft.currentTerm, readIndex: readIndex ?? 0 };
}

function addForwardedRead(raft: Raft, args: ReadIndexArgs, done: ReadIndexDone): void {
  if (raft.role !== 'leader' || raft.currentTerm !== args.term) {
    done(null);
    return;
  }
  raft.readRounds.add((readIndex) => {
    awaitCommitAt(raft, args.originId, readIndex ?? 0);
    done(readIndex);
  });
  raft.scheduleTurn();
}

/** Somebody at `peer` waits for `index` to be applied there: it should hear of the commit at once. */
function awaitCommitAt(raft: Raft, peer: MemberId, index: number): void {
  const progress = raft.progress.get(peer);
  if (!progress) return;
  progress.awaitedCommitIndex = Math.max(progress.awaitedCommitIndex, index);
  raft.scheduleTurn();
}
