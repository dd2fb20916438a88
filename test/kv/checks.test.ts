import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkDeleteRange, checkPut, checkRange, checkTxn } from '../../src/kv/checks.js';
import { KvError } from '../../src/kv/errors.js';
import { KeyIntervals } from '../../src/kv/key-intervals.js';
import { decodeDeleteRangeRequest, decodePutRequest, decodeRangeRequest } from '../../src/kv/wire/decode.js';
import { encodeDeleteRangeRequest, encodePutRequest, encodeRangeRequest } from '../../src/kv/wire/encode.js';
import type { PutRequest, RequestOp, TxnRequest } from '../../src/kv/wire/requests.js';

const MAX_OPS = 128;

function put(key: string, more: Partial<PutRequest> = {}): RequestOp {
  return { kind: 'put', request: decodePutRequest(encodePutRequest({ key, ...more })) };
}
function del(key: string, rangeEnd = ''): RequestOp {
  return { kind: 'deleteRange', request: decodeDeleteRangeRequest(encodeDeleteRangeRequest({ key, rangeEnd })) };
}
function get(key: string): RequestOp {
  return { kind: 'range', request: decodeRangeRequest(encodeRangeRequest({ key })) };
}
function nested(success: readonly RequestOp[], failure: readonly RequestOp[] = []): RequestOp {
  return { kind: 'txn', request: { compare: [], success, failure } };
}
function branch(...success: readonly RequestOp[]): TxnRequest {
  return { compare: [], success, failure: [] };
}

function verdict(check: () => void): string {
  try {
    check();
    return 'ok';
  } catch (error) {
    if (error instanceof KvError) return error.code;
    throw error;
  }
}

function txnVerdict(request: TxnRequest): string {
  return verdict(() => checkTxn(request, MAX_OPS));
}

test('requests without a key are refused (4.2)', () => {
  assert.equal(
    verdict(() => checkRange(decodeRangeRequest(Buffer.alloc(0)))),
    'KV_EMPTY_KEY',
  );
  assert.equal(
    verdict(() => checkPut(decodePutRequest(Buffer.alloc(0)))),
    'KV_EMPTY_KEY',
  );
  assert.equal(
    verdict(() => checkDeleteRange(decodeDeleteRangeRequest(Buffer.alloc(0)))),
    'KV_EMPTY_KEY',
  );
  const compare = { result: 0, target: 0, key: '', rangeEnd: '', number: 0, value: Buffer.alloc(0), lease: 0n };
  assert.equal(txnVerdict({ compare: [compare], success: [], failure: [] }), 'KV_EMPTY_KEY');
  assert.equal(txnVerdict({ compare: [], success: [], failure: [nested([get('')])] }), 'KV_EMPTY_KEY');
});

test('a put that keeps its value or lease must not bring one (4.4)', () => {
  const check = (more: Partial<PutRequest>): string => {
    const request = decodePutRequest(encodePutRequest({ key: 'a', ...more }));
    return verdict(() => checkPut(request));
  };
  assert.equal(check({ ignoreValue: true, value: Buffer.from('x') }), 'KV_VALUE_PROVIDED');
  assert.equal(check({ ignoreLease: true, lease: 5n }), 'KV_LEASE_PROVIDED');
  assert.equal(check({ ignoreValue: true, lease: 5n }), 'ok');
  assert.equal(check({ ignoreLease: true, value: Buffer.from('x') }), 'ok');
});

test('the duplicate rule is the one of etcd, case by case (4.6)', () => {
  const duplicate = 'KV_DUPLICATE_KEY';
  const cases: [string, TxnRequest, string][] = [
    ['put k + put k', branch(put('k'), put('k')), duplicate],
    ['put k + nested txn putting k', branch(put('k'), nested([put('k')])), duplicate],
    ['put k + nested txn putting k when it fails', branch(nested([], [put('k')]), put('k')), duplicate],
    ['two sibling nested txns both putting k', branch(nested([put('k')]), nested([], [put('k')])), duplicate],
    ['put k in success and in failure', { compare: [], success: [put('k')], failure: [put('k')] }, 'ok'],
    ['the same, nested', branch(nested([put('k')], [put('k')])), 'ok'],
    ['put k + delete k', branch(put('k'), del('k')), duplicate],
    ['delete k + put k', branch(del('k'), put('k')), duplicate],
    ['delete range covering k + put k', branch(del('j', 'l'), put('k')), duplicate],
    ['nested delete of k + put k', branch(nested([del('j', 'l')]), put('k')), duplicate],
    ['delete k + nested put k', branch(nested([put('k')]), del('k')), duplicate],
    ['delete of k in one nested branch, put in the other', branch(nested([del('k')], [put('k')])), 'ok'],
    ['earlier nested delete k, later nested put k', branch(nested([del('k')]), nested([put('k')])), duplicate],
    ['earlier nested put k, later nested delete k', branch(nested([put('k')]), nested([del('k')])), 'ok'],
    ['two overlapping deletes', branch(del('a', 'm'), del('k')), 'ok'],
    ['delete range ending at k + put k', branch(del('j', 'k'), put('k')), 'ok'],
    ['delete of an empty interval + put in it', branch(del('m', 'j'), put('k')), 'ok'],
    ['delete of everything from a on + put k', branch(del('a', '\0'), put('k')), 'ok'],
    ['put of two keys', branch(put('k'), put('k\0')), 'ok'],
    ['in the failure branch', { compare: [], success: [], failure: [put('k'), put('k')] }, duplicate],
  ];
  for (const [name, request, expected] of cases) assert.equal(txnVerdict(request), expected, name);
});

test('a nested transaction may have what its parent leaves of the allowance (4.6)', () => {
  const gets = (count: number): RequestOp[] => Array.from({ length: count }, () => get('k'));
  assert.equal(txnVerdict(branch(...gets(128))), 'ok');
  assert.equal(txnVerdict(branch(...gets(129))), 'KV_TOO_MANY_OPERATIONS');
  assert.equal(txnVerdict({ compare: [], success: [], failure: gets(129) }), 'KV_TOO_MANY_OPERATIONS');
  assert.equal(txnVerdict(branch(nested(gets(127)))), 'ok');
  assert.equal(txnVerdict(branch(nested(gets(128)))), 'KV_TOO_MANY_OPERATIONS');
  assert.equal(txnVerdict(branch(nested([nested(gets(126))]))), 'ok');
  assert.equal(txnVerdict(branch(nested([nested(gets(127))]))), 'KV_TOO_MANY_OPERATIONS');
});

test('the number of operations is judged before their keys, and duplicates come last', () => {
  const many = Array.from({ length: 129 }, () => put(''));
  assert.equal(txnVerdict(branch(...many)), 'KV_TOO_MANY_OPERATIONS');
  assert.equal(txnVerdict(branch(put('k'), put('k'), put(''))), 'KV_EMPTY_KEY');
  assert.equal(txnVerdict(branch({ kind: 'empty' }, put(''))), 'KV_KEY_NOT_FOUND');
});

test('a set of intervals covers what any of them covers', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 2 });
  const intervals = fc.array(fc.tuple(key, key), { maxLength: 8 });
  fc.assert(
    fc.property(intervals, intervals, key, (first, second, probe) => {
      const [one, other] = [first, second].map((drawn) => {
        const set = new KeyIntervals();
        for (const [from, end] of drawn) set.add(from, end);
        return set;
      }) as [KeyIntervals, KeyIntervals];
      one.absorb(other);
      const covers = [...first, ...second].some(([from, end]) => probe >= from && probe < end);
      assert.equal(one.covers(probe), covers);
      // Disjoint, and not even touching.
      const ends: string[] = [];
      one.some((from, end) => {
        ends.push(from, end);
        return false;
      });
      assert.deepEqual(ends, [...new Set(ends)].sort());
    }),
    { numRuns: 1000 },
  );
});
