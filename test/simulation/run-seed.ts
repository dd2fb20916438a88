import { asError } from '../../src/lib/errors.js';
import { MemberError } from '../../src/member/errors.js';
import { MAX_SUPERVISOR_MS } from './cluster.js';
import { InvariantViolation, must } from './invariants/violation.js';
import type { Machine } from './machine.js';
import { Simulation, type SimulationOptions } from './simulation.js';

/** What one seed came to. Plain data: it travels between processes. */
export interface SeedReport {
  readonly seed: string;
  readonly members: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly operations: number;
  /** Operations with a definite answer. */
  readonly answered: number;
  readonly messages: number;
  readonly committed: number;
  readonly faults: readonly (readonly [string, number])[];
  /** Equal for two runs of one seed. */
  readonly hash: string;
  readonly violation: { readonly invariant: string; readonly message: string; readonly stack: string } | null;
}

/** The checkers need the whole history: a run stops asking for more after this many operations. */
const MAX_OPERATIONS = 1_500;
/** Election timeouts (the longest that can be drawn) within which a healed cluster must have a leader. */
const LEADER_WITHIN_TIMEOUTS = 10;
const QUIET_TIMEOUTS = 20;
const ANSWERS_WITHIN_MS = 30_000;
const WRITE_ATTEMPTS = 5;
const EQUAL_WITHIN_MS = 120_000;

/** Safety under faults first; then everything is healed and progress is demanded; then the history is judged. */
export async function runSeed(options: SimulationOptions): Promise<SeedReport> {
  const simulation = new Simulation(options);
  let violation: SeedReport['violation'] = null;
  const onUnhandled = (reason: unknown): void => {
    simulation.scheduler.fail(new InvariantViolation('STOP', `unhandled rejection: ${asError(reason).stack}`));
  };
  process.on('unhandledRejection', onUnhandled);
  try {
    await strike(simulation);
    await demandProgress(simulation);
    simulation.assertInvariants();
  } catch (error) {
    const failure = asError(error);
    const invariant = error instanceof InvariantViolation ? error.invariant : failure.name;
    const cause = failure.cause instanceof Error ? `\ncaused by ${failure.cause.stack}` : '';
    violation = { invariant, message: failure.message, stack: (failure.stack ?? '') + cause };
  } finally {
    await new Promise((resolve) => setImmediate(resolve)); // rejections of this seed are not the next one's
    process.off('unhandledRejection', onUnhandled);
  }
  return report(simulation, options, violation);
}

async function strike(simulation: Simulation): Promise<void> {
  const { scheduler, profile, history, clients, nemesis } = simulation;
  simulation.bootAll();
  nemesis.start();
  for (const client of clients) client.start();
  await scheduler.run(profile.unsafeMs, () => history.operations.length >= MAX_OPERATIONS);
}

async function demandProgress(simulation: Simulation): Promise<void> {
  const { cluster, clients, nemesis, profile } = simulation;
  const longestTimeoutMs = 2 * profile.raft.electionTimeoutMs;
  nemesis.heal();
  await simulation.pass(nemesis.restMs);
  await simulation.until(
    'all members up',
    () => simulation.members.every((machine) => cluster.memberOn(machine) !== null),
    2 * MAX_SUPERVISOR_MS + startMs(simulation),
  );
  await simulation.until(
    'a leader after healing',
    () => cluster.leader !== null && simulation.member(cluster.leader).node.raft.hasCommittedInTerm(),
    LEADER_WITHIN_TIMEOUTS * longestTimeoutMs,
  );
  for (const client of clients) client.stop();
  await simulation.until('an answer to every client', () => clients.every(({ isIdle }) => isIdle), ANSWERS_WITHIN_MS);
  // First everybody catches up: what was lost in the last moment before healing is only sent again after its timeout.
  await simulation.until('equal members', () => simulation.areEqual(), EQUAL_WITHIN_MS);
  await checkAlive(simulation);
  await simulation.until('members equal again', () => simulation.areEqual(), EQUAL_WITHIN_MS);
  const { lastLeaderTerm } = cluster.view;
  await simulation.pass(QUIET_TIMEOUTS * longestTimeoutMs);
  must(
    cluster.view.lastLeaderTerm === lastLeaderTerm,
    'LIVE',
    () => `a healthy cluster elected again: term ${cluster.view.lastLeaderTerm} after ${lastLeaderTerm}`,
  );
}

/** Every member takes a write. */
async function checkAlive(simulation: Simulation): Promise<void> {
  for (const machine of simulation.members) {
    await simulation.until(`${machine.name} to be up`, () => simulation.cluster.memberOn(machine) !== null);
    let isDone = false;
    for (let attempt = 1; attempt <= WRITE_ATTEMPTS && !isDone; attempt++)
      isDone = await takesWrite(simulation, machine);
    must(isDone, 'LIVE', () => `${machine.name}, healed, had too much to do for a single write`);
  }
}

/** False when the member has too much to do just now: what clients asked before the healing may still arrive. */
async function takesWrite(simulation: Simulation, machine: Machine): Promise<boolean> {
  const write = simulation.history.operations.length;
  try {
    await simulation.put(machine, 'k0', `alive-${machine.name}`);
    return true;
  } catch (error) {
    if (!(error instanceof MemberError)) throw error;
    if (error.code === 'MEMBER_TOO_MANY_REQUESTS') {
      await simulation.pass(1_000);
      return false;
    }
    // A member that got the log's effect as a snapshot cannot tell its client; the write must be there all the same.
    const isThere = error.code === 'MEMBER_TIMEOUT' && simulation.oracle.knows(write);
    must(isThere, 'LIVE', () => `${machine.name}, healed, refused a write: ${String(error)}`);
    return true;
  }
}

/** What it may take until every member has read its disk, even a slow one. */
function startMs({ profile }: Simulation): number {
  return 100 * (profile.disk.writeMs + profile.disk.syncMs);
}

function report(simulation: Simulation, options: SimulationOptions, violation: SeedReport['violation']): SeedReport {
  const { scheduler, cluster, history, profile } = simulation;
  return {
    seed: BigInt(options.seed).toString(),
    members: profile.members,
    simulatedMs: scheduler.nowMs,
    events: scheduler.count,
    operations: history.operations.length,
    answered: history.operations.filter(({ status }) => status === 'answered').length,
    messages: cluster.counts.messages,
    committed: cluster.view.registry.committedThrough,
    faults: cluster.counts.entries(),
    hash: scheduler.hash.toString(),
    violation,
  };
}
