import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { KvError } from '../../src/kv/errors.js';
import { decodePublishMember } from '../../src/kv/members.js';
import {
  MAX_TXN_DEPTH,
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
} from '../../src/kv/wire/decode.js';
import {
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from '../../src/kv/wire/encode.js';
import { decodeKeyValue, encodeKeyValue, keyValueWithoutValue } from '../../src/kv/wire/key-value.js';
import { loadProtocol } from './support.js';

const message = await loadProtocol();

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array));
const int64 = fc.oneof(
  fc.bigInt(MIN_INT64, MAX_INT64),
  fc.bigInt(-130n, 130n),
  fc.constantFrom(MIN_INT64, MAX_INT64, SAFE, SAFE + 1n, -SAFE, -SAFE - 1n, 2n ** 32n, 2n ** 31n, -1n),
);
const int32 = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer());

/** Objects as protobufjs takes them: fields left out at random, int64 as strings. */
function fields(model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(model, { requiredKeys: [] });
}
const int64Text = int64.map(String);
const rangeFields = fields({
  key: bytes,
  range_end: bytes,
  limit: int64Text,
  revision: int64Text,
  sort_order: int32,
  sort_target: int32,
  serializable: fc.boolean(),
  keys_only: fc.boolean(),
  count_only: fc.boolean(),
  min_mod_revision: int64Text,
  max_mod_revision: int64Text,
  min_create_revision: int64Text,
  max_create_revision: int64Text,
});
const putFields = fields({
  key: bytes,
  value: bytes,
  lease: int64Text,
  prev_kv: fc.boolean(),
  ignore_value: fc.boolean(),
  ignore_lease: fc.boolean(),
});
const deleteRangeFields = fields({ key: bytes, range_end: bytes, prev_kv: fc.boolean() });
const compareFields = fc
  .tuple(
    fields({ result: int32, target: int32, key: bytes, range_end: bytes }),
    fc.oneof(
      fc.constant({}),
      fields({ version: int64Text }),
      fields({ create_revision: int64Text }),
      fields({ mod_revision: int64Text }),
      fields({ value: bytes }),
      fields({ lease: int64Text }),
    ),
  )
  .map(([base, union]) => ({ ...base, ...union }));
const { txn: txnFields } = fc.letrec<{ txn: Record<string, unknown>; operation: Record<string, unknown> }>((tie) => ({
  txn: fields({
    compare: fc.array(compareFields, { maxLength: 3 }),
    success: fc.array(tie('operation'), { maxLength: 3 }),
    failure: fc.array(tie('operation'), { maxLength: 3 }),
  }),
  operation: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant({}),
    rangeFields.map((request_range) => ({ request_range })),
    putFields.map((request_put) => ({ request_put })),
    deleteRangeFields.map((request_delete_range) => ({ request_delete_range })),
    tie('txn').map((request_txn) => ({ request_txn })),
  ),
}));

function encodeBy(type: protobuf.Type, content: object): Buffer {
  return Buffer.from(type.encode(type.fromObject(content)).finish());
}

/** Decoded by protobufjs, defaults filled in, int64 as text. */
function decodeBy(type: protobuf.Type, encoded: Uint8Array): Record<string, unknown> {
  return type.toObject(type.decode(encoded), { longs: String, defaults: true, arrays: true, oneofs: true });
}

function saturated(text: unknown): number {
  const value = BigInt(text as string);
  return Number(value > SAFE ? SAFE : value < -SAFE ? -SAFE : value);
}

function key(value: unknown): string {
  return Buffer.from(value as Uint8Array).toString('latin1');
}

function expectedRange(decoded: Record<string, unknown>): object {
  return {
    key: key(decoded['key']),
    rangeEnd: key(decoded['range_end']),
    limit: saturated(decoded['limit']),
    revision: saturated(decoded['revision']),
    sortOrder: decoded['sort_order'],
    sortTarget: decoded['sort_target'],
    serializable: decoded['serializable'],
    keysOnly: decoded['keys_only'],
    countOnly: decoded['count_only'],
    minModRevision: saturated(decoded['min_mod_revision']),
    maxModRevision: saturated(decoded['max_mod_revision']),
    minCreateRevision: saturated(decoded['min_create_revision']),
    maxCreateRevision: saturated(decoded['max_create_revision']),
  };
}

function expectedPut(decoded: Record<string, unknown>): object {
  return {
    key: key(decoded['key']),
    value: Buffer.from(decoded['value'] as Uint8Array),
    lease: BigInt(decoded['lease'] as string),
    prevKv: decoded['prev_kv'],
    ignoreValue: decoded['ignore_value'],
    ignoreLease: decoded['ignore_lease'],
  };
}

function expectedDeleteRange(decoded: Record<string, unknown>): object {
  return { key: key(decoded['key']), rangeEnd: key(decoded['range_end']), prevKv: decoded['prev_kv'] };
}

const UNION = ['version', 'create_revision', 'mod_revision', 'value', 'lease'];

function expectedCompare(decoded: Record<string, unknown>): object {
  const target = decoded['target'] as number;
  const given = decoded['target_union'] as string | undefined;
  const counts = given !== undefined && UNION[target] === given;
  return {
    result: decoded['result'],
    target,
    key: key(decoded['key']),
    rangeEnd: key(decoded['range_end']),
    number: counts && target < 3 ? saturated(decoded[given]) : 0,
    value: counts && target === 3 ? Buffer.from(decoded['value'] as Uint8Array) : Buffer.alloc(0),
    lease: counts && target === 4 ? BigInt(decoded['lease'] as string) : 0n,
  };
}

function expectedOperation(decoded: Record<string, unknown>): object {
  const request = decoded[decoded['request'] as string] as Record<string, unknown>;
  switch (decoded['request']) {
    case 'request_range':
      return { kind: 'range', request: expectedRange(request) };
    case 'request_put':
      return { kind: 'put', request: expectedPut(request) };
    case 'request_delete_range':
      return { kind: 'deleteRange', request: expectedDeleteRange(request) };
    case 'request_txn':
      return { kind: 'txn', request: expectedTxn(request) };
    default:
      return { kind: 'empty' };
  }
}

function expectedTxn(decoded: Record<string, unknown>): object {
  const each = (name: string, expected: (item: Record<string, unknown>) => object): object[] =>
    (decoded[name] as Record<string, unknown>[]).map(expected);
  return {
    compare: each('compare', expectedCompare),
    success: each('success', expectedOperation),
    failure: each('failure', expectedOperation),
  };
}

const CODECS = [
  { name: 'RangeRequest', content: rangeFields, expected: expectedRange, decode: decodeRangeRequest },
  { name: 'PutRequest', content: putFields, expected: expectedPut, decode: decodePutRequest },
  {
    name: 'DeleteRangeRequest',
    content: deleteRangeFields,
    expected: expectedDeleteRange,
    decode: decodeDeleteRangeRequest,
  },
  { name: 'TxnRequest', content: txnFields, expected: expectedTxn, decode: decodeTxnRequest },
  {
    name: 'CompactionRequest',
    content: fields({ revision: int64Text, physical: fc.boolean() }),
    expected: (decoded: Record<string, unknown>) => ({
      revision: saturated(decoded['revision']),
      physical: decoded['physical'],
    }),
    decode: decodeCompactionRequest,
  },
];

for (const { name, content, expected, decode } of CODECS) {
  test(`${name} is decoded as another implementation decodes it`, () => {
    const type = message(name);
    fc.assert(
      fc.property(content, (fieldsOfIt) => {
        const encoded = encodeBy(type, fieldsOfIt);
        assert.deepEqual(decode(encoded), expected(decodeBy(type, encoded)));
      }),
      { numRuns: 500 },
    );
  });
}

test('what we encode as a request comes back the same, and another implementation agrees', () => {
  const check = <T>(
    name: string,
    content: fc.Arbitrary<object>,
    decode: (encoded: Buffer) => T,
    encode: (request: T) => Buffer,
  ) => {
    fc.assert(
      fc.property(content, (fieldsOfIt) => {
        const decoded = decode(encodeBy(message(name), fieldsOfIt));
        const encoded = encode(decoded);
        assert.deepEqual(decode(encoded), decoded);
        assert.ok(decodeBy(message(name), encoded));
      }),
    );
  };
  check('RangeRequest', rangeFields, decodeRangeRequest, encodeRangeRequest);
  check('PutRequest', putFields, decodePutRequest, encodePutRequest);
  check('DeleteRangeRequest', deleteRangeFields, decodeDeleteRangeRequest, encodeDeleteRangeRequest);
  check('TxnRequest', txnFields, decodeTxnRequest, encodeTxnRequest);
  check('CompactionRequest', fields({ revision: int64Text }), decodeCompactionRequest, encodeCompactionRequest);
});

test('a KeyValue is encoded byte for byte as another implementation does it', () => {
  const type = message('mvccpb.KeyValue');
  const revision = fc.oneof(
    fc.integer({ min: 1, max: 200 }),
    fc.maxSafeNat().map((value) => Math.max(1, value)),
  );
  fc.assert(
    fc.property(bytes, revision, revision, revision, bytes, int64, (keyBytes, create, mod, version, value, lease) => {
      const keyText = key(keyBytes);
      const encoded = encodeKeyValue(0, keyText, create, mod, version, value, lease);
      const content = {
        key: keyBytes,
        create_revision: String(create),
        mod_revision: String(mod),
        version: String(version),
        ...(value.length > 0 ? { value } : {}),
        ...(lease !== 0n ? { lease: String(lease) } : {}),
      };
      if (keyBytes.length > 0) assert.deepEqual(encoded, encodeBy(type, content));
      const expected = { key: keyText, createRevision: create, modRevision: mod, version, value, lease };
      assert.deepEqual(decodeKeyValue(encoded), expected);
      assert.deepEqual(decodeKeyValue(keyValueWithoutValue(encoded)), { ...expected, value: Buffer.alloc(0) });
    }),
  );
});

test('fields may come in any order and repeatedly, and the last one counts', () => {
  const encoded = Buffer.from([0x12, 1, 0x78, 0x0a, 1, 0x61, 0x20, 1, 0x0a, 1, 0x62, 0x20, 0]);
  assert.deepEqual(decodePutRequest(encoded), {
    key: 'b',
    value: Buffer.from('x'),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  });
});

test('unknown fields of every wire type, groups included, are skipped', () => {
  const unknown = [
    [0xa0, 0x06, 0x96, 0x01], // varint
    [0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], // 64 bits
    [0xa2, 0x06, 3, 1, 2, 3], // delimited
    [0xa5, 0x06, 1, 2, 3, 4], // 32 bits
    [0xa3, 0x06, 0x0b, 0x08, 0x05, 0x0c, 0xa4, 0x06], // a group in a group
  ];
  for (const field of unknown) {
    const { key: decoded, limit } = decodeRangeRequest(Buffer.from([0x0a, 1, 0x61, ...field, 0x18, 9]));
    assert.deepEqual({ decoded, limit }, { decoded: 'a', limit: 9 });
  }
});

test('of several requests in one operation the last one counts, as a whole', () => {
  const put = [0x12, 6, 0x0a, 1, 0x61, 0x12, 1, 0x78];
  const secondPut = [0x12, 3, 0x0a, 1, 0x62];
  const operation = [...put, ...secondPut];
  const { success } = decodeTxnRequest(Buffer.from([0x12, operation.length, ...operation]));
  assert.deepEqual(
    success.map((op) => (op.kind === 'put' ? [op.request.key, op.request.value.length] : op.kind)),
    [['b', 0]],
  );
});

test('malformed requests are refused with the words of etcd 3.4', () => {
  const cases: [number[], string][] = [
    [[0x08, 1], 'proto: wrong wireType = 0 for field Key'],
    [[0x0a, 9, 1], 'unexpected EOF'],
    [[0x0c], 'proto: RangeRequest: wiretype end group for non-group'],
    [[0x02, 1, 1], 'proto: RangeRequest: illegal tag 0 (wire type 2)'],
    [[0xa6, 0x06], 'proto: illegal wireType 6'],
    [[0x18, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], 'proto: integer overflow'],
    [[0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], 'proto: negative length found during unmarshaling'],
  ];
  for (const [encoded, text] of cases) {
    assert.throws(() => decodeRangeRequest(Buffer.from(encoded)), {
      code: 'KV_MALFORMED_REQUEST',
      message: `grpc: error unmarshalling request: ${text}`,
    });
  }
});

test('transactions may be nested up to a bound, and groups need no stack', () => {
  const nested = (levels: number): Buffer => {
    let txn: Buffer = Buffer.alloc(0);
    for (let level = 1; level < levels; level++) {
      txn = encodeTxnRequest({ success: [{ kind: 'txn', request: decodeTxnRequest(txn) }] });
    }
    return txn;
  };
  assert.equal(decodeTxnRequest(nested(MAX_TXN_DEPTH)).success.length, 1);
  const deepest = nested(MAX_TXN_DEPTH);
  const wrap = (inner: Buffer): Buffer => {
    const length = (size: number): number[] => (size < 128 ? [size] : [(size & 127) | 128, size >> 7]);
    const operation = Buffer.concat([Buffer.from([0x22, ...length(inner.length)]), inner]);
    return Buffer.concat([Buffer.from([0x12, ...length(operation.length)]), operation]);
  };
  assert.throws(() => decodeTxnRequest(wrap(deepest)), { code: 'KV_MALFORMED_REQUEST' });
  const manyGroups = Buffer.alloc(1_000_000, 0x7b); // field 15, group begins
  assert.throws(() => decodeRangeRequest(manyGroups), { code: 'KV_MALFORMED_REQUEST' });
});

const DECODERS = [
  decodeRangeRequest,
  decodePutRequest,
  decodeDeleteRangeRequest,
  decodeTxnRequest,
  decodeCompactionRequest,
  decodeKeyValue,
  decodePublishMember,
];

function onlyRefuses(encoded: Uint8Array): void {
  for (const decode of DECODERS) {
    try {
      decode(encoded);
    } catch (error) {
      assert.ok(error instanceof KvError && error.code === 'KV_MALFORMED_REQUEST', String(error));
    }
  }
}

test('random bytes are decoded or refused, and nothing else', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), onlyRefuses), { numRuns: 3000 });
});

test('damaged requests are decoded or refused, and nothing else', () => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255), cut: fc.nat(3) });
  fc.assert(
    fc.property(txnFields, fc.array(change, { minLength: 1, maxLength: 4 }), (content, changes) => {
      let encoded: Buffer = encodeBy(message('TxnRequest'), content);
      for (const { at, to, cut } of changes) {
        if (encoded.length === 0) return;
        encoded[at % encoded.length] = to;
        if (cut === 0) encoded = encoded.subarray(0, at % encoded.length);
      }
      onlyRefuses(encoded);
    }),
    { numRuns: 3000 },
  );
});
