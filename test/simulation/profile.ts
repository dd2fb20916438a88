import type { RaftOptions } from '../../src/raft/options.js';
import type { NetworkFaults } from './links.js';
import type { DiskSpeed } from './disk.js';
import type { SeededRandom } from './random.js';

/** Faults that strike again and again, in the words of the report. */
export const FAULTS = [
  'crash',
  'crash leader',
  'crash all',
  'pause',
  'pause leader',
  'partition',
  'one-way partition',
  'isolate leader',
  'bridge',
  'flapping link',
  'clogged link',
  'disk stall',
  'disk failure',
  'leadership transfer',
] as const;

export type Fault = (typeof FAULTS)[number];

export interface WorkloadProfile {
  readonly clients: number;
  readonly keys: number;
  /** Mean pause of a client between two operations, in milliseconds. */
  readonly thinkMs: number;
  /** A client waits this long for an answer. */
  readonly minDeadlineMs: number;
  readonly maxDeadlineMs: number;
  /** All clients talk to one member; otherwise to any. */
  readonly sticky: boolean;
  /** Of all operations, the part that writes. */
  readonly writes: number;
  /** Of all operations, the part that are compactions of the history. */
  readonly compactions: number;
}

/** Everything about a simulation that is drawn once, from its seed (swarm testing: each draws its own mixture). */
export interface Profile {
  readonly members: number;
  readonly raft: RaftOptions;
  readonly network: NetworkFaults;
  readonly disk: DiskSpeed;
  /** By how much a clock may run fast or slow: 0.1 is ten percent. */
  readonly clockDrift: number;
  readonly clockJitterMs: number;
  /** Mean time between two strikes, in milliseconds; faults that are not in here never strike. */
  readonly faults: ReadonlyMap<Fault, number>;
  /** Of all crashes, the part that is a power cut. */
  readonly powerCuts: number;
  readonly workload: WorkloadProfile;
  /** How long faults strike before everything is healed. */
  readonly unsafeMs: number;
}

export function drawProfile(random: SeededRandom, members?: number): Profile {
  const electionTimeoutMs = random.pick([100, 200, 300, 500, 1000]);
  const drawnMembers = random.pick([1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7]);
  return {
    members: members ?? drawnMembers,
    raft: {
      electionTimeoutMs,
      heartbeatIntervalMs: electionTimeoutMs / random.pick([3, 5, 10]),
      preVote: random.chance(0.85),
      snapshotCount: Math.round(random.logUniform(1, 1_000)),
      snapshotCatchupEntries: random.chance(0.5) ? 0 : Math.round(random.logUniform(1, 500)),
      maxLogBytes: random.chance(0.8) ? 64 * 1024 * 1024 : 16 * 1024,
      maxAppendBytes: random.chance(0.5) ? 1024 * 1024 : Math.round(random.logUniform(1, 2_000)),
      maxUncommittedBytes: random.chance(0.7) ? 64 * 1024 * 1024 : Math.round(random.logUniform(200, 20_000)),
    },
    network: drawNetwork(random, electionTimeoutMs),
    disk: { writeMs: random.logUniform(0.05, 2), syncMs: random.logUniform(0.1, 30) },
    clockDrift: random.chance(0.5) ? 0 : random.real(0, 0.1),
    clockJitterMs: random.logUniform(0.1, 5),
    faults: drawFaults(random),
    powerCuts: random.unit(),
    workload: drawWorkload(random),
    unsafeMs: random.logUniform(5_000, 30_000),
  };
}

function drawNetwork(random: SeededRandom, electionTimeoutMs: number): NetworkFaults {
  const strength = (low: number, high: number): number => (random.chance(0.5) ? random.logUniform(low, high) : 0);
  return {
    meanDelayMs: random.logUniform(0.3, electionTimeoutMs / 10),
    loss: strength(0.001, 0.3),
    duplication: strength(0.001, 0.2),
    replay: random.real(0, 0.3),
    reorder: strength(0.001, 0.1),
  };
}

function drawFaults(random: SeededRandom): Map<Fault, number> {
  const faults = new Map<Fault, number>();
  // Few faults at a time let the cluster get further between them; many together find what only happens in a mess.
  const density = random.pick([0.1, 0.25, 0.5]);
  for (const fault of FAULTS) {
    const isOn = random.chance(density);
    const meanMs = random.logUniform(400, 20_000);
    if (isOn) faults.set(fault, meanMs);
  }
  return faults;
}

function drawWorkload(random: SeededRandom): WorkloadProfile {
  return {
    clients: random.between(1, 8),
    keys: random.between(3, 10),
    thinkMs: random.logUniform(10, 300),
    minDeadlineMs: 50,
    maxDeadlineMs: random.logUniform(200, 5_000),
    sticky: random.chance(0.2),
    writes: random.real(0.2, 0.9),
    compactions: random.chance(0.5) ? 0 : random.real(0, 0.05),
  };
}
