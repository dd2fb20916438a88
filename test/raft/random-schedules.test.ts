import { test } from 'node:test';
import { runRandomSchedule } from './support/random-schedule.js';

/** Events per schedule, before the faults end. */
const EVENTS = 600;

/** A few seeds on every run; `RAFT_SEEDS=1000-3000` for a hunt. */
const [first = 1, last = 60] = (process.env['RAFT_SEEDS'] ?? '1-60').split('-').map(Number);

test(`members agree after any order of faults, seeds ${first} to ${last}`, async () => {
  for (let seed = first; seed <= last; seed++) await withSeed(seed);
});

async function withSeed(seed: number): Promise<void> {
  try {
    await runRandomSchedule(seed, EVENTS);
  } catch (error) {
    throw new Error(`seed ${seed}, ${EVENTS} events: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
