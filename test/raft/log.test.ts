import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeEntry } from '../../src/raft/entry-codec.js';
import { InvariantError } from '../../src/raft/errors.js';
import { RaftLog } from '../../src/raft/log.js';
import type { LogIndex, SnapshotMarker, Term } from '../../src/raft/messages.js';

function marker(index: LogIndex, term: Term): SnapshotMarker {
  return { index, term, configuration: { voters: [1n] } };
}

function entryOf(index: LogIndex, term: Term, payloadBytes = 0) {
  return makeEntry(index, term, Buffer.alloc(payloadBytes));
}

function logOf(terms: readonly Term[], begin = marker(0, 0)): RaftLog {
  return new RaftLog(
    begin,
    terms.map((term, position) => entryOf(begin.index + position + 1, term)),
  );
}

function termsOf(log: RaftLog): Term[] {
  return log.between(log.firstIndex, log.lastIndex).map((entry) => entry.term);
}

test('an empty log ends at index 0 in term 0', () => {
  const log = logOf([]);
  assert.deepEqual([log.firstIndex, log.lastIndex, log.lastTerm, log.termAt(0), log.termAt(1)], [1, 0, 0, 0, null]);
  assert.throws(() => log.at(1), InvariantError);
});

test('a log behind a snapshot knows the term of the marker, and of nothing before it', () => {
  const log = logOf([3, 4], marker(5, 2));
  assert.deepEqual([log.firstIndex, log.lastIndex, log.lastTerm], [6, 7, 4]);
  assert.deepEqual(
    [4, 5, 6, 7, 8].map((index) => log.termAt(index)),
    [null, 2, 3, 4, null],
  );
  assert.equal(logOf([], marker(5, 2)).lastTerm, 2);
});

test('entries follow each other without a gap, in terms that never fall (§5.3)', () => {
  const log = logOf([1, 3]);
  for (const wrong of [entryOf(2, 3), entryOf(4, 3), entryOf(3, 2)])
    assert.throws(() => log.append(wrong), InvariantError);
  log.append(entryOf(3, 3));
  assert.deepEqual(termsOf(log), [1, 3, 3]);
});

test('taking entries back raises the epoch; compaction does not', () => {
  const log = logOf([1, 1, 2, 2]);
  log.compact(marker(2, 1));
  assert.equal(log.epoch, 0);
  log.truncateFrom(4);
  assert.deepEqual([log.epoch, log.lastIndex, log.lastTerm], [1, 3, 2]);
  log.restartAt(marker(9, 5), false);
  assert.deepEqual([log.epoch, log.lastIndex, log.lastTerm, log.sizeBytes], [2, 9, 5, 0]);
});

test('a log is not cut at or before its marker, nor compacted where the term differs', () => {
  const log = logOf([3, 3], marker(5, 2));
  assert.throws(() => log.truncateFrom(5), InvariantError);
  assert.throws(() => log.compact(marker(6, 2)), InvariantError);
  assert.throws(() => log.compact(marker(8, 3)), InvariantError);
});

test('a slice has at least one entry, and stops before it is too large', () => {
  const log = new RaftLog(marker(0, 0), [entryOf(1, 1, 76), entryOf(2, 1, 76), entryOf(3, 1, 76)]); // 100 bytes each
  assert.deepEqual(
    log.slice(1, 1).map((entry) => entry.index),
    [1],
  );
  assert.deepEqual(
    log.slice(1, 200).map((entry) => entry.index),
    [1, 2],
  );
  assert.deepEqual(
    log.slice(2, 1000).map((entry) => entry.index),
    [2, 3],
  );
  assert.deepEqual(log.slice(4, 1000), []);
});

test('restarting with what follows keeps it', () => {
  const log = logOf([1, 1, 2, 2]);
  log.restartAt(marker(3, 2), true);
  assert.deepEqual([log.marker.index, termsOf(log)], [3, [2]]);
});

const anyTerms = fc
  .array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 })
  .map((terms) => terms.sort((a, b) => a - b));

test('up-to-date compares the last term, then the last index (§5.4.1)', () => {
  fc.assert(
    fc.property(anyTerms, anyTerms, (mine, theirs) => {
      const [a, b] = [logOf(mine), logOf(theirs)];
      const expected = b.lastTerm === a.lastTerm ? b.lastIndex >= a.lastIndex : b.lastTerm > a.lastTerm;
      assert.equal(a.isUpToDate(b.lastTerm, b.lastIndex), expected);
      assert.ok(a.isUpToDate(b.lastTerm, b.lastIndex) || b.isUpToDate(a.lastTerm, a.lastIndex));
    }),
  );
});

test('the search for where two logs meet ends at the last entry they share, in no more steps than there are terms (C15)', () => {
  fc.assert(
    fc.property(anyTerms, anyTerms, anyTerms, (shared, mine, theirs) => {
      const floor = shared.at(-1) ?? 0;
      const leader = logOf([...shared, ...mine.map((term) => floor + 2 * term)]);
      const follower = logOf([...shared, ...theirs.map((term) => floor + 2 * term - 1)]);
      let prev = leader.lastIndex;
      let steps = 0;
      while (follower.termAt(prev) === null || follower.termAt(prev) !== leader.termAt(prev)) {
        const hint = follower.lastIndexWithTermAtMost(prev, leader.termAt(prev) ?? 0);
        const next = leader.lastIndexWithTermAtMost(Math.min(hint, prev - 1), follower.termAt(hint) ?? 0);
        assert.ok(next < prev);
        prev = next;
        steps++;
      }
      assert.equal(prev, shared.length);
      assert.ok(steps <= new Set([...mine, ...theirs]).size + 1, `${steps} steps`);
    }),
  );
});

/** What a log should be, kept as a plain list. */
test('a log behaves as a list of terms with a beginning', () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), rise: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant('truncate' as const), back: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('compact' as const), by: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const log = logOf([]);
      const all: Term[] = [];
      let first = 1;
      for (const each of commands) {
        if (each.kind === 'append') {
          const term = (all.at(-1) ?? 1) + each.rise;
          all.push(term);
          log.append(entryOf(all.length, term));
        } else if (each.kind === 'truncate') {
          const from = all.length - each.back + 1;
          if (from < first) continue;
          all.length = from - 1;
          log.truncateFrom(from);
        } else {
          const index = first - 1 + each.by;
          if (index > all.length) continue;
          first = index + 1;
          log.compact(marker(index, all[index - 1] ?? 0));
        }
        assert.deepEqual(termsOf(log), all.slice(first - 1));
        assert.deepEqual([log.firstIndex, log.lastIndex, log.lastTerm], [first, all.length, all.at(-1) ?? 0]);
        assert.equal(log.sizeBytes, 24 * (all.length - first + 1));
      }
    }),
  );
});
