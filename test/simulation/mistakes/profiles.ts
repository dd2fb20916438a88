import type { RaftOptions } from '../../../src/raft/options.js';
import { defaultRaftOptions } from '../../../src/raft/options.js';
import type { Fault, Profile } from '../profile.js';

/** What it takes for rare mistakes to matter. A long run draws it by itself now and then; a test should not wait for it. */
function strained(
  raft: Partial<RaftOptions>,
  faults: Partial<Record<Fault, number>>,
  more: Partial<Profile>,
): Partial<Profile> {
  return {
    raft: { ...defaultRaftOptions, electionTimeoutMs: 100, heartbeatIntervalMs: 25, ...raft },
    faults: new Map(Object.entries(faults) as [Fault, number][]),
    unsafeMs: 20_000,
    ...more,
  };
}

const busy: Profile['workload'] = {
  clients: 8,
  keys: 3,
  thinkMs: 10,
  minDeadlineMs: 50,
  maxDeadlineMs: 500,
  sticky: false,
  writes: 0.6,
  compactions: 0,
};

const calmNetwork: Profile['network'] = { meanDelayMs: 3, loss: 0, duplication: 0, replay: 0, reorder: 0 };

/** Leaders fall all the time, and send one entry at a time: entries of many terms stand side by side (Figure 8). */
export const fallingLeaders = strained(
  { maxAppendBytes: 1, preVote: false },
  { 'crash leader': 250, 'isolate leader': 400, partition: 600 },
  {
    members: 5,
    network: { ...calmNetwork, meanDelayMs: 8, loss: 0.15 },
    disk: { writeMs: 0.1, syncMs: 3 },
    workload: busy,
  },
);

/** Several candidates at once, whose requests arrive long after they were sent. */
export const lateVotes = strained(
  { preVote: false },
  { 'isolate leader': 300, 'crash leader': 1_500, partition: 800, 'pause leader': 700 },
  {
    members: 5,
    network: { meanDelayMs: 20, loss: 0.05, duplication: 0.3, replay: 0.2, reorder: 0.3 },
    workload: { ...busy, clients: 2, thinkMs: 200 },
  },
);

/** A disk so slow that leaders change while it writes. */
export const slowDisk = strained(
  { electionTimeoutMs: 400, heartbeatIntervalMs: 100, preVote: false },
  { 'isolate leader': 400, partition: 700, 'disk stall': 400 },
  { members: 5, network: calmNetwork, disk: { writeMs: 5, syncMs: 80 }, workload: busy },
);

/** Leadership is handed over often, and messages are slow: an old leader hears of it late. */
export const handovers = strained(
  { electionTimeoutMs: 1_000, heartbeatIntervalMs: 200 },
  { 'leadership transfer': 250, 'one-way partition': 700 },
  {
    members: 3,
    network: { ...calmNetwork, meanDelayMs: 60, reorder: 0.2 },
    workload: { ...busy, writes: 0.4, maxDeadlineMs: 3_000 },
  },
);
