import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyHistory } from '../../src/kv/key-history.js';

/** Puts at 2 and 4, deleted at 6, put at 8 and 10. */
function sample(): KeyHistory {
  const history = new KeyHistory(2, 0, 2, 1);
  history.append(4, 1, 2, 2);
  history.append(6, 0, 0, 0);
  history.append(8, 3, 8, 1);
  history.append(10, 0, 8, 2);
  return history;
}

test('a history is found by revision', () => {
  const history = sample();
  const positions = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((revision) => history.positionAt(revision));
  assert.deepEqual(positions, [-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  assert.deepEqual([history.main(1), history.sub(1), history.create(1), history.version(1)], [4, 1, 2, 2]);
  assert.deepEqual([history.main(4), history.sub(4), history.create(4), history.version(4)], [10, 0, 8, 2]);
  assert.equal(history.isLive, true);
});

test('compaction leaves the newest value before it, and a deletion only at the very revision', () => {
  const kept = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((revision) => sample().firstKept(revision));
  assert.deepEqual(kept, [0, 0, 0, 1, 1, 2, 3, 3, 3, 4, 4]);
});

test('compaction of a deleted key leaves nothing, once it is behind', () => {
  const history = new KeyHistory(2, 0, 2, 1);
  history.append(3, 0, 0, 0);
  assert.equal(history.firstKept(3), 1);
  assert.equal(history.firstKept(4), 2);
});

test('of one transaction that deletes a key and puts it again, compaction there leaves both', () => {
  const history = new KeyHistory(2, 0, 2, 1);
  history.append(5, 0, 0, 0);
  history.append(5, 1, 5, 1);
  assert.equal(history.firstKept(5), 1);
  assert.equal(history.firstKept(6), 2);
  assert.equal(history.positionAt(5), 2);
});

test('what is forgotten or undone leaves the rest as it was', () => {
  const history = sample();
  history.forget(2);
  assert.deepEqual([history.newest, history.main(0), history.main(1), history.main(2)], [2, 6, 8, 10]);
  history.undo();
  assert.deepEqual([history.newest, history.main(1), history.sub(1), history.version(1)], [1, 8, 3, 1]);
  history.forget(1);
  assert.deepEqual([history.newest, history.main(0)], [0, 8]);
  assert.throws(() => history.undo(), /cannot become empty/);
  assert.throws(() => history.forget(1), /cannot become empty/);
});

test('a long history is found by revision as well', () => {
  const history = new KeyHistory(1, 0, 1, 1);
  for (let main = 2; main <= 1000; main++) history.append(main * 2, 0, 1, main);
  for (let main = 2; main <= 1000; main++) {
    const position = history.positionAt(main * 2 + 1);
    assert.deepEqual([history.main(position), history.version(position)], [main * 2, main]);
  }
});
