import fc from 'fast-check';
import type {
  CompactionRequest,
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../src/kv/wire/requests.js';

/** Few keys, so that they meet; with the first, the last and prefixes of each other among them. */
const key = fc.constantFrom('a', 'b', 'c', 'aa', 'ab', 'a\0', '\0', '\xff', '\xff\xff', 'b\xe9');
const rangeEnd = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.constant('\0') },
  { weight: 3, arbitrary: key },
);
const value = fc.constantFrom('', 'x', 'y', 'xx', 'a longer value').map((text) => Buffer.from(text));
/** Most of them somewhere in the history of a short test. */
const revision = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 25 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -5, 1000, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER) },
);
const rarely = fc.nat(9).map((number) => number === 0);
const lease = fc.nat(19).map((number) => (number === 0 ? 7n : 0n));
const bound = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -1, max: 20 }) },
);

export const rangeRequest: fc.Arbitrary<RangeRequest> = fc.record({
  key,
  rangeEnd,
  limit: fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 4 })),
  revision,
  sortOrder: fc.oneof({ weight: 6, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.constantFrom(-1, 3, 7) }),
  sortTarget: fc.oneof({ weight: 9, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.constantFrom(-1, 9) }),
  serializable: fc.boolean(),
  keysOnly: rarely,
  countOnly: rarely,
  minModRevision: bound,
  maxModRevision: bound,
  minCreateRevision: bound,
  maxCreateRevision: bound,
});

export const putRequest: fc.Arbitrary<PutRequest> = fc.record({
  key,
  value,
  lease,
  prevKv: fc.boolean(),
  ignoreValue: rarely,
  ignoreLease: rarely,
});

export const deleteRangeRequest: fc.Arbitrary<DeleteRangeRequest> = fc.record({ key, rangeEnd, prevKv: fc.boolean() });

const compare: fc.Arbitrary<Compare> = fc
  .record({
    result: fc.oneof({ weight: 8, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.constant(5) }),
    target: fc.oneof({ weight: 8, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.constant(6) }),
    key,
    rangeEnd,
    number: fc.integer({ min: 0, max: 12 }),
    value,
    lease: fc.constantFrom(0n, 0n, 5n, -5n),
  })
  .map((drawn) => ({
    ...drawn,
    number: drawn.target <= 2 ? drawn.number : 0,
    value: drawn.target === 3 ? drawn.value : Buffer.alloc(0),
    lease: drawn.target === 4 ? drawn.lease : 0n,
  }));

export const { txn: txnRequest } = fc.letrec<{ txn: TxnRequest; operation: RequestOp }>((tie) => ({
  txn: fc.record({
    compare: fc.array(compare, { maxLength: 2 }),
    success: fc.array(tie('operation'), { maxLength: 4 }),
    failure: fc.array(tie('operation'), { maxLength: 3 }),
  }),
  operation: fc.oneof(
    { depthSize: 'small' },
    { weight: 3, arbitrary: rangeRequest.map((request) => ({ kind: 'range' as const, request })) },
    { weight: 3, arbitrary: putRequest.map((request) => ({ kind: 'put' as const, request })) },
    { weight: 2, arbitrary: deleteRangeRequest.map((request) => ({ kind: 'deleteRange' as const, request })) },
    { weight: 2, arbitrary: tie('txn').map((request) => ({ kind: 'txn' as const, request })) },
  ),
}));

export const compactionRequest: fc.Arbitrary<CompactionRequest> = fc.record({
  revision: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 25 }) }, { weight: 1, arbitrary: revision }),
  physical: fc.boolean(),
});
