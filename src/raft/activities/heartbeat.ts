import type { Raft } from '../raft.js';
import { replicateTo, sendHeartbeatTo } from '../rpc/append-entries.js';
import { handOver } from '../rpc/timeout-now.js';

/** How often the heartbeat activity looks at the clock, in ms. */
export const HEARTBEAT_POLL_MS = 20;

/**
 * Activity 2 of 3. While this member leads, lets every peer hear from it in time. Steps down when a majority is no longer
 * heard (check-quorum, thesis 6.2), and hands over when its own disk stands still (S21). On every member it also gives up
 * requests that have waited for a leader too long.
 */
export async function runHeartbeat(raft: Raft): Promise<void> {
  const { clock } = raft.ports;
  while (!raft.stopped) {
    const asleepSince = clock.now();
    await clock.sleep(HEARTBEAT_POLL_MS);
    const hasOverslept = clock.now() - asleepSince > raft.options.electionTimeoutMs / 2;
    if (!raft.stopped) raft.guard(() => beat(raft, hasOverslept));
  }
}

function beat(raft: Raft, hasOverslept: boolean): void {
  const now = raft.ports.clock.now();
  raft.outbox.expire(now);
  if (!raft.outbox.isEmpty) raft.scheduleTurn();
  if (raft.role !== 'leader') return;
  if (!hasOverslept && !raft.hasFreshQuorum()) {
    raft.ports.logger.warn({ term: raft.currentTerm }, 'stepping down, no quorum answers');
    raft.becomeFollower(raft.currentTerm, null);
    return;
  }
  raft.transfer.expire(now);
  if (!hasOverslept && raft.diskStallMs >= raft.options.electionTimeoutMs) handOver(raft);
  for (const [peer, progress] of raft.progress) {
    const isDue = now - progress.lastSentAt >= raft.options.heartbeatIntervalMs;
    const knowsOfCommits = progress.sentCommitIndex >= Math.min(raft.commitIndex, progress.matchIndex);
    if (isDue) replicateTo(raft, peer); // what was lost on the way goes out again
    if (isDue || !knowsOfCommits) sendHeartbeatTo(raft, peer);
  }
}
