/** A key with what etcd tells about it. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

export interface Compare {
  readonly key: string;
  readonly target: 'value' | 'version' | 'modRevision' | 'createRevision';
  readonly relation: '=' | '!=' | '<' | '>';
  /** A string for `value`, else a number. */
  readonly operand: string | number;
}

/** Puts and deletes always ask for the previous pairs. `end` null is the one key, otherwise [key, end). */
export type SimpleRequest =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string; readonly end: string | null }
  | {
      readonly kind: 'range';
      readonly key: string;
      readonly end: string | null;
      /** 0: the latest. */
      readonly revision: number;
      /** 0: all. */
      readonly limit: number;
    };

export type Request =
  | SimpleRequest
  | {
      readonly kind: 'txn';
      readonly compares: readonly Compare[];
      readonly success: readonly SimpleRequest[];
      readonly failure: readonly SimpleRequest[];
    }
  | { readonly kind: 'compact'; readonly revision: number };

export type Result =
  | { readonly kind: 'put'; readonly previous: KeyValue | null }
  | { readonly kind: 'delete'; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | { readonly kind: 'range'; readonly kvs: readonly KeyValue[]; readonly count: number; readonly more: boolean }
  | { readonly kind: 'txn'; readonly succeeded: boolean; readonly results: readonly Result[] }
  | { readonly kind: 'compact' }
  | { readonly kind: 'error'; readonly code: 'KV_COMPACTED' | 'KV_FUTURE_REVISION' };

export interface Reply {
  /** The store's revision after the operation, from the header; 0 with an error, which has no header. */
  readonly revision: number;
  readonly result: Result;
}

/** Whether whoever got this result changed the store. */
export function changesStore(result: Result): boolean {
  if (result.kind === 'put') return true;
  if (result.kind === 'delete') return result.deleted > 0;
  return result.kind === 'txn' && result.results.some(changesStore);
}

/** The keys an operation may touch, out of `universe`. */
export function keysOf(request: Request, universe: readonly string[]): readonly string[] {
  switch (request.kind) {
    case 'put':
      return [request.key];
    case 'delete':
    case 'range':
      return request.end === null ? [request.key] : universe.filter((key) => isWithin(key, request.key, request.end));
    case 'txn': {
      const parts = [...request.success, ...request.failure].flatMap((part) => keysOf(part, universe));
      return [...new Set([...request.compares.map(({ key }) => key), ...parts])];
    }
    case 'compact':
      return [];
  }
}

export function isWithin(key: string, start: string, end: string | null): boolean {
  return end === null ? key === start : key >= start && key < end;
}

/** etcd's key space, as simple as it can be written: what the real one is held against. Its keys are plain ASCII. */
export class KvModel {
  /** etcd's empty store is at revision 1. */
  revision = 1;
  compactedRevision = 0;
  readonly pairs = new Map<string, KeyValue>();

  /** Does it, and says what the client must be told. A range at an old revision is not looked up: it reads the latest. */
  apply(request: Request): Reply {
    const nextRevision = this.revision + 1;
    const result = request.kind === 'compact' ? this.#compact(request.revision) : this.#run(request, nextRevision);
    if (result.kind === 'error') return { revision: 0, result };
    if (changesStore(result)) this.revision = nextRevision;
    return { revision: this.revision, result };
  }

  #run(request: Exclude<Request, { kind: 'compact' }>, revision: number): Result {
    if (request.kind !== 'txn') return this.#runOne(request, revision);
    const succeeded = request.compares.every((compare) => holds(compare, this.pairs.get(compare.key)));
    const branch = succeeded ? request.success : request.failure;
    return { kind: 'txn', succeeded, results: branch.map((part) => this.#runOne(part, revision)) };
  }

  #runOne(request: SimpleRequest, revision: number): Result {
    if (request.kind === 'put') {
      const { key, value } = request;
      const previous = this.pairs.get(key) ?? null;
      const createRevision = previous?.createRevision ?? revision;
      const version = (previous?.version ?? 0) + 1;
      this.pairs.set(key, { key, value, createRevision, modRevision: revision, version });
      return { kind: 'put', previous };
    }
    const found = this.#within(request.key, request.end);
    if (request.kind === 'delete') {
      for (const { key } of found) this.pairs.delete(key);
      return { kind: 'delete', deleted: found.length, previous: found };
    }
    const kvs = request.limit > 0 ? found.slice(0, request.limit) : found;
    return { kind: 'range', kvs, count: found.length, more: kvs.length < found.length };
  }

  #within(start: string, end: string | null): KeyValue[] {
    const found = [...this.pairs.values()].filter(({ key }) => isWithin(key, start, end));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #compact(revision: number): Result {
    if (revision <= this.compactedRevision) return { kind: 'error', code: 'KV_COMPACTED' };
    if (revision > this.revision) return { kind: 'error', code: 'KV_FUTURE_REVISION' };
    this.compactedRevision = revision;
    return { kind: 'compact' };
  }
}

/** etcd compares a missing key as version, revisions 0; its value equals and differs from nothing. */
export function holds({ target, relation, operand }: Compare, pair: KeyValue | undefined): boolean {
  if (pair === undefined && target === 'value') return false;
  const actual = pair === undefined ? 0 : pair[target];
  switch (relation) {
    case '=':
      return actual === operand;
    case '!=':
      return actual !== operand;
    case '<':
      return actual < operand;
    case '>':
      return actual > operand;
  }
}
