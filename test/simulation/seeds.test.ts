import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Job, runInWorkers } from './jobs.js';
import { runSeed } from './run-seed.js';
import { Totals, replayLine } from './totals.js';

/** More for a longer run: SIM_SEEDS=5000 SIM_FROM=1000000. */
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 300);
const FROM = Number(process.env['SIM_FROM'] ?? 1);
const JOBS = Number(process.env['SIM_JOBS'] ?? 2);

test(`${SEEDS} seeds of faults break no invariant, and every healed cluster makes progress`, async (context) => {
  const totals = new Totals();
  const startedMs = performance.now();
  let started = 0;
  const next = (): Job | null =>
    started < SEEDS ? { seed: String(FROM + started++), members: undefined, twice: false } : null;
  await runInWorkers(JOBS, next, (report) => totals.add(report));
  for (const line of totals.lines(performance.now() - startedMs)) context.diagnostic(line);
  const failures = totals.failed.map((report) => `${report.violation?.message}\n  ${replayLine(report, undefined)}`);
  assert.deepEqual(failures, []);
  // A cluster that never gets anything done would break nothing either.
  assert.ok(
    totals.answered > totals.operations / 4,
    `${totals.answered} of ${totals.operations} operations were answered`,
  );
  for (const fault of ['process killed', 'power cut', 'pause', 'partition', 'message lost', 'message doubled']) {
    assert.ok(totals.faults.of(fault) > 0, `no ${fault} in ${SEEDS} seeds`);
  }
});

test('a seed decides everything: two runs do the same, event for event', async () => {
  for (const seed of [11n, 0xfeed_face_cafe_beefn]) {
    const first = await runSeed({ seed });
    const second = await runSeed({ seed });
    assert.deepEqual(second, first);
    assert.ok(first.events > 1_000);
  }
  assert.notEqual((await runSeed({ seed: 12n })).hash, (await runSeed({ seed: 13n })).hash);
});

test('watching a run does not change it', async () => {
  let lines = 0;
  const traced = await runSeed({ seed: 14n, trace: () => lines++ });
  assert.deepEqual(await runSeed({ seed: 14n }), traced);
  assert.ok(lines > traced.events);
});
