import type { InstallSnapshotArgs, InstallSnapshotReply, MemberId, SnapshotMarker } from '../messages.js';
import { IncomingTransfer } from '../incoming-install.js';
import type { OutgoingSnapshot } from '../ports.js';
import type { Progress } from '../progress.js';
import type { Raft } from '../raft.js';

/** Chunks in a row that may go unanswered before a transfer is given up. The next probe begins another. */
const MAX_UNANSWERED_CHUNKS = 20;

/** Brings `peer` up to date with a copy of the state machine (Figure 13). One task per transfer. */
export async function sendSnapshotTo(raft: Raft, peer: MemberId, progress: Progress): Promise<void> {
  const term = raft.currentTerm;
  const snapshot = await raft.ports.stateMachine.openSnapshot();
  raft.outgoingSnapshots.add(snapshot.marker);
  let installed: boolean;
  try {
    installed = await sendChunks(raft, peer, progress, snapshot, term);
    if (installed && isOurs(raft, peer, progress, term)) onInstalled(raft, progress, snapshot.marker);
  } finally {
    raft.outgoingSnapshots.delete(snapshot.marker);
    await snapshot.close();
  }
  raft.ports.logger.info(
    { peer: peer.toString(16), index: snapshot.marker.index, installed },
    'snapshot transfer ended',
  );
  // What made one transfer fail may make the next one fail: not at once again (C43).
  if (!installed && isOurs(raft, peer, progress, term)) await raft.ports.clock.sleep(raft.options.electionTimeoutMs);
  if (!isOurs(raft, peer, progress, term)) return;
  progress.backToProbe(progress.matchIndex + 1);
  raft.scheduleTurn();
}

/** Still the leader that began the transfer, in the same term. */
function isOurs(raft: Raft, peer: MemberId, progress: Progress, term: number): boolean {
  return !raft.stopped && raft.role === 'leader' && raft.currentTerm === term && raft.progress.get(peer) === progress;
}

/** Resolves to whether the peer has the snapshot in place. */
async function sendChunks(
  raft: Raft,
  peer: MemberId,
  progress: Progress,
  snapshot: OutgoingSnapshot,
  term: number,
): Promise<boolean> {
  const transferId = raft.ports.random.below(2 ** 32);
  let offset = 0;
  let data = await snapshot.nextChunk();
  let following = await snapshot.nextChunk();
  for (let unanswered = 0; data && unanswered < MAX_UNANSWERED_CHUNKS;) {
    if (!isOurs(raft, peer, progress, term)) return false;
    const args: InstallSnapshotArgs = {
      term,
      leaderId: raft.id,
      snapshot: snapshot.marker,
      transferId,
      offset,
      data,
      done: following === null,
    };
    const reply = await raft.ports.transport.installSnapshot(peer, args);
    if (!isOurs(raft, peer, progress, term)) return false;
    if (!reply) {
      unanswered++;
      await raft.ports.clock.sleep(raft.options.heartbeatIntervalMs);
      continue;
    }
    if (raft.observeTerm(reply.term)) return false;
    unanswered = 0;
    progress.lastAckAt = raft.ports.clock.now();
    if (reply.installed) return true;
    if (reply.nextOffset === offset + data.length && following) {
      offset += data.length;
      data = following;
      following = await snapshot.nextChunk();
    } else if (reply.nextOffset !== offset) {
      return false; // the peer has lost what came before: begin anew
    } else {
      await raft.ports.clock.sleep(raft.options.heartbeatIntervalMs); // still busy with this chunk
    }
  }
  return false;
}

/** The peer holds what is committed through the marker. */
function onInstalled(raft: Raft, progress: Progress, marker: SnapshotMarker): void {
  progress.raiseMatch(marker.index);
  raft.advanceCommitIndex();
}

/** Receiver (Figure 13). Decides at once what the chunk means, then writes it; nothing of it is visible before it is whole. */
export async function answerInstallSnapshot(
  raft: Raft,
  args: InstallSnapshotArgs,
): Promise<InstallSnapshotReply | null> {
  const decided = raft.guard(() => handleInstallSnapshot(raft, args));
  if (decided === undefined) return null;
  if (decided === 'write') {
    raft.chunkUnderWay = takeChunk(raft, args);
    await raft.chunkUnderWay;
    if (raft.stopped || raft.currentTerm !== args.term) return null;
  }
  const reply = decided === 'write' ? raft.guard(() => progressReply(raft, args)) : decided;
  // What is known to be committed here need not be on this disk yet, and is never sent again once we have said it is.
  await raft.untilSaved(reply?.installed ? args.snapshot.index : 0);
  return raft.stopped ? null : (reply ?? null);
}

/** The reply, or `write` when this chunk is the one that is expected next. */
export function handleInstallSnapshot(raft: Raft, args: InstallSnapshotArgs): InstallSnapshotReply | 'write' {
  if (args.term < raft.currentTerm) return { term: raft.currentTerm, nextOffset: 0, installed: false };
  raft.followLeader(args.term, args.leaderId);
  if (args.snapshot.index <= raft.commitIndex) return { term: raft.currentTerm, nextOffset: 0, installed: true }; // C41
  const transfer = raft.incomingTransfer;
  const isSame = transfer?.transferId === args.transferId && transfer.term === args.term;
  if (isSame)
    return raft.isReceivingSnapshot || args.offset !== transfer.expectedOffset ? progressReply(raft, args) : 'write';
  const mustWait = raft.isReceivingSnapshot || raft.pendingInstall !== null;
  return args.offset !== 0 || mustWait ? { term: raft.currentTerm, nextOffset: 0, installed: false } : 'write';
}

function progressReply(raft: Raft, args: InstallSnapshotArgs): InstallSnapshotReply {
  const isSame = raft.incomingTransfer?.transferId === args.transferId;
  return {
    term: raft.currentTerm,
    nextOffset: isSame ? (raft.incomingTransfer?.expectedOffset ?? 0) : 0,
    installed: args.snapshot.index <= raft.commitIndex,
  };
}

/** Only one chunk is written at a time: `isReceivingSnapshot` is the lock. */
async function takeChunk(raft: Raft, args: InstallSnapshotArgs): Promise<void> {
  raft.isReceivingSnapshot = true;
  try {
    const transfer = await transferFor(raft, args);
    const isWhole = (await received(raft, transfer, args)) && args.done;
    // Until it is in place, a repetition of the last chunk is told that this chunk is still being worked on.
    if (isWhole) await install(raft, transfer);
    if (isWhole) raft.incomingTransfer = null;
  } finally {
    raft.isReceivingSnapshot = false;
  }
}

/** A member that stops leaves nothing open: the chunk under way is the last one, and what has come in so far goes. */
export async function abandonTransfer(raft: Raft): Promise<void> {
  await raft.chunkUnderWay.catch(() => undefined); // whoever sent the chunk has dealt with its failure
  const transfer = raft.incomingTransfer;
  raft.incomingTransfer = null;
  await transfer?.incoming.abandon();
}

/** Takes the chunk in, and verifies after the last. What is damaged is thrown away: the leader is told to begin again. */
async function received(raft: Raft, transfer: IncomingTransfer, args: InstallSnapshotArgs): Promise<boolean> {
  try {
    await transfer.incoming.write(args.data);
    if (args.done) await transfer.incoming.finish();
    else transfer.expectedOffset += args.data.length;
    return true;
  } catch (error) {
    raft.ports.logger.warn({ err: error, index: transfer.marker.index }, 'received snapshot is damaged');
    raft.incomingTransfer = null;
    await transfer.incoming.abandon();
    return false;
  }
}

async function transferFor(raft: Raft, args: InstallSnapshotArgs): Promise<IncomingTransfer> {
  const current = raft.incomingTransfer;
  if (current?.transferId === args.transferId && current.term === args.term) return current;
  raft.incomingTransfer = null;
  await current?.incoming.abandon();
  const incoming = await raft.ports.stateMachine.receiveSnapshot(args.snapshot);
  raft.ports.logger.info({ index: args.snapshot.index, leaderId: args.leaderId.toString(16) }, 'receiving snapshot');
  raft.incomingTransfer = new IncomingTransfer(args.transferId, args.term, args.snapshot, incoming);
  return raft.incomingTransfer;
}

/** Leaves it to the applier, which alone replaces the state machine. Resolves when that is done. */
async function install(raft: Raft, transfer: IncomingTransfer): Promise<void> {
  // Whoever campaigned meanwhile may be about to lead, and a leader's log does not begin anew.
  if (raft.stopped || raft.role !== 'follower' || transfer.marker.index <= raft.commitIndex) {
    await transfer.incoming.abandon();
    return;
  }
  await new Promise<void>((installed) => {
    raft.pendingInstall = { marker: transfer.marker, incoming: transfer.incoming, installed };
    raft.commitAdvanced.notifyAll();
  });
}
