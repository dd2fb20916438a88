/** How a wait ended. */
export type WaitEnd = 'applied' | 'late' | 'stopped';

interface Waiter {
  readonly index: number;
  /** Clock reading (ms). */
  readonly deadline: number;
  readonly resume: (end: WaitEnd) => void;
}

/** Reads that wait until the state machine has come as far as their read index. */
export class AppliedWaiters {
  #waiting: Waiter[] = [];
  #isClosed = false;

  get size(): number {
    return this.#waiting.length;
  }

  /** After failAll nothing is applied any more, so nobody is left to wait for it. */
  add(waiter: Waiter): void {
    if (this.#isClosed) waiter.resume('stopped');
    else this.#waiting.push(waiter);
  }

  /** Everything through `index` is applied. */
  onApplied(index: number): void {
    this.#release((waiter) => waiter.index <= index, 'applied');
  }

  expire(now: number): void {
    this.#release((waiter) => waiter.deadline <= now, 'late');
  }

  failAll(): void {
    this.#isClosed = true;
    this.#release(() => true, 'stopped');
  }

  #release(isDue: (waiter: Waiter) => boolean, end: WaitEnd): void {
    if (!this.#waiting.some(isDue)) return;
    const due = this.#waiting.filter(isDue);
    this.#waiting = this.#waiting.filter((waiter) => !isDue(waiter));
    for (const waiter of due) waiter.resume(end);
  }
}
