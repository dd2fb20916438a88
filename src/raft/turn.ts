import type { Raft } from './raft.js';
import { replicateTo, sendHeartbeatTo } from './rpc/append-entries.js';
import { appendWaiting, forwardWaiting } from './rpc/forward-proposals.js';
import { askReadIndex, beginReadRound } from './rpc/read-index.js';
import { pursueTransfer } from './rpc/timeout-now.js';

/**
 * Runs once at the end of a turn of the event loop in which something came up: everything that arrived meanwhile goes
 * into one log write, one AppendEntries per peer, one confirmation round, one message to the leader.
 */
export function endTurn(raft: Raft): void {
  if (raft.role === 'leader') leadersTurn(raft);
  else if (raft.leaderId !== null && raft.ports.clock.now() >= raft.outbox.pausedUntil) {
    forwardWaiting(raft, raft.leaderId);
    askReadIndex(raft, raft.leaderId);
  }
}

function leadersTurn(raft: Raft): void {
  appendWaiting(raft);
  raft.saveLog(); // under way while the peers write theirs; counted when it is done
  for (const peer of raft.peers) replicateTo(raft, peer);
  beginReadRound(raft);
  for (const [peer, progress] of raft.progress) {
    // Its commit index, as far as it can use it, is behind what somebody there waits for.
    const usable = Math.min(raft.commitIndex, progress.matchIndex, progress.awaitedCommitIndex);
    if (progress.sentCommitIndex < usable) sendHeartbeatTo(raft, peer);
  }
  pursueTransfer(raft);
}
