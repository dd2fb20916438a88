import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyHistory } from '../../src/kv/key-history.js';
import { KeyIndex } from '../../src/kv/key-index.js';
import { FIRST_REVISION, Mvcc, NEVER_COMPACTED } from '../../src/kv/mvcc.js';
import { RevisionStore } from '../../src/kv/revision-store.js';
import { MemoryKvStore } from './memory-kv-store.js';

const VALUE = Buffer.from('value');

function empty(): Mvcc {
  const records = new RevisionStore(new MemoryKvStore(), FIRST_REVISION, 0, 10_000);
  return new Mvcc(new KeyIndex(), records, FIRST_REVISION, NEVER_COMPACTED, 0);
}

function put(mvcc: Mvcc, ...keys: string[]): void {
  for (const key of keys) mvcc.put(key, VALUE, 0n);
}

function remove(mvcc: Mvcc, ...keys: string[]): void {
  for (const key of keys) mvcc.delete(key, mvcc.findLive(key) as KeyHistory);
}

/** By looking at each of them, as the fast count must know it without. */
function everyKeyIsLive(mvcc: Mvcc): boolean {
  let isEveryLive = true;
  mvcc.index.visit('', null, (_key, history) => {
    isEveryLive &&= history.isLive;
    return false;
  });
  return isEveryLive;
}

test('whether every key is live is known through puts, deletions and what is taken back', () => {
  const mvcc = empty();
  const check = (expected: boolean): void => {
    assert.equal(mvcc.everyKeyIsLive, expected);
    assert.equal(everyKeyIsLive(mvcc), expected);
  };
  put(mvcc, 'a', 'b', 'c');
  mvcc.commit();
  check(true);
  remove(mvcc, 'a', 'b');
  check(false);
  mvcc.rollback();
  check(true);
  remove(mvcc, 'a', 'b');
  mvcc.commit();
  put(mvcc, 'a', 'b');
  check(true);
  mvcc.rollback();
  check(false);
  put(mvcc, 'a');
  mvcc.commit();
  check(false);
  put(mvcc, 'b');
  mvcc.commit();
  check(true);
});

test('changes that are taken back leave nothing behind', () => {
  const mvcc = empty();
  put(mvcc, 'a');
  mvcc.commit();
  const { records } = mvcc;
  const before = {
    revision: mvcc.revision,
    count: records.count,
    pendingBytes: records.pendingBytes,
    keys: mvcc.index.size,
  };
  put(mvcc, 'a', 'b', 'b', 'a');
  remove(mvcc, 'a', 'b');
  put(mvcc, 'b');
  assert.equal(mvcc.visibleRevision, 3);
  mvcc.rollback();
  assert.deepEqual(
    { revision: mvcc.revision, count: records.count, pendingBytes: records.pendingBytes, keys: mvcc.index.size },
    before,
  );
  assert.equal(mvcc.visibleRevision, 2);
  assert.equal(mvcc.findLive('a')?.version(0), 1);
  put(mvcc, 'c');
  mvcc.commit();
  assert.deepEqual(
    records.takeBatch().writes.map(({ key }) => key.toString('hex')),
    ['000000000000000200000000', '000000000000000300000000'],
  );
});

test('committing nothing makes no revision', () => {
  const mvcc = empty();
  mvcc.commit();
  assert.equal(mvcc.revision, FIRST_REVISION);
  mvcc.rollback();
  assert.equal(mvcc.revision, FIRST_REVISION);
});

test('a pin is held as often as it was taken', () => {
  const mvcc = empty();
  mvcc.pin(5);
  mvcc.pin(5);
  assert.equal(mvcc.isPinnedBefore(5), false);
  assert.equal(mvcc.isPinnedBefore(6), true);
  mvcc.unpin(5);
  assert.equal(mvcc.isPinnedBefore(6), true);
  mvcc.unpin(5);
  assert.equal(mvcc.isPinnedBefore(6), false);
  assert.throws(() => mvcc.unpin(5), /not pinned/);
});
