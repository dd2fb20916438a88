import type { Clock } from '../../src/lib/clock.js';
import type { Machine } from './machine.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';

export interface ClockFault {
  /** What the clock showed when the simulation began, in milliseconds. */
  readonly offsetMs: number;
  /** How fast it runs: 1 is true time, 1.1 a clock that gains ten percent. */
  readonly rate: number;
  /** Sleeps end later than asked by this much on average. */
  readonly jitterMs: number;
}

/** The monotonic clock of one process. It dies with the process: no sleep of a crashed process ever resolves. */
export class SimClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #boot: number;
  readonly #random: SeededRandom;
  readonly #fault: ClockFault;

  constructor(scheduler: Scheduler, machine: Machine, random: SeededRandom, fault: ClockFault) {
    this.#scheduler = scheduler;
    this.#machine = machine;
    this.#boot = machine.boot;
    this.#random = random;
    this.#fault = fault;
  }

  now(): number {
    return this.#fault.offsetMs + this.#scheduler.nowMs * this.#fault.rate;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const lateMs = this.#random.exponential(this.#fault.jitterMs);
      // At least a microsecond, so that a loop of empty sleeps moves time on.
      const delayMs = Math.max(ms, 0.001) / this.#fault.rate + lateMs;
      this.#scheduler.afterOn(this.#machine, this.#boot, delayMs, 'timer', resolve);
    });
  }

  defer(task: () => void): void {
    this.#scheduler.afterOn(this.#machine, this.#boot, this.#random.real(0, 0.05), 'defer', task);
  }
}
