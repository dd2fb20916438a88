/** A condition variable: wait until somebody says that something may have changed, then look again. */
export class Condition {
  #waiters: (() => void)[] = [];

  /** Resolves at the next notifyAll. The caller checks its predicate again, as after any wait. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Wakes all who wait now. Those who wait later are not woken. */
  notifyAll(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
