import type { Machine } from './machine.js';

/** Something that happens at a moment of virtual time. */
export interface SimEvent {
  timeMs: number;
  /** Decides between events of the same moment; drawn from the seed. */
  tie: number;
  /** Decides when even the ties are equal. */
  readonly sequence: number;
  /** Whose event it is; null for the world's own. */
  readonly machine: Machine | null;
  /** The process it is meant for; null: whichever runs then, as for a message from the network. */
  readonly boot: number | null;
  readonly label: string;
  /** null once it has been cancelled. */
  run: (() => void) | null;
}

/** A binary heap, earliest event first. */
export class EventHeap {
  #events: SimEvent[] = [];

  get size(): number {
    return this.#events.length;
  }

  peek(): SimEvent | undefined {
    return this.#events[0];
  }

  push(event: SimEvent): void {
    const events = this.#events;
    let position = events.length;
    while (position > 0) {
      const parentPosition = (position - 1) >> 1;
      const parent = events[parentPosition] as SimEvent;
      if (isBefore(parent, event)) break;
      events[position] = parent;
      position = parentPosition;
    }
    events[position] = event;
  }

  pop(): SimEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || first === last) return first;
    const size = events.length;
    let position = 0;
    for (;;) {
      let childPosition = 2 * position + 1;
      if (childPosition >= size) break;
      let child = events[childPosition] as SimEvent;
      const right = events[childPosition + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childPosition++;
      }
      if (isBefore(last, child)) break;
      events[position] = child;
      position = childPosition;
    }
    events[position] = last;
    return first;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  if (a.timeMs !== b.timeMs) return a.timeMs < b.timeMs;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.sequence < b.sequence;
}
