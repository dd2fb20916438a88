import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../src/cli/failure.js';
import { parseCompare, readTxn, splitWords } from '../../src/cli/txn-grammar.js';

const refused = (exitCode: number, message: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof Failure);
  assert.equal(thrown.exitCode, exitCode);
  assert.match(thrown.message, message);
  return true;
};

test('compares are read as etcdctl reads them', () => {
  assert.deepEqual(parseCompare('mod("key") > "0"'), {
    target: 'MOD',
    relation: 'GREATER',
    key: Buffer.from('key'),
    expected: 0n,
  });
  assert.deepEqual(parseCompare('value("a b")   !=  "x\\n\\x00\\u00e9"'), {
    target: 'VALUE',
    relation: 'NOT_EQUAL',
    key: Buffer.from('a b'),
    expected: Buffer.from('x\n\0é'),
  });
  assert.equal(parseCompare('c("k") = "5"').target, 'CREATE');
  assert.equal(parseCompare('ver("k") < "5"').target, 'VERSION');
});

test('a lease is compared in hexadecimal, as it is printed', () => {
  assert.equal(parseCompare('lease("k") = "5315a205da5ce586"').expected, 0x5315a205da5ce586n);
  assert.equal(parseCompare('lease("k") = "ffffffffffffffff"').expected, -1n);
});

test('malformed compares are bad input', () => {
  for (const line of ['garbage', 'mod foo < "2"', 'mod(foo) < "2"', 'mod("k")<"2"', 'mod("k") < 2', 'x("k") < "2"']) {
    assert.throws(() => parseCompare(line), refused(3, /malformed comparison/), line);
  }
  assert.throws(() => parseCompare('mod("k") ! "2"'), refused(3, /unknown relation !/));
  assert.throws(() => parseCompare('mod("k") < "abc"'), refused(3, /invalid txn compare request/));
});

test('words may be bare or quoted', () => {
  assert.deepEqual(splitWords('put a "new value" --prev-kv'), ['put', 'a', 'new value', '--prev-kv']);
  assert.deepEqual(splitWords("put 'a \"b\"' 'c'"), ['put', 'a "b"', 'c']);
  assert.deepEqual(splitWords('put "a b" "c d"'), ['put', 'a b', 'c d']);
  assert.deepEqual(splitWords('put a "q\\"uo\\\\te"'), ['put', 'a', 'q"uo\\te']);
  assert.deepEqual(splitWords('get ""'), ['get', '']);
});

function lines(...given: string[]): () => Promise<string | null> {
  return async () => given.shift() ?? null;
}

test('a txn is three lists, each ended by an empty line', async () => {
  const sections: string[] = [];
  const txn = await readTxn(
    lines('mod("k") = "0"', '', ' put k v ', '', 'get k', 'del k', ''),
    async ([type, key = '']) => (type === 'put' ? { type, key, value: 'v' } : { type: type as 'get' | 'del', key }),
    (section) => sections.push(section),
  );
  assert.equal(txn.compares.length, 1);
  assert.deepEqual(
    [...txn.success, ...txn.failure].map(({ type }) => type),
    ['put', 'get', 'del'],
  );
  assert.deepEqual(sections, ['compares', 'success', 'failure']);
});

test('input that ends before the third list has ended is refused, and nothing is sent', async () => {
  const parse = (): Promise<never> => Promise.reject(new Error('not reached'));
  await assert.rejects(
    readTxn(lines('', ''), parse, () => undefined),
    refused(3, /^EOF/),
  );
});
