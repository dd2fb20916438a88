import { methods, type Method } from '../wire/etcd-messages.js';
import { decode, encode } from '../wire/protobuf.js';
import type { Dice } from './dice.js';
import { resolveFields, type RawRequest, type Templates } from './request.js';
import { bringsEtcdDown } from './survivable.js';

/** Methods whose messages may be mangled: none of them can start anything that ends by itself later. */
const MANGLED: readonly Method[] = [methods.range, methods.put, methods.deleteRange, methods.txn, methods.compact];

const UNKNOWN_PATHS = [
  '/etcdserverpb.KV/Nothing',
  '/etcdserverpb.Nothing/Range',
  '/nothing.KV/Range',
  '/etcdserverpb.KV/Range/more',
  '/etcdserverpb.KV',
];

/** Around the limits of a request (1.5 MiB, as logged) and of a message (2 MiB), but not within what a log entry adds. */
const LARGE_VALUES = [1_000_000, 1_572_000, 1_573_500, 2_097_000, 2_097_152, 2_200_000];

/** Sound encodings nobody writes: fields unknown, repeated, out of order, numbers longer than they need to be. */
const ODD_TAILS = [
  '982a01', // field 675, varint
  'a22a0161', // field 676, bytes
  'ad2a01020304', // field 677, 32 bits
  'a12a0102030405060708', // field 676, 64 bits
  '0a0162', // field 1 once more
  '0a00', // field 1 once more, empty
  '1800', // field 3 zero, written out
  '1881808000', // field 3 one, in four bytes
  '28ffffffffffffffffff01', // field 5, minus one
  '3002', // a bool that is two
];

function mangled(dice: Dice, message: Buffer): Buffer {
  const bytes = Buffer.from(message);
  if (bytes.length === 0 || dice.chance(15)) return Buffer.from(Array.from({ length: 8 }, () => dice.below(256)));
  const at = dice.below(bytes.length);
  return dice.weighted<() => Buffer>([
    [30, () => bytes.subarray(0, at)],
    [40, () => (bytes.writeUInt8(dice.below(256), at), bytes)],
    [15, () => Buffer.concat([bytes.subarray(0, at), Buffer.from([dice.below(256)]), bytes.subarray(at)])],
    [15, () => Buffer.concat([bytes, Buffer.from([dice.below(256), dice.below(256)])])],
  ])();
}

/** A message that may or may not decode, made from `message`. */
function mangledSafely(dice: Dice, members: number, method: Method, message: Buffer): Buffer {
  for (;;) {
    const candidate = mangled(dice, message);
    try {
      if (!bringsEtcdDown(decode(method.request, candidate), members)) return candidate;
    } catch {
      return candidate; // what does not decode does not get that far
    }
  }
}

/** A request that no proper client would send. Starts, where it can, from the proper one given. */
export function anyRaw(dice: Dice, member: number, members: number, method: Method, fields: Templates): RawRequest {
  const proper = encode(method.request, resolveFields(fields, { revision: 1, compacted: 0 }));
  const { path, response } = method;
  const canMangle = MANGLED.includes(method);
  return dice.weighted<() => RawRequest>([
    [8, () => ({ ...unknownMethod(dice, proper), member })],
    [2, () => ({ ...largePut(dice), member })],
    [
      canMangle ? 40 : 0,
      () => ({ kind: 'raw', path, message: oddlyEncoded(dice, proper), about: 'odd encoding', response, member }),
    ],
    [
      canMangle ? 50 : 0,
      () => ({
        kind: 'raw',
        path,
        message: mangledSafely(dice, members, method, proper),
        about: 'mangled',
        response,
        member,
      }),
    ],
  ])();
}

const unknownMethod = (dice: Dice, message: Buffer) =>
  ({ kind: 'raw', path: dice.pick(UNKNOWN_PATHS), message, about: 'unknown method', response: null }) as const;

const oddlyEncoded = (dice: Dice, message: Buffer) =>
  Buffer.concat([message, Buffer.from(dice.pick(ODD_TAILS), 'hex')]);

function largePut(dice: Dice) {
  const bytes = dice.pick(LARGE_VALUES);
  const { path, request, response } = methods.put;
  const message = encode(request, { key: 'large', value: Buffer.alloc(bytes) });
  return { kind: 'raw', path, message, about: `value of ${bytes} bytes`, response } as const;
}
