import type { KeyHistory } from './key-history.js';
import { decodeKeyValue } from './wire/key-value.js';
import { type RangeRequest, SortOrder, SortTarget } from './wire/requests.js';

/** Whether a key as of one change in its history passes the four bounds of a range. */
export function passesFilters(request: RangeRequest, history: KeyHistory, position: number): boolean {
  const mod = history.main(position);
  const create = history.create(position);
  return (
    (request.minModRevision === 0 || mod >= request.minModRevision) &&
    (request.maxModRevision === 0 || mod <= request.maxModRevision) &&
    (request.minCreateRevision === 0 || create >= request.minCreateRevision) &&
    (request.maxCreateRevision === 0 || create <= request.maxCreateRevision)
  );
}

export function hasFilters(request: RangeRequest): boolean {
  return (
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0
  );
}

/** The order a range is answered in. */
export interface RangeOrder {
  /** SortTarget.key stands for key order, in which the index is read anyway. */
  readonly target: number;
  readonly isDescending: boolean;
}

/** Sort numbers that nobody knows do nothing, as in etcd up to 3.5. A target without an order means ascending. */
export function orderOf(request: RangeRequest): RangeOrder {
  const { sortOrder, sortTarget } = request;
  const isKnown = sortTarget >= SortTarget.key && sortTarget <= SortTarget.value && sortOrder >= 0;
  if (!isKnown || sortOrder > SortOrder.descend) return { target: SortTarget.key, isDescending: false };
  return { target: sortTarget, isDescending: sortOrder === SortOrder.descend };
}

/**
 * Positions in the order asked for, of things that are in key order now. Equal ones stay in key order, also when it
 * descends.
 *
 * @param keys what to sort by: as many numbers or values as there are things; ignored for the target key
 */
export function sortedPositions(order: RangeOrder, count: number, keys: readonly (number | Buffer)[]): number[] {
  const positions = Array.from({ length: count }, (_, position) => position);
  if (order.target === SortTarget.key) return order.isDescending ? positions.reverse() : positions;
  const sign = order.isDescending ? -1 : 1;
  return positions.sort((a, b) => sign * compareSortKeys(keys[a], keys[b]));
}

/** What sorting by `target` looks at, except for values. */
export function sortNumber(target: number, history: KeyHistory, position: number): number {
  if (target === SortTarget.version) return history.version(position);
  return target === SortTarget.create ? history.create(position) : history.main(position);
}

/** The value in an encoded KeyValue. */
export function valueOf(kv: Buffer): Buffer {
  return decodeKeyValue(kv).value;
}

function compareSortKeys(a: number | Buffer | undefined, b: number | Buffer | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(a as Buffer, b as Buffer);
}
