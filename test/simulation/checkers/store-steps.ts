import {
  type Compare,
  type KeyValue,
  type Request,
  type Result,
  type SimpleRequest,
  holds,
  isWithin,
} from './kv-model.js';

/** What checker B knows of a key: etcd's revisions are not its business. */
interface Held {
  readonly value: string;
  readonly version: number;
}

/** A state of the store in checker B's search. Never changed once made. */
export class StoreState {
  /** Equal for equal states. */
  readonly identity: string;

  constructor(readonly held: ReadonlyMap<string, Held>) {
    const parts = [...held].map(([key, { value, version }]) => `${key}=${value}#${version}`);
    this.identity = parts.sort().join(' ');
  }
}

export const emptyStore = new StoreState(new Map());

/**
 * The states that `request` may lead to when its answer is `result`; none when that cannot be the answer in `state`.
 * Without an answer (null) it may be more than one, where a compare looks at revisions.
 */
export function step(state: StoreState, request: Request, result: Result | null): readonly StoreState[] {
  if (request.kind === 'compact') return [state];
  if (request.kind !== 'txn') return asList(runAll(state, [request], result && [result]));
  if (result !== null && result.kind !== 'txn') return [];
  const outcomes = result ? [result.succeeded] : [true, false];
  const next: StoreState[] = [];
  for (const succeeded of outcomes) {
    if (!mayComeTo(succeeded, request.compares, state)) continue;
    const after = runAll(state, succeeded ? request.success : request.failure, result && result.results);
    if (after) next.push(after);
  }
  return next;
}

/** Whether the compares can have come to `succeeded`. What they say about revisions may be true or not. */
function mayComeTo(succeeded: boolean, compares: readonly Compare[], state: StoreState): boolean {
  let isOpen = false;
  for (const compare of compares) {
    const held = state.held.get(compare.key);
    const looksAtRevision = compare.target === 'createRevision' || compare.target === 'modRevision';
    // Revision 0 is a missing key, which is known here; other revisions are not.
    if (looksAtRevision && held !== undefined && compare.operand !== 0) {
      isOpen = true;
      continue;
    }
    const pair = held && { key: compare.key, ...held, createRevision: 1, modRevision: 1 };
    if (!holds(compare, pair)) return !succeeded;
  }
  return succeeded || isOpen;
}

function runAll(
  state: StoreState,
  requests: readonly SimpleRequest[],
  results: readonly Result[] | null,
): StoreState | null {
  if (results && results.length !== requests.length) return null;
  let held: Map<string, Held> | null = null;
  const current = (): ReadonlyMap<string, Held> => held ?? state.held;
  for (const [position, request] of requests.entries()) {
    if (!isAnswer(current(), request, results?.[position] ?? null)) return null;
    if (request.kind === 'range') continue;
    held ??= new Map(state.held);
    if (request.kind === 'put') {
      const version = (held.get(request.key)?.version ?? 0) + 1;
      held.set(request.key, { value: request.value, version });
    } else {
      for (const key of within(held, request.key, request.end)) held.delete(key);
    }
  }
  return held === null ? state : new StoreState(held);
}

/** Whether `result` is what `request` must be told when the store holds `held`. */
function isAnswer(held: ReadonlyMap<string, Held>, request: SimpleRequest, result: Result | null): boolean {
  if (result === null) return true;
  switch (request.kind) {
    case 'put':
      return (
        result.kind === 'put' && areHeld(held, held.has(request.key) ? [request.key] : [], asList(result.previous))
      );
    case 'delete': {
      const keys = within(held, request.key, request.end);
      return result.kind === 'delete' && result.deleted === keys.length && areHeld(held, keys, result.previous);
    }
    case 'range': {
      const keys = within(held, request.key, request.end);
      const shown = request.limit > 0 ? keys.slice(0, request.limit) : keys;
      if (result.kind !== 'range' || result.count !== keys.length) return false;
      return result.more === shown.length < keys.length && areHeld(held, shown, result.kvs);
    }
  }
}

function areHeld(held: ReadonlyMap<string, Held>, keys: readonly string[], kvs: readonly KeyValue[]): boolean {
  if (keys.length !== kvs.length) return false;
  return kvs.every((pair, position) => {
    const expected = held.get(pair.key);
    return pair.key === keys[position] && pair.value === expected?.value && pair.version === expected.version;
  });
}

function within(held: ReadonlyMap<string, Held>, start: string, end: string | null): string[] {
  if (end === null) return held.has(start) ? [start] : [];
  return [...held.keys()].filter((key) => isWithin(key, start, end)).sort();
}

function asList<T>(value: T | null): T[] {
  return value === null ? [] : [value];
}
