import type { Raft } from '../raft.js';
import { startElection } from '../rpc/request-vote.js';

/** How often the election activity looks at the clock, in ms. */
export const ELECTION_POLL_MS = 20;

/**
 * Activity 1 of 3. Sleeps a little, looks at one variable, sleeps again, until the member stops. Touches nothing but the
 * role, through startElection.
 */
export async function runElection(raft: Raft): Promise<void> {
  const { clock } = raft.ports;
  while (!raft.stopped) {
    const asleepSince = clock.now();
    await clock.sleep(ELECTION_POLL_MS);
    // The process itself stood still: what the leader sent meanwhile has not been read yet. Read first, judge then (N05).
    const hasOverslept = clock.now() - asleepSince > raft.options.electionTimeoutMs / 2;
    if (!raft.stopped && !hasOverslept) raft.guard(() => campaignIfLeaderIsSilent(raft));
  }
}

function campaignIfLeaderIsSilent(raft: Raft): void {
  if (raft.role === 'leader' || !raft.isVoter || raft.pendingInstall) return;
  const silenceMs = raft.ports.clock.now() - raft.lastHeardFromLeader;
  if (silenceMs >= raft.electionTimeoutMs) startElection(raft);
}
