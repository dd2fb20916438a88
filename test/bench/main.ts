/**
 * Loads a three-member cluster on this machine, and a fresh etcd beside it where one is installed, and prints a table:
 *   npm run bench -- --rounds 3 --json results.json
 *   npm run bench -- --quick --only "put" --only failover
 *   npm run bench -- --programs etcd
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir, type } from 'node:os';
import { parseArgs } from 'node:util';
import { isInstalled, type Program } from '../cluster/harness.js';
import { renderResults, resultsAsJson } from './report.js';
import { runRound, type RoundResult, type Timing } from './round.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    programs: { type: 'string', default: 'raftkv,etcd' },
  },
});

const thorough: Timing = { warmUpMs: 1000, windowMs: 4000, settleMs: 2000, leaderKills: 3 };
const quick: Timing = { warmUpMs: 500, windowMs: 1000, settleMs: 1000, leaderKills: 1 };
const timing = values.quick ? quick : thorough;
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));

const known: readonly Program[] = ['raftkv', 'etcd'];
const wanted = values.programs.split(',');
const programs = known.filter((program) => wanted.includes(program) && isInstalled(program));
if (programs.length === 0) throw new Error('nothing to measure: run npm run build first, or install etcd');

/** What the machine was busy with before we came: a number above zero spoils the figures. */
const loadBefore = (loadavg()[0] ?? NaN).toFixed(1);
const results = new Map<Program, RoundResult[]>(programs.map((program) => [program, []]));
for (let round = 0; round < rounds; round++) {
  // Who comes first changes, so that a machine that slows down or speeds up favours nobody.
  for (const program of round % 2 === 0 ? programs : programs.toReversed()) {
    console.error(`round ${round + 1} of ${rounds}: ${program}`);
    results.get(program)?.push(await runRound(program, timing, values.only));
  }
}

console.log(
  `${type()} ${release()}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}`,
);
console.log(
  `data in ${tmpdir()}, three members and the client on this machine, whose load average was ${loadBefore} before`,
);
console.log(`medians of ${rounds} round(s); ratios are of figures of one round, with their range\n`);
console.log(renderResults(results));
if (values.json !== undefined) writeFileSync(values.json, resultsAsJson(results));
