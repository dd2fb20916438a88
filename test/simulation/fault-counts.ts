/** How often each class of fault has struck. Lost and doubled messages are counted apart from the grave ones. */
export class FaultCounts {
  /** Messages sent, requests and replies. */
  messages = 0;
  readonly #byClass = new Map<string, number>();

  add(fault: string, times = 1): void {
    this.#byClass.set(fault, (this.#byClass.get(fault) ?? 0) + times);
  }

  of(fault: string): number {
    return this.#byClass.get(fault) ?? 0;
  }

  /** By class, the most frequent first. */
  entries(): [string, number][] {
    return [...this.#byClass].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }

  merge(other: Iterable<readonly [string, number]>): void {
    for (const [fault, times] of other) this.add(fault, times);
  }
}
