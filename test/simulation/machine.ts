/**
 * The machine that a simulated process runs on. It outlives the process: `boot` counts the processes it has run, and what
 * was scheduled for an earlier one never happens (its sleeps do not resolve, its disk does not answer, its RPCs hear nothing).
 */
export class Machine {
  status: 'down' | 'up' | 'paused' = 'down';
  boot = 0;

  constructor(
    /** Position in the cluster, from 0. */
    readonly index: number,
    readonly name: string,
  ) {}

  /** A new process starts. */
  start(): void {
    if (this.status !== 'down') throw new Error(`${this.name} is ${this.status}, expected it to be down`);
    this.boot++;
    this.status = 'up';
  }

  /** The process is gone, between two instructions. */
  crash(): void {
    this.status = 'down';
  }

  /** Whether the process `boot` still exists. */
  runs(boot: number): boolean {
    return this.status !== 'down' && this.boot === boot;
  }
}
