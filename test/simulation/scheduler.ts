import { asError } from '../../src/lib/errors.js';
import { EventHeap, type SimEvent } from './event-heap.js';
import type { Machine } from './machine.js';
import type { SeededRandom } from './random.js';
import { TraceHash } from './trace-hash.js';

/** One event that schedules more than this is taken for an endless loop. */
const MAX_CALLS_PER_EVENT = 200_000;
/** So often the real event loop gets its turn: unhandled rejections are reported, signals are heard. */
const EVENTS_PER_TURN = 128;

export interface SchedulerOptions {
  readonly random: SeededRandom;
  /** Called for each event before it happens, when a trace was asked for. */
  readonly trace?: (line: string) => void;
}

/**
 * Virtual time: a heap of events, one after the other, each followed by all the promise continuations it set free.
 * Nothing in here depends on the machine it runs on, so a seed decides everything.
 */
export class Scheduler {
  /** Virtual milliseconds since the start of the simulation. */
  nowMs = 0;
  /** Events that have happened. */
  count = 0;
  readonly hash = new TraceHash();
  /** Called when an event and all its continuations are done, with the machine it belonged to. */
  afterEvent: (machine: Machine | null) => void = () => {};
  readonly #heap = new EventHeap();
  readonly #random: SeededRandom;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #labels = new Map<string, number>();
  /** What came for a machine while it was paused. */
  readonly #backlog = new Map<Machine, SimEvent[]>();
  #sequence = 0;
  #callsOfThisEvent = 0;
  #running = false;
  #failure: Error | null = null;

  constructor(options: SchedulerOptions) {
    this.#random = options.random;
    this.#trace = options.trace;
  }

  get pending(): number {
    return this.#heap.size;
  }

  /** An event of the world's own: a fault, a client, the end of a phase. */
  after(delayMs: number, label: string, run: () => void): SimEvent {
    return this.#push(delayMs, null, null, label, run);
  }

  /** Something inside the process that runs on `machine` now (or ran as `boot`): it dies with the process. */
  afterOn(machine: Machine, boot: number, delayMs: number, label: string, run: () => void): SimEvent {
    return this.#push(delayMs, machine, boot, label, run);
  }

  /** Something that comes to `machine` from outside, for whichever process runs there then. */
  arriveAt(machine: Machine, delayMs: number, label: string, run: () => void): SimEvent {
    return this.#push(delayMs, machine, null, label, run);
  }

  cancel(event: SimEvent): void {
    event.run = null;
  }

  /** What came for `machine` during its pause happens now, in the order in which it came. */
  resume(machine: Machine): void {
    const missed = this.#backlog.get(machine) ?? [];
    this.#backlog.delete(machine);
    for (const [position, event] of missed.entries()) {
      event.timeMs = this.nowMs;
      event.tie = position - missed.length;
      this.#heap.push(event);
    }
  }

  /** A process died while paused: what had come for it is lost, but not what comes for the next one. */
  dropBacklog(machine: Machine): void {
    this.#backlog.delete(machine);
  }

  /** Lets the run end with `failure` once the current event is over. The first one counts. */
  fail(failure: Error): void {
    this.#failure ??= failure;
  }

  /** Shows in the trace what is not an event of its own. */
  note(text: string): void {
    this.#trace?.(`${this.nowMs.toFixed(3).padStart(12)}  ${text}`);
  }

  get tracing(): boolean {
    return this.#trace !== undefined;
  }

  /**
   * Runs events until `done` says so (asked after each event), until `limitMs` of virtual time, or until nothing is left.
   * Rejects with whatever an event threw or `fail` was given.
   */
  run(limitMs: number, done: () => boolean = () => false): Promise<'done' | 'limit' | 'idle'> {
    if (this.#running) throw new Error('the scheduler is running already');
    this.#running = true;
    return new Promise<'done' | 'limit' | 'idle'>((resolve, reject) => {
      let last: SimEvent | null = null;
      let turn = 0;
      const finish = (outcome: 'done' | 'limit' | 'idle'): void => {
        this.#running = false;
        resolve(outcome);
      };
      const step = (): void => {
        try {
          if (last) this.afterEvent(last.machine);
          if (this.#failure) throw this.#failure;
          if (done()) return finish('done');
          last = this.#next(limitMs);
          if (last === null) return finish(this.#heap.size === 0 ? 'idle' : 'limit');
          this.#happen(last);
        } catch (error) {
          this.#running = false;
          reject(asError(error));
          return;
        }
        // A tick queued by a microtask runs when no microtask is left: by then every continuation has had its turn.
        if (++turn % EVENTS_PER_TURN === 0) setImmediate(step);
        else queueMicrotask(() => process.nextTick(step));
      };
      setImmediate(step);
    });
  }

  /** The next event that really happens within the limit; time moves to it. */
  #next(limitMs: number): SimEvent | null {
    for (;;) {
      const event = this.#heap.peek();
      if (event === undefined || event.timeMs > limitMs) {
        this.nowMs = Math.max(this.nowMs, Math.min(limitMs, event?.timeMs ?? this.nowMs));
        return null;
      }
      this.#heap.pop();
      this.nowMs = event.timeMs;
      if (event.run === null) continue;
      if (event.machine === null) return event;
      if (event.machine.status === 'down') continue;
      if (event.boot !== null && event.boot !== event.machine.boot) continue;
      if (event.machine.status === 'up') return event;
      const backlog = this.#backlog.get(event.machine);
      if (backlog) backlog.push(event);
      else this.#backlog.set(event.machine, [event]);
    }
  }

  #happen(event: SimEvent): void {
    this.count++;
    this.#callsOfThisEvent = 0;
    this.hash.addNumber(event.timeMs);
    this.hash.addWord(this.#labelCode(event.label) * 64 + (event.machine?.index ?? 63));
    if (this.#trace) {
      this.#trace(`${event.timeMs.toFixed(3).padStart(12)}  ${event.machine?.name ?? '-'} ${event.label}`);
    }
    event.run?.();
  }

  #push(delayMs: number, machine: Machine | null, boot: number | null, label: string, run: () => void): SimEvent {
    if (!(delayMs >= 0)) throw new RangeError(`delay of '${label}' is ${delayMs}, expected 0 or more milliseconds`);
    if (++this.#callsOfThisEvent > MAX_CALLS_PER_EVENT) {
      const failure = new Error(`one event led to more than ${MAX_CALLS_PER_EVENT} others: '${label}' loops`);
      this.fail(failure);
      throw failure;
    }
    const event: SimEvent = {
      timeMs: this.nowMs + delayMs,
      tie: this.#random.word(),
      sequence: this.#sequence++,
      machine,
      boot,
      label,
      run,
    };
    this.#heap.push(event);
    return event;
  }

  #labelCode(label: string): number {
    let code = this.#labels.get(label);
    if (code === undefined) {
      code = this.#labels.size;
      this.#labels.set(label, code);
    }
    return code;
  }
}
