import { compacted, futureRevision } from './errors.js';
import type { KeyHistory } from './key-history.js';
import { type Key, endOf, keyAfter } from './key.js';
import type { Mvcc } from './mvcc.js';
import {
  type RangeOrder,
  hasFilters,
  orderOf,
  passesFilters,
  sortNumber,
  sortedPositions,
  valueOf,
} from './range-order.js';
import type { KvResult } from './results.js';
import { keyValueWithoutValue } from './wire/key-value.js';
import { type RangeRequest, SortOrder, SortTarget } from './wire/requests.js';
import { encodeRangeBody } from './wire/responses.js';

/** A step ends early when it has read this much: a few large values take as long as many small ones. */
const STEP_BYTES = 4 * 1024 * 1024;

const NONE: readonly Buffer[] = [];
const EMPTY_RANGE: Buffer = encodeRangeBody(NONE, false, 0);
const ONE_KEY: Buffer = encodeRangeBody(NONE, false, 1);

/** The revision that a range reads at. @throws KvError KV_COMPACTED, KV_FUTURE_REVISION */
export function readRevision(mvcc: Mvcc, requested: number): number {
  const current = mvcc.visibleRevision;
  if (requested > current) throw futureRevision(requested, current);
  if (requested <= 0) return current;
  if (requested < mvcc.compactRevision) throw compacted(requested, mvcc.compactRevision);
  return requested;
}

/** A range that is answered step by step. Whoever does not see it through must close it. */
export interface SlicedRange {
  /** Goes over at most `maxKeys` more keys. Null: call again. The answer comes once, and closes the range. */
  step(maxKeys: number): KvResult | null;
  /** Gives the range up, or does nothing after its end. */
  close(): void;
}

/** Begins a range. That of a single key has its answer already. @throws KvError KV_COMPACTED, KV_FUTURE_REVISION */
export function openRange(mvcc: Mvcc, request: RangeRequest): SlicedRange {
  if (request.rangeEnd !== '') return new RangeRead(mvcc, request);
  const result = { revision: mvcc.visibleRevision, body: readOne(mvcc, request) };
  return { step: () => result, close() {} };
}

/** Answers a range in one go: RangeResponse without its header. @throws KvError KV_COMPACTED, KV_FUTURE_REVISION */
export function readRange(mvcc: Mvcc, request: RangeRequest): Buffer {
  if (request.rangeEnd === '') return readOne(mvcc, request);
  const read = new RangeRead(mvcc, request);
  try {
    return read.finish();
  } finally {
    read.close();
  }
}

function readOne(mvcc: Mvcc, request: RangeRequest): Buffer {
  const at = readRevision(mvcc, request.revision);
  const history = mvcc.index.find(request.key);
  const position = history === undefined ? -1 : history.positionAt(at);
  if (history === undefined || position < 0 || history.version(position) === 0) return EMPTY_RANGE;
  if (request.countOnly || !passesFilters(request, history, position)) return ONE_KEY;
  const kv = mvcc.read(history, position);
  return encodeRangeBody([request.keysOnly ? keyValueWithoutValue(kv) : kv], false, 1);
}

/**
 * One range over an interval, answered in slices so that a large one does not hold everything else up. It sees the store
 * as it was when it began, whatever happens between its steps: its revision is pinned until it is closed.
 */
class RangeRead implements SlicedRange {
  readonly #mvcc: Mvcc;
  readonly #request: RangeRequest;
  readonly #order: RangeOrder;
  /** Exclusive; null: up to the last key. */
  readonly #end: Key | null;
  /** For the header: the current revision when the read began. */
  readonly #revision: number;
  readonly #at: number;
  /** How many keys are wanted before they are sorted and cut. */
  readonly #wanted: number;
  /** Where the scan goes on; null when it is done. */
  #next: Key | null;
  #count = 0;
  /** Whether #count is final already. */
  readonly #isCounted: boolean = false;
  /** What the scan has picked: main, sub, main, sub, ... in key order. */
  readonly #picked: number[] = [];
  readonly #sortKeys: (number | Buffer)[] = [];
  /** The picked ones to answer with, in order, as positions. Null until the scan is done. */
  #answer: number[] | null = null;
  #more = false;
  readonly #kvs: Buffer[] = [];
  #isOpen = true;

  /** @throws KvError KV_COMPACTED, KV_FUTURE_REVISION */
  constructor(mvcc: Mvcc, request: RangeRequest) {
    this.#mvcc = mvcc;
    this.#request = request;
    this.#order = orderOf(request);
    this.#end = endOf(request.key, request.rangeEnd);
    this.#at = readRevision(mvcc, request.revision);
    this.#revision = mvcc.visibleRevision;
    this.#wanted = keysWanted(request);
    this.#next = request.key;
    if (mvcc.everyKeyIsLive && this.#at === this.#revision) {
      this.#count = mvcc.index.count(request.key, this.#end);
      this.#isCounted = true;
    }
    mvcc.pin(this.#at);
  }

  step(maxKeys: number): KvResult | null {
    const body = this.#step(maxKeys);
    return body === null ? null : { revision: this.#revision, body };
  }

  #step(maxKeys: number): Buffer | null {
    if (!this.#isOpen) throw new Error('this range has been answered or closed');
    if (this.#answer === null) {
      this.#scan(maxKeys);
      if (this.#next !== null) return null;
      this.#answer = this.#choose();
      if (this.#answer.length > maxKeys) return null;
    }
    if (!this.#read(this.#answer, maxKeys)) return null;
    this.close();
    return encodeRangeBody(this.#kvs, this.#more, this.#count);
  }

  finish(): Buffer {
    for (;;) {
      const result = this.#step(Infinity);
      if (result !== null) return result;
    }
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#mvcc.unpin(this.#at);
  }

  #scan(maxKeys: number): void {
    const from = this.#next;
    if (from === null) return;
    this.#next = null;
    if (this.#isCounted && this.#hasEnough()) return;
    let left = maxKeys;
    this.#mvcc.index.visit(from, this.#end, (key, history) => {
      this.#visit(history);
      if (this.#isCounted && this.#hasEnough()) return true;
      if (--left > 0) return false;
      this.#next = keyAfter(key);
      return true;
    });
  }

  #visit(history: KeyHistory): void {
    const position = history.positionAt(this.#at);
    if (position < 0 || history.version(position) === 0) return;
    if (!this.#isCounted) this.#count++;
    if (this.#hasEnough() || !passesFilters(this.#request, history, position)) return;
    const main = history.main(position);
    const sub = history.sub(position);
    this.#picked.push(main, sub);
    const { target } = this.#order;
    if (target === SortTarget.value) this.#sortKeys.push(valueOf(this.#mvcc.records.read(main, sub)));
    else if (target !== SortTarget.key) this.#sortKeys.push(sortNumber(target, history, position));
  }

  #hasEnough(): boolean {
    return this.#picked.length >= this.#wanted * 2;
  }

  /** Sorts what the scan has picked and cuts it to the limit. */
  #choose(): number[] {
    const { limit } = this.#request;
    const positions = sortedPositions(this.#order, this.#picked.length / 2, this.#sortKeys);
    this.#more = limit > 0 && positions.length > limit;
    return this.#more ? positions.slice(0, limit) : positions;
  }

  /** @returns whether everything to answer with has been read */
  #read(answer: readonly number[], maxKeys: number): boolean {
    let left = maxKeys;
    let bytes = 0;
    while (this.#kvs.length < answer.length) {
      if (left-- <= 0 || (bytes > STEP_BYTES && maxKeys !== Infinity)) return false;
      const picked = 2 * (answer[this.#kvs.length] as number);
      const kv = this.#mvcc.records.read(this.#picked[picked] as number, this.#picked[picked + 1] as number);
      this.#kvs.push(this.#request.keysOnly ? keyValueWithoutValue(kv) : kv);
      bytes += kv.length;
    }
    return true;
  }
}

/**
 * With a limit, one key more than it, to tell whether there are more. To be sorted the whole interval is wanted, but as in
 * etcd only if an order is asked for or something is filtered: a target alone sorts no more than the first keys.
 */
function keysWanted(request: RangeRequest): number {
  if (request.countOnly) return 0;
  const { limit } = request;
  if (limit <= 0) return Infinity;
  if (request.sortOrder === SortOrder.none && !hasFilters(request)) return limit + 1;
  const order = orderOf(request);
  return order.target === SortTarget.key && !order.isDescending ? limit + 1 : Infinity;
}
