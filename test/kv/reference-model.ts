import { type Key, endOf } from '../../src/kv/key.js';
import {
  type Compare,
  CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from '../../src/kv/wire/requests.js';

/*
 * etcd's key space as its documentation tells it, with no thought of speed: all history in one list, and every question
 * answered by going through it from the beginning. What it answers are message objects as protobufjs takes them.
 */

interface Change {
  readonly main: number;
  readonly sub: number;
  readonly key: Key;
  /** null: a deletion. */
  readonly value: Buffer | null;
}

interface Kv {
  readonly key: Key;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
  readonly value: Buffer;
}

export type Message = Record<string, unknown>;

/** What the model says: a message without its top-level header, or the code of an error. */
export type Answer = { readonly revision: number; readonly message: Message } | string;

class Refusal extends Error {}

const SORT_TARGETS = ['key', 'version', 'create', 'mod', 'value'] as const;

export class ReferenceModel {
  revision = 1;
  compactRevision = -1;
  #changes: Change[] = [];

  range(request: RangeRequest): Answer {
    return this.#answer(() => this.#range(request));
  }

  put(request: PutRequest): Answer {
    return this.#answer(() => {
      if (request.lease !== 0n) throw new Refusal('KV_LEASE_NOT_FOUND');
      return this.#put(request);
    });
  }

  deleteRange(request: DeleteRangeRequest): Answer {
    return this.#answer(() => this.#deleteRange(request));
  }

  txn(request: TxnRequest): Answer {
    return this.#answer(() => {
      const path = this.#choose(request);
      this.#checkPuts(request, [...path]);
      this.#checkRanges(request, [...path]);
      return this.#runTxn(request, path);
    });
  }

  compact(revision: number): Answer {
    return this.#answer(() => {
      if (revision <= this.compactRevision) throw new Refusal('KV_COMPACTED');
      if (revision > this.revision) throw new Refusal('KV_FUTURE_REVISION');
      this.compactRevision = revision;
      return {};
    });
  }

  /** The revisions, as main.sub, that compaction leaves. */
  kept(): string[] {
    const kept: Change[] = [];
    for (const key of new Set(this.#changes.map((change) => change.key))) {
      const all = this.#changes.filter((change) => change.key === key);
      const past = all.filter((change) => change.main <= this.compactRevision);
      const deletionThere = past.findIndex((change) => change.main === this.compactRevision && change.value === null);
      const newest = past.at(-1);
      if (deletionThere >= 0) kept.push(...past.slice(deletionThere));
      else if (newest !== undefined && newest.value !== null) kept.push(newest);
      kept.push(...all.filter((change) => change.main > this.compactRevision));
    }
    return kept.map(({ main, sub }) => `${main}.${sub}`).sort();
  }

  #answer(run: () => Message): Answer {
    const before = [...this.#changes];
    try {
      const message = run();
      this.revision = this.#visible();
      return { revision: this.revision, message };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#changes = before;
      return error.message;
    }
  }

  /** The revision that the changes so far have made. */
  #visible(): number {
    return Math.max(this.revision, ...this.#changes.map((change) => change.main));
  }

  #stateAt(revision: number): Kv[] {
    const state = new Map<Key, Kv>();
    for (const { main, key, value } of this.#changes) {
      if (main > revision) continue;
      const before = state.get(key);
      if (value === null) state.delete(key);
      else
        state.set(key, { key, value, mod: main, create: before?.create ?? main, version: (before?.version ?? 0) + 1 });
    }
    return [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #select(key: Key, rangeEnd: Key, revision: number): Kv[] {
    const end = endOf(key, rangeEnd);
    return this.#stateAt(revision).filter((kv) => kv.key >= key && (end === null || kv.key < end));
  }

  #change(key: Key, value: Buffer | null): void {
    const main = this.revision + 1;
    const sub = this.#changes.filter((change) => change.main === main).length;
    this.#changes.push({ main, sub, key, value });
  }

  #range(request: RangeRequest): Message {
    const current = this.#visible();
    if (request.revision > current) throw new Refusal('KV_FUTURE_REVISION');
    const at = request.revision <= 0 ? current : request.revision;
    if (at < this.compactRevision) throw new Refusal('KV_COMPACTED');
    const all = this.#select(request.key, request.rangeEnd, at);
    if (request.countOnly) return rangeResponse([], false, all.length);

    const target = SORT_TARGETS[request.sortTarget];
    const hasFilter = [
      request.minModRevision,
      request.maxModRevision,
      request.minCreateRevision,
      request.maxCreateRevision,
    ].some((bound) => bound !== 0);
    let kvs = all;
    if (request.limit > 0 && request.sortOrder === 0 && !hasFilter) kvs = kvs.slice(0, request.limit + 1);
    if (request.maxModRevision !== 0) kvs = kvs.filter((kv) => kv.mod <= request.maxModRevision);
    if (request.minModRevision !== 0) kvs = kvs.filter((kv) => kv.mod >= request.minModRevision);
    if (request.maxCreateRevision !== 0) kvs = kvs.filter((kv) => kv.create <= request.maxCreateRevision);
    if (request.minCreateRevision !== 0) kvs = kvs.filter((kv) => kv.create >= request.minCreateRevision);
    if (target !== undefined && [0, 1, 2].includes(request.sortOrder)) {
      const sign = request.sortOrder === 2 ? -1 : 1;
      kvs = [...kvs].sort((a, b) => sign * order(a[target], b[target]));
    }
    const more = request.limit > 0 && kvs.length > request.limit;
    if (more) kvs = kvs.slice(0, request.limit);
    const kvMessages = kvs.map((kv) => kvMessage(request.keysOnly ? { ...kv, value: Buffer.alloc(0) } : kv));
    return rangeResponse(kvMessages, more, all.length);
  }

  #put(request: PutRequest): Message {
    const [previous] = this.#select(request.key, '', this.#visible());
    if ((request.ignoreValue || request.ignoreLease) && previous === undefined) throw new Refusal('KV_KEY_NOT_FOUND');
    this.#change(request.key, request.ignoreValue && previous !== undefined ? previous.value : request.value);
    return request.prevKv && previous !== undefined ? { prev_kv: kvMessage(previous) } : {};
  }

  #deleteRange(request: DeleteRangeRequest): Message {
    const found = this.#select(request.key, request.rangeEnd, this.#visible());
    for (const kv of found) this.#change(kv.key, null);
    return {
      ...(found.length > 0 ? { deleted: found.length } : {}),
      ...(request.prevKv ? { prev_kvs: found.map(kvMessage) } : {}),
    };
  }

  /** For the transaction and then, depth first, for each nested one on the way: whether it succeeds. */
  #choose(request: TxnRequest): boolean[] {
    const succeeded = request.compare.every((compare) => this.#holds(compare));
    const path = [succeeded];
    for (const operation of succeeded ? request.success : request.failure) {
      if (operation.kind === 'txn') path.push(...this.#choose(operation.request));
      if (operation.kind === 'empty') throw new Refusal('KV_KEY_NOT_FOUND');
    }
    return path;
  }

  #holds(compare: Compare): boolean {
    const found = this.#select(compare.key, compare.rangeEnd, this.revision);
    if (found.length === 0) {
      if (compare.target === CompareTarget.value) return false;
      return compareKv(compare, { key: '', create: 0, mod: 0, version: 0, value: Buffer.alloc(0) });
    }
    return found.every((kv) => compareKv(compare, kv));
  }

  #checkPuts(request: TxnRequest, path: boolean[]): void {
    for (const operation of branch(request, path)) {
      if (operation.kind === 'txn') this.#checkPuts(operation.request, path);
      if (operation.kind !== 'put') continue;
      const put = operation.request;
      const isAbsent = this.#select(put.key, '', this.revision).length === 0;
      if ((put.ignoreValue || put.ignoreLease) && isAbsent) throw new Refusal('KV_KEY_NOT_FOUND');
      if (put.lease !== 0n) throw new Refusal('KV_LEASE_NOT_FOUND');
    }
  }

  #checkRanges(request: TxnRequest, path: boolean[]): void {
    for (const operation of branch(request, path)) {
      if (operation.kind === 'txn') this.#checkRanges(operation.request, path);
      if (operation.kind !== 'range' || operation.request.revision === 0) continue;
      if (operation.request.revision > this.revision) throw new Refusal('KV_FUTURE_REVISION');
      if (operation.request.revision < this.compactRevision) throw new Refusal('KV_COMPACTED');
    }
  }

  #runTxn(request: TxnRequest, path: boolean[]): Message {
    const succeeded = path[0] as boolean;
    const responses = branch(request, path).map((operation) => this.#runOperation(operation, path));
    return { ...(succeeded ? { succeeded } : {}), responses };
  }

  #runOperation(operation: RequestOp, path: boolean[]): Message {
    const withHeader = (message: Message): Message => ({ header: { revision: this.#visible() }, ...message });
    switch (operation.kind) {
      case 'range':
        return { response_range: withHeader(this.#range(operation.request)) };
      case 'put':
        return { response_put: withHeader(this.#put(operation.request)) };
      case 'deleteRange': {
        const message = this.#deleteRange(operation.request);
        return { response_delete_range: withHeader(message) };
      }
      case 'txn':
        return { response_txn: { header: {}, ...this.#runTxn(operation.request, path) } };
      case 'empty':
        throw new Refusal('KV_KEY_NOT_FOUND');
    }
  }
}

/** Takes the first decision off the path. */
function branch(request: TxnRequest, path: boolean[]): readonly RequestOp[] {
  return path.shift() === true ? request.success : request.failure;
}

function compareKv(compare: Compare, kv: Kv): boolean {
  const signs: Record<number, number> = {
    [CompareTarget.version]: order(kv.version, compare.number),
    [CompareTarget.create]: order(kv.create, compare.number),
    [CompareTarget.mod]: order(kv.mod, compare.number),
    [CompareTarget.value]: order(kv.value, compare.value),
    [CompareTarget.lease]: order(0, Number(compare.lease)),
  };
  const sign = signs[compare.target] ?? 0;
  if (compare.result === CompareResult.equal) return sign === 0;
  if (compare.result === CompareResult.greater) return sign > 0;
  if (compare.result === CompareResult.less) return sign < 0;
  return compare.result === CompareResult.notEqual ? sign !== 0 : true;
}

function order(a: number | Key | Buffer, b: number | Key | Buffer): number {
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function rangeResponse(kvs: Message[], more: boolean, count: number): Message {
  return { kvs, ...(more ? { more } : {}), ...(count > 0 ? { count } : {}) };
}

function kvMessage(kv: Kv): Message {
  return {
    key: Buffer.from(kv.key, 'latin1'),
    create_revision: kv.create,
    mod_revision: kv.mod,
    version: kv.version,
    ...(kv.value.length > 0 ? { value: kv.value } : {}),
  };
}
