import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Job, runInWorkers, serveJobs } from './jobs.js';
import { printMistakes } from './mistakes/table.js';
import { runSeed, type SeedReport } from './run-seed.js';
import { Totals, replayLine } from './totals.js';

const USAGE = `npm run sim -- [options]

  --seed N         run this seed (decimal or 0x...)
  --trace          with --seed: show every event
  --seeds N        run N seeds, from --from or from a random one (default 300)
  --minutes N      run seeds for so long
  --from N         the first seed
  --members N      1 to 7 members instead of what each seed draws
  --jobs N         worker processes (default 2)
  --mistakes       plant each known mistake and tell how it is found
`;

/** So many seeds lie between two that are run twice. */
const TWICE_EVERY = 100;
const PROGRESS_EVERY_MS = 10_000;
/** After this many violations it is time to look at them. */
const MAX_VIOLATIONS = 10;

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    from: { type: 'string' },
    members: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    trace: { type: 'boolean', default: false },
    mistakes: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const members = options.members === undefined ? undefined : Number(options.members);

if (options.help) console.log(USAGE);
else if (options.worker) serveJobs();
else if (options.mistakes) process.exitCode = (await printMistakes()) ? 0 : 1;
else if (options.seed !== undefined) process.exitCode = await runOne(BigInt(options.seed));
else process.exitCode = await runMany();

async function runOne(seed: bigint): Promise<number> {
  const startedMs = performance.now();
  const report = await runSeed({ seed, members, trace: options.trace ? (line) => console.log(line) : undefined });
  const totals = new Totals();
  totals.add(report);
  console.log(totals.lines(performance.now() - startedMs).join('\n'));
  console.log(`hash         ${report.hash}`);
  if (report.violation) console.log(`\n${report.violation.stack}`);
  return report.violation ? 1 : 0;
}

async function runMany(): Promise<number> {
  const startedMs = performance.now();
  const first = options.from === undefined ? randomBytes(6).readUIntBE(0, 6) : Number(options.from);
  const untilMs = options.minutes === undefined ? Infinity : startedMs + Number(options.minutes) * 60_000;
  const limit = options.seeds === undefined ? (options.minutes === undefined ? 300 : Infinity) : Number(options.seeds);
  const totals = new Totals();
  let started = 0;
  const next = (): Job | null => {
    if (started >= limit || performance.now() >= untilMs || totals.failed.length >= MAX_VIOLATIONS) return null;
    const position = started++;
    return { seed: String(first + position), members, twice: position % TWICE_EVERY === 0 };
  };
  const onReport = (report: SeedReport): void => {
    totals.add(report);
    if (report.violation) console.log(`\n${report.violation.message}\n  ${replayLine(report, members)}\n`);
  };
  console.log(`seeds from ${first}`);
  const progress = setInterval(() => {
    console.log(`${totals.seeds} seeds, ${totals.events} events, ${totals.failed.length} violations`);
  }, PROGRESS_EVERY_MS);
  try {
    await runInWorkers(Number(options.jobs), next, onReport);
  } finally {
    clearInterval(progress);
  }
  console.log(totals.lines(performance.now() - startedMs).join('\n'));
  return totals.failed.length > 0 ? 1 : 0;
}
