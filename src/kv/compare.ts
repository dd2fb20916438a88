import type { KeyHistory } from './key-history.js';
import { endOf } from './key.js';
import type { Mvcc } from './mvcc.js';
import { decodeKeyValue } from './wire/key-value.js';
import { type Compare, CompareResult, CompareTarget } from './wire/requests.js';

/** Whether one condition of a transaction holds for every key it names. Against no key at all, all numbers are 0. */
export function holds(mvcc: Mvcc, compare: Compare): boolean {
  let isAnyLive = false;
  let holdsForAll = true;
  const judge = (history: KeyHistory): boolean => {
    if (!history.isLive) return false;
    isAnyLive = true;
    holdsForAll = matches(compare, compareStored(mvcc, compare, history));
    return !holdsForAll;
  };
  if (compare.rangeEnd === '') {
    const history = mvcc.findLive(compare.key);
    if (history !== undefined) judge(history);
  } else {
    mvcc.index.visit(compare.key, endOf(compare.key, compare.rangeEnd), (_key, history) => judge(history));
  }
  if (isAnyLive) return holdsForAll;
  // There is no value to compare with, not even an empty one.
  return compare.target !== CompareTarget.value && matches(compare, compareAbsent(compare));
}

/** Sign of what is stored minus what is given. */
function compareStored(mvcc: Mvcc, compare: Compare, history: KeyHistory): number {
  const { newest } = history;
  switch (compare.target) {
    case CompareTarget.version:
      return history.version(newest) - compare.number;
    case CompareTarget.create:
      return history.create(newest) - compare.number;
    case CompareTarget.mod:
      return history.main(newest) - compare.number;
    case CompareTarget.value:
      return Buffer.compare(decodeKeyValue(mvcc.readNewest(history)).value, compare.value);
    case CompareTarget.lease:
      return compareBigints(decodeKeyValue(mvcc.readNewest(history)).lease, compare.lease);
    default:
      return 0; // a target that nobody knows is equal to everything
  }
}

function compareAbsent(compare: Compare): number {
  if (compare.target === CompareTarget.lease) return compareBigints(0n, compare.lease);
  return -compare.number;
}

function compareBigints(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A result that nobody knows always holds. */
function matches(compare: Compare, sign: number): boolean {
  switch (compare.result) {
    case CompareResult.equal:
      return sign === 0;
    case CompareResult.notEqual:
      return sign !== 0;
    case CompareResult.greater:
      return sign > 0;
    case CompareResult.less:
      return sign < 0;
    default:
      return true;
  }
}
