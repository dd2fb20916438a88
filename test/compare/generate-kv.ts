import type { Dice } from './dice.js';
import { Near, type Template, type Templates } from './request.js';
import { SORT_TARGETS } from './survivable.js';

/** Few, so that requests meet: prefixes of each other, the smallest and the largest bytes. */
const KEYS = ['a', 'ab', 'abc', 'b', 'c', '\x00', 'a\x00', '\xff', '\xff\xff'].map((key) => Buffer.from(key, 'latin1'));
const VALUES = ['', 'v', 'w', 'vv', '\x00', '1', '10'].map((value) => Buffer.from(value, 'latin1'));
const LEASES: readonly bigint[] = [1n, 7n, -3n, 2n ** 62n + 1n, 2n ** 63n - 1n];
const MISSING_LEASE = 99n;
const EXTREMES: readonly bigint[] = [-1n, -5n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];

export const anyKey = (dice: Dice) => (dice.chance(2) ? Buffer.alloc(0) : dice.pick(KEYS));
export const anyValue = (dice: Dice) => dice.pick(VALUES);
export const anyLease = (dice: Dice) => (dice.chance(15) ? MISSING_LEASE : dice.pick(LEASES));

/** A revision that matters: around the current one, around the compacted one, or far off. */
export function anyRevision(dice: Dice): Template {
  return dice.weighted<() => Template>([
    [60, () => new Near('revision', dice.below(14) - 12)],
    [25, () => new Near('compacted', dice.below(5) - 2)],
    [5, () => 0],
    [10, () => dice.pick(EXTREMES)],
  ])();
}

function afterPrefix(prefix: Buffer): Buffer {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix[last] ?? 0;
    if (byte < 0xff) return Buffer.from([...prefix.subarray(0, last), byte + 1]);
  }
  return Buffer.from([0]);
}

/** A key and, in about half of all cases, the end of an interval: proper, empty, inverted, a prefix, or everything. */
export function anyInterval(dice: Dice): Templates {
  const key = anyKey(dice);
  return dice.weighted<() => Templates>([
    [45, () => ({ key })],
    [15, () => ({ key, range_end: Buffer.from([0]) })],
    [10, () => ({ key: Buffer.from([0]), range_end: Buffer.from([0]) })],
    [12, () => ({ key, range_end: afterPrefix(key) })],
    [15, () => ({ key, range_end: dice.pick(KEYS) })],
    [3, () => ({ key, range_end: key })],
  ])();
}

export function anyRange(dice: Dice): Templates {
  const some = (percent: number, value: () => Template) => (dice.chance(percent) ? value() : undefined);
  const sorted = dice.chance(35);
  return {
    ...anyInterval(dice),
    limit: some(30, () => (dice.chance(10) ? dice.pick(EXTREMES) : dice.below(6))),
    revision: some(25, () => anyRevision(dice)),
    sort_order: sorted ? some(75, () => (dice.chance(4) ? dice.pick([-1, 7, 2 ** 31 - 1]) : dice.below(3))) : undefined,
    sort_target: sorted ? some(85, () => dice.below(SORT_TARGETS)) : undefined,
    serializable: some(30, () => true),
    keys_only: some(12, () => true),
    count_only: some(10, () => true),
    min_mod_revision: some(8, () => anyRevision(dice)),
    max_mod_revision: some(8, () => anyRevision(dice)),
    min_create_revision: some(8, () => anyRevision(dice)),
    max_create_revision: some(8, () => anyRevision(dice)),
  };
}

export function anyPut(dice: Dice, key: Buffer = anyKey(dice)): Templates {
  const ignoreValue = dice.chance(9);
  const ignoreLease = dice.chance(9);
  return {
    key,
    value: ignoreValue && dice.chance(80) ? undefined : anyValue(dice),
    lease: dice.chance(ignoreLease ? 15 : 20) ? anyLease(dice) : undefined,
    prev_kv: dice.chance(25) ? true : undefined,
    ignore_value: ignoreValue ? true : undefined,
    ignore_lease: ignoreLease ? true : undefined,
  };
}

export function anyDelete(dice: Dice): Templates {
  return { ...anyInterval(dice), prev_kv: dice.chance(30) ? true : undefined };
}
