import type { Clock } from '../../../src/lib/clock.js';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** The monotonic clock of one member, moved by hand. No real time passes in any scenario. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #sleepers: Sleeper[] = [];
  #deferred: (() => void)[] = [];

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ until: this.#nowMs + ms, wake }));
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** Time passes; then all who are due wake. With a large step that is a process that stood still (N05). */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.until <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.until > this.#nowMs);
    for (const sleeper of due) sleeper.wake();
  }

  /** Runs what was put off to the end of the turn. Returns false when there was nothing. */
  runDeferred(): boolean {
    const tasks = this.#deferred;
    this.#deferred = [];
    for (const task of tasks) task();
    return tasks.length > 0;
  }

  /** The process died: nobody of it wakes again. Time itself goes on. */
  forgetSleepers(): void {
    this.#sleepers = [];
    this.#deferred = [];
  }
}
