import { performance } from 'node:perf_hooks';

/** Time as the rest of the program sees it. Monotonic: wall clock jumps never reach it. */
export interface Clock {
  /** Milliseconds since some fixed moment, with fractions. Never goes back. */
  now(): number;
  /** Resolves after at least `ms` milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Runs `task` once, after everything that is already due in this turn of the event loop. */
  defer(task: () => void): void;
}

/** The machine's own monotonic clock. */
export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  defer(task: () => void): void {
    setImmediate(task);
  }
}
