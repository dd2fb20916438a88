import type { Dice } from './dice.js';
import { anyDelete, anyInterval, anyKey, anyLease, anyPut, anyRange, anyRevision, anyValue } from './generate-kv.js';
import type { Template, Templates } from './request.js';

const MAX_DEPTH = 3;

/** The kinds of target_union, in the order of CompareTarget. */
const TARGETS: readonly (readonly [field: string, value: (dice: Dice) => Template])[] = [
  ['version', (dice) => dice.below(4)],
  ['create_revision', (dice) => (dice.chance(40) ? 0 : anyRevision(dice))],
  ['mod_revision', (dice) => (dice.chance(25) ? 0 : anyRevision(dice))],
  ['value', anyValue],
  ['lease', (dice) => (dice.chance(40) ? 0 : anyLease(dice))],
];

function anyCompare(dice: Dice): Templates {
  const target = dice.below(TARGETS.length);
  // Mostly the value the target asks for; sometimes one of another kind, or none.
  const given = dice.weighted([
    [80, target],
    [10, dice.below(TARGETS.length)],
    [10, null],
  ]);
  const union = given === null ? undefined : TARGETS[given];
  return {
    result: dice.chance(3) ? 9 : dice.below(4),
    target: dice.chance(3) ? 9 : target,
    ...(dice.chance(20) ? anyInterval(dice) : { key: anyKey(dice) }),
    ...(union === undefined ? {} : { [union[0]]: union[1](dice) }),
  };
}

const listOf = (length: number, one: () => Templates) => Array.from({ length }, one);

/** Operations of one branch. Puts mostly keep to keys of their own: two puts of one key are refused. */
export function anyOperations(dice: Dice, count: number, depth = 1): Templates[] {
  const distinct = dice.chance(60);
  const used = new Set<string>();
  const put = (): Templates => {
    let key = anyKey(dice);
    for (let attempt = 0; distinct && attempt < 5 && used.has(key.toString('latin1')); attempt++) key = anyKey(dice);
    used.add(key.toString('latin1'));
    return { request_put: anyPut(dice, key) };
  };
  const many = count > 20;
  return listOf(count, () =>
    dice.weighted<() => Templates>([
      [many ? 0 : 45, put],
      [35, () => ({ request_range: anyRange(dice) })],
      [many || distinct ? 4 : 12, () => ({ request_delete_range: anyDelete(dice) })],
      [depth < MAX_DEPTH && !many ? 12 : 0, () => ({ request_txn: anyTxn(dice, depth + 1) })],
      [1, () => ({})],
    ])(),
  );
}

/** How many operations a branch and how many compares a txn has: weight, number. */
const OPERATIONS = [
  [15, 0],
  [35, 1],
  [25, 2],
  [15, 3],
  [10, 5],
] as const;
const COMPARES = [
  [35, 0],
  [40, 1],
  [15, 2],
  [10, 3],
] as const;

export function anyTxn(dice: Dice, depth = 1): Templates {
  return {
    compare: listOf(dice.weighted(COMPARES), () => anyCompare(dice)),
    success: anyOperations(dice, dice.weighted(OPERATIONS), depth),
    failure: anyOperations(dice, dice.weighted(OPERATIONS), depth),
  };
}
