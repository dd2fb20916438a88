import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runSeed, type SeedReport } from './run-seed.js';

/** A seed takes well below a second; one that takes this long (ms) hangs in an endless loop. */
const HANGS_AFTER_MS = 180_000;

export interface Job {
  readonly seed: string;
  readonly members: number | undefined;
  /** Run it a second time and compare. */
  readonly twice: boolean;
}

/** Runs one job in this process. */
export async function runJob({ seed, members, twice }: Job): Promise<SeedReport> {
  const report = await runSeed({ seed: BigInt(seed), members });
  if (!twice || report.violation) return report;
  const again = await runSeed({ seed: BigInt(seed), members });
  if (again.hash === report.hash) return report;
  const message = `two runs of seed ${seed} differ: ${report.hash}, ${again.hash}`;
  return { ...report, violation: { invariant: 'DETERMINISM', message, stack: '' } };
}

/** What a worker process does: takes jobs from its parent until the parent lets go of it. */
export function serveJobs(): void {
  process.on('message', (job: Job) => {
    void runJob(job).then((report) => process.send?.(report));
  });
  process.on('disconnect', () => process.exit(0));
}

/** Runs jobs in `count` worker processes, and hands over each report as it comes. `next` gives null when no more is to be done. */
export async function runInWorkers(
  count: number,
  next: () => Job | null,
  onReport: (report: SeedReport) => void,
): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => runInWorker(next, onReport)));
}

async function runInWorker(next: () => Job | null, onReport: (report: SeedReport) => void): Promise<void> {
  const script = fileURLToPath(new URL('./main.ts', import.meta.url));
  const worker = fork(script, ['--worker'], { execArgv: ['--import', 'tsx'] });
  try {
    for (let job = next(); job !== null; job = next()) onReport(await ask(worker, job));
  } finally {
    worker.disconnect();
  }
}

function ask(worker: ChildProcess, job: Job): Promise<SeedReport> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('exit', onExit);
      settle();
    };
    const onMessage = (report: unknown): void => end(() => resolve(report as SeedReport));
    const onExit = (): void => end(() => reject(new Error(`the worker died while it ran seed ${job.seed}`)));
    const timer = setTimeout(() => {
      worker.kill('SIGKILL');
      end(() => reject(new Error(`seed ${job.seed} hangs: no report after ${HANGS_AFTER_MS} ms`)));
    }, HANGS_AFTER_MS);
    worker.on('message', onMessage).on('exit', onExit);
    worker.send(job);
  });
}
