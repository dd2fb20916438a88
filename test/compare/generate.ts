import { methods, type Method } from '../wire/etcd-messages.js';
import type { Dice } from './dice.js';
import { anyDelete, anyLease, anyPut, anyRange, anyRevision } from './generate-kv.js';
import { anyRaw } from './generate-raw.js';
import { anyOperations, anyTxn } from './generate-txn.js';
import type { Request, Templates } from './request.js';
import { bringsEtcdDown } from './survivable.js';

const LARGEST_TTL = 9_000_000_000n;

type Call = readonly [method: Method, fields: Templates];

const CALLS: readonly (readonly [weight: number, call: (dice: Dice) => Call])[] = [
  [260, (dice) => [methods.put, anyPut(dice)]],
  [280, (dice) => [methods.range, anyRange(dice)]],
  [60, (dice) => [methods.deleteRange, anyDelete(dice)]],
  [260, (dice) => [methods.txn, anyTxn(dice)]],
  [4, (dice) => [methods.txn, { success: anyOperations(dice, dice.pick([127, 128, 129, 200])) }]],
  [16, (dice) => [methods.compact, { revision: anyRevision(dice), physical: dice.chance(30) ? true : undefined }]],
  [
    20,
    (dice) => [
      methods.leaseGrant,
      { TTL: dice.pick([1000n, 5000n, LARGEST_TTL, LARGEST_TTL + 1n]), ID: anyLease(dice) },
    ],
  ],
  [8, (dice) => [methods.leaseRevoke, { ID: anyLease(dice) }]],
  [10, (dice) => [methods.leaseTimeToLive, { ID: anyLease(dice), keys: dice.chance(60) ? true : undefined }]],
  [6, (dice) => [methods.leaseKeepAlive, { ID: anyLease(dice) }]],
  [4, () => [methods.leaseLeases, {}]],
  [4, () => [methods.memberList, {}]],
  [4, () => [methods.status, {}]],
  [4, (dice) => [methods.hashKv, { revision: dice.chance(50) ? anyRevision(dice) : undefined }]],
  [2, (dice) => [methods.alarm, { alarm: dice.below(3) }]],
  [2, (dice) => [methods.moveLeader, { targetID: dice.below(3) }]],
];

const RAW_PERCENT = 5;

/** Every method that is ever called. */
export const calledMethods: readonly Method[] = Object.values(methods);

/** The next request of a sequence, to one of `members` members. Methods whose path is in `leftOut` are never called. */
export function anyRequest(dice: Dice, members: number, leftOut: ReadonlySet<string>): Request {
  const member = dice.below(members);
  for (;;) {
    const [method, fields] = dice.weighted(CALLS)(dice);
    if (leftOut.has(method.path) || bringsEtcdDown(fields, members)) continue;
    if (dice.chance(RAW_PERCENT)) return anyRaw(dice, member, members, method, fields);
    return { kind: 'fields', method, fields, member };
  }
}
