import type { Recorded, Violation } from './history.js';
import { type Reply, changesStore, keysOf } from './kv-model.js';
import { type StoreState, emptyStore, step } from './store-steps.js';

/** Checker B gave up: the set-up of the test is too large. Never a pass. */
export class OutOfTimeError extends Error {}

/** States looked at before giving up. */
const DEFAULT_MAX_STATES = 500_000;

export interface SearchOptions {
  readonly maxStates?: number;
  /**
   * Where to look first: what operations without an answer are believed to have come to, by id. Like the revisions that
   * answers report, this changes how long the search takes, never what it finds.
   */
  readonly likelyReplies?: ReadonlyMap<number, Reply>;
}

/**
 * Checker B: is there an order of the operations that respects real time and gives every answer that was given? Searches as
 * Wing and Gong do, with Lowe's memo of (set of placed operations, state), one search per group of keys that no operation
 * connects (linearizability is local: Herlihy and Wing). It looks at keys, values and versions only, never at revisions.
 *
 * Operations that never returned may be placed anywhere after their beginning, or nowhere. Serializable reads and reads of
 * old revisions promise something else and are left to checker A.
 *
 * @throws OutOfTimeError when `maxStates` did not suffice.
 */
export function checkLinearizable(history: readonly Recorded[], options: SearchOptions = {}): Violation | null {
  const relevant = history.filter(({ request, reply, serializable }) => {
    if (serializable || request.kind === 'compact' || reply?.result.kind === 'error') return false;
    if (request.kind === 'range') return request.revision === 0 && reply !== null;
    return true;
  });
  for (const group of groupsByKey(relevant)) {
    const violation = new Search(group, options).run();
    if (violation) return violation;
  }
  return null;
}

/** Operations that share a key, directly or through others, stay together. */
export function groupsByKey(history: readonly Recorded[]): Recorded[][] {
  const universe = [...new Set(history.flatMap(({ request }) => singleKeys(request)))].sort();
  const parent = new Map<string, string>(universe.map((key) => [key, key]));
  const root = (key: string): string => {
    let current = key;
    for (let next = parent.get(current); next !== undefined && next !== current; next = parent.get(current)) {
      current = next;
    }
    return current;
  };
  const touched = history.map(({ request }) => keysOf(request, universe));
  for (const keys of touched) for (const key of keys) parent.set(root(key), root(keys[0] as string));
  const groups = new Map<string, Recorded[]>();
  for (const [position, operation] of history.entries()) {
    const first = touched[position]?.[0];
    if (first === undefined) continue; // a range over keys that nobody ever named; checker A holds it to be empty
    const group = groups.get(root(first));
    if (group) group.push(operation);
    else groups.set(root(first), [operation]);
  }
  return [...groups.values()];
}

function singleKeys(request: Recorded['request']): string[] {
  if (request.kind === 'compact') return [];
  if (request.kind !== 'txn') return [request.key];
  return [...request.compares, ...request.success, ...request.failure].map(({ key }) => key);
}

/** A level of the search: what has been placed last, and what else could be placed instead. */
interface Level {
  readonly state: StoreState;
  readonly frontier: number;
  /** Operations that may come next, each with each state it may lead to. */
  readonly choices: readonly { readonly position: number; readonly state: StoreState }[];
  next: number;
  /** Placed on the way from this level to the one below. */
  placed: number;
}

class Search {
  /** Answered operations by invocation, then those without an answer. */
  readonly #operations: readonly Recorded[];
  readonly #answeredCount: number;
  /** What each is known, or believed, to have come to. */
  readonly #likely: readonly (Reply | null)[];
  /** Operations with a lower number are tried first. */
  readonly #likelyPlace: readonly number[];
  readonly #isPlaced: Uint8Array;
  readonly #seen = new Set<string>();
  readonly #maxStates: number;
  /** The longest prefix any order has reached: shown when there is no order. */
  #best: { count: number; stuck: Recorded[] } = { count: -1, stuck: [] };

  constructor(
    history: readonly Recorded[],
    { maxStates = DEFAULT_MAX_STATES, likelyReplies = new Map() }: SearchOptions,
  ) {
    const byInvocation = [...history].sort((a, b) => a.invokedAt - b.invokedAt);
    const answered = byInvocation.filter(({ returnedAt }) => returnedAt !== Infinity);
    this.#operations = [...answered, ...byInvocation.filter(({ returnedAt }) => returnedAt === Infinity)];
    this.#answeredCount = answered.length;
    this.#isPlaced = new Uint8Array(this.#operations.length);
    this.#likely = this.#operations.map(({ id, reply }) => reply ?? likelyReplies.get(id) ?? null);
    this.#likelyPlace = this.#likely.map((reply) => {
      if (reply === null) return Infinity;
      return 2 * reply.revision + (changesStore(reply.result) ? 0 : 1); // a read comes after the write it saw
    });
    this.#maxStates = maxStates;
  }

  run(): Violation | null {
    if (this.#answeredCount === 0) return null;
    const levels: Level[] = [this.#level(emptyStore, 0)];
    let placedCount = 0;
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      if (level.placed >= 0) {
        // Back from below: that way led nowhere.
        this.#isPlaced[level.placed] = 0;
        if (level.placed < this.#answeredCount) placedCount--;
        level.placed = -1;
      }
      const choice = level.choices[level.next++];
      if (choice === undefined) {
        levels.pop();
        continue;
      }
      this.#isPlaced[choice.position] = 1;
      const frontier = this.#advance(level.frontier);
      if (frontier === this.#answeredCount) return null;
      if (!this.#isNew(frontier, choice.state)) {
        this.#isPlaced[choice.position] = 0;
        continue;
      }
      level.placed = choice.position;
      if (choice.position < this.#answeredCount) placedCount++;
      const below = this.#level(choice.state, frontier);
      if (placedCount > this.#best.count) {
        this.#best = {
          count: placedCount,
          stuck: this.#candidates(frontier).map((at) => this.#operations[at] as Recorded),
        };
      }
      levels.push(below);
    }
    const reason = `no order of ${this.#operations.length} operations explains the answers; after ${this.#best.count} one of these is wrong`;
    return { reason, operations: this.#best.stuck };
  }

  #level(state: StoreState, frontier: number): Level {
    const choices = this.#candidates(frontier).flatMap((position) => {
      const { request, reply } = this.#operations[position] as Recorded;
      const likely = this.#likely[position]?.result ?? null;
      const next = [...step(state, request, likely)];
      // A belief only says what to try first.
      if (reply === null && likely !== null) {
        const tried = next[0]?.identity;
        next.push(...step(state, request, null).filter(({ identity }) => identity !== tried));
      }
      return next.map((after) => ({ position, state: after }));
    });
    return { state, frontier, choices, next: 0, placed: -1 };
  }

  /** Operations that began before any unplaced one ended, the likeliest first; those that never returned last. */
  #candidates(frontier: number): number[] {
    const operations = this.#operations;
    let firstReturn = Infinity;
    let candidates: number[] = [];
    for (let position = frontier; position < this.#answeredCount; position++) {
      const operation = operations[position] as Recorded;
      if (operation.invokedAt > firstReturn) break;
      if (this.#isPlaced[position] === 1) continue;
      candidates.push(position);
      firstReturn = Math.min(firstReturn, operation.returnedAt);
    }
    const began = (position: number): boolean => (operations[position] as Recorded).invokedAt < firstReturn;
    candidates = candidates.filter(began).sort((a, b) => this.#compare(a, b));
    for (let position = this.#answeredCount; position < operations.length && began(position); position++) {
      if (this.#isPlaced[position] === 0) candidates.push(position);
    }
    return candidates;
  }

  #compare(a: number, b: number): number {
    const [placeA, placeB] = [this.#likelyPlace[a] as number, this.#likelyPlace[b] as number];
    if (placeA !== placeB) return placeA - placeB;
    return (this.#operations[a] as Recorded).returnedAt - (this.#operations[b] as Recorded).returnedAt;
  }

  /** The first answered operation that is not placed. */
  #advance(frontier: number): number {
    let position = frontier;
    while (position < this.#answeredCount && this.#isPlaced[position] === 1) position++;
    return position;
  }

  /** The memo is exact: frontier, placed operations beyond it, placed ones without an answer, and the state. */
  #isNew(frontier: number, state: StoreState): boolean {
    let key = `${frontier}`;
    let firstReturn = Infinity;
    for (let position = frontier; position < this.#answeredCount; position++) {
      const operation = this.#operations[position] as Recorded;
      if (operation.invokedAt > firstReturn) break;
      if (this.#isPlaced[position] === 1) key += `,${position}`;
      else firstReturn = Math.min(firstReturn, operation.returnedAt);
    }
    for (let position = this.#answeredCount; position < this.#operations.length; position++) {
      if (this.#isPlaced[position] === 1) key += `?${position}`;
    }
    key += `|${state.identity}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > this.#maxStates) {
      throw new OutOfTimeError(`more than ${this.#maxStates} states for ${this.#operations.length} operations`);
    }
    return true;
  }
}
