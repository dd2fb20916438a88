import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { makeEntry } from '../../src/raft/entry-codec.js';
import { StorageError } from '../../src/raft/errors.js';
import type { Entry } from '../../src/raft/messages.js';
import type { Disk, Operation } from '../../src/storage/disk.js';
import { DamageError } from '../../src/storage/errors.js';
import { CHUNK_RANGE, MARKER_KEY, STATE_KEY, chunkKey } from '../../src/storage/keyspace.js';
import { RaftStoreOnDisk } from '../../src/storage/raft-store.js';
import { MARKER_0, log, marker, terms } from '../contracts/raft-store.contract.js';
import { RecordingDisk, levelDiskFixture } from './fixtures.js';

/** A new, loaded store over a disk that records what is written after that. */
async function newStore(t: TestContext) {
  const fixture = await levelDiskFixture();
  const disk = new RecordingDisk(fixture.disk);
  const store = await RaftStoreOnDisk.open(disk, { create: MARKER_0 });
  await store.load();
  t.after(async () => {
    await store.close();
    await fixture.dispose();
  });
  disk.batches.length = 0;
  return { disk, store };
}

async function reopened(t: TestContext, disk: Disk): Promise<RaftStoreOnDisk> {
  const store = await RaftStoreOnDisk.open(disk, { create: null });
  t.after(() => store.close());
  return store;
}

const TERM_9 = { currentTerm: 9, votedFor: null };

test('saves that meet share a write: a hundred at once take one, a hundred more while it runs one other', async (t) => {
  const { disk, store } = await newStore(t);
  await store.save({ hardState: TERM_9 });
  disk.batches.length = 0;
  const saves = Array.from({ length: 100 }, (_, number) => store.save({ entries: log(number + 1, 1, 1) }));
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(disk.batches.length, 1);
  for (let number = 100; number < 200; number++) saves.push(store.save({ entries: log(number + 1, 1, 1) }));
  await Promise.all(saves);
  assert.equal(disk.batches.length, 2);
  assert.deepEqual(
    disk.batches.map(({ operations }) => operations.length),
    [2, 2],
    'one chunk and one state record each',
  );
});

test('everything is written with sync', async (t) => {
  const { disk, store } = await newStore(t);
  await store.save({ hardState: TERM_9, entries: log(1, 1, 4) });
  await store.compact(marker(2, 1));
  await store.beginInstall(marker(9, 3));
  await store.finishInstall(marker(9, 3), false);
  assert.equal(disk.batches.length, 4);
  assert.ok(disk.batches.every(({ sync }) => sync));
});

test('what a later save of the same write replaces never reaches the disk', async (t) => {
  const { disk, store } = await newStore(t);
  await Promise.all([
    store.save({ hardState: { currentTerm: 1, votedFor: null }, entries: log(1, 1, 1000) }),
    store.save({ hardState: { currentTerm: 2, votedFor: null }, entries: log(3, 2, 1) }),
  ]);
  assert.deepEqual(
    disk.batches.map(({ operations }) => operations.map(({ key }) => key)),
    [[chunkKey(3), STATE_KEY]],
  );
});

test('a large save is split into chunks of at most 1 MiB, in one batch', async (t) => {
  const { disk, store } = await newStore(t);
  const entries = [...log(1, 1, 30, 100_000), makeEntry(31, 1, Buffer.alloc(3_000_000, 1)), ...log(32, 1, 2)];
  await store.save({ hardState: TERM_9, entries });
  assert.equal(disk.batches.length, 1);
  const sizes = disk.batches[0]!.operations.filter(isChunk).map(({ value }) => value!.length);
  assert.equal(sizes.length, 5);
  assert.equal(sizes.filter((size) => size > 1024 * 1024).length, 1, 'only the one entry that is larger by itself');
  await store.close();
  assert.deepEqual((await (await reopened(t, disk)).load()).entries, entries);
});

test('one write takes no more than 8 MiB, so that the first save does not wait for all', async (t) => {
  const { disk, store } = await newStore(t);
  const large = (number: number) => [makeEntry(number, 1, Buffer.alloc(3 * 1024 * 1024, number))];
  await Promise.all(
    [1, 2, 3, 4, 5].map((number) =>
      store.save({ hardState: { currentTerm: number, votedFor: null }, entries: large(number) }),
    ),
  );
  assert.deepEqual(
    disk.batches.map(({ operations }) => operations.filter(isChunk).map(({ key }) => Number(key.readBigUInt64BE(1)))),
    [[1, 2], [3, 4], [5]],
  );
  await store.close();
  const loaded = await (await reopened(t, disk)).load();
  assert.equal(terms(loaded), '1@1 2@1 3@1 4@1 5@1');
  assert.equal(loaded.hardState.currentTerm, 5);
});

test('each write carries the state of its own last save, not of one that waits', async (t) => {
  const { disk, store } = await newStore(t);
  const large = (number: number) => [makeEntry(number, 1, Buffer.alloc(5 * 1024 * 1024, number))];
  disk.refuseAfter = 1;
  const first = store.save({ hardState: { currentTerm: 1, votedFor: 1n }, entries: large(1) });
  const second = store.save({ hardState: { currentTerm: 2, votedFor: 2n }, entries: large(2) });
  await Promise.all([first, assert.rejects(second, StorageError)]);
  await store.close();
  const loaded = await (await reopened(t, disk)).load();
  assert.deepEqual([loaded.hardState, terms(loaded)], [{ currentTerm: 1, votedFor: 1n }, '1@1']);
});

test('a cut in the middle of a chunk rewrites its head and deletes the rest in the same batch', async (t) => {
  const { disk, store } = await newStore(t);
  await store.save({ hardState: TERM_9, entries: log(1, 1, 10) });
  await store.save({ entries: log(11, 1, 10) });
  disk.batches.length = 0;
  await store.save({ entries: log(6, 9, 2) });
  const changes = disk.batches.map(({ operations }) =>
    operations.filter(isChunk).map(({ key, value }) => `${key.readBigUInt64BE(1)}:${value === null ? 'gone' : 'put'}`),
  );
  assert.deepEqual(changes, [['20:gone', '10:gone', '5:put', '7:put']]);
  await store.close();
  const { entries } = await (await reopened(t, disk)).load();
  assert.deepEqual(entries, [...log(1, 1, 5), ...log(6, 9, 2)]);
});

test('after a failed write every save rejects, those under way and all later ones (S06)', async (t) => {
  const { disk, store } = await newStore(t);
  disk.refuseAfter = 0;
  const refused = [store.save({ hardState: TERM_9 }), store.save({ entries: log(1, 1, 1) })];
  await Promise.all(refused.map((save) => assert.rejects(save, StorageError)));
  disk.refuseAfter = Infinity;
  for (const later of [
    store.save({ entries: log(2, 1, 1) }),
    store.compact(MARKER_0),
    store.beginInstall(marker(3, 1)),
    store.finishInstall(marker(3, 1), false),
  ]) {
    await assert.rejects(later, /the log cannot be saved: EIO/);
  }
  assert.equal(disk.batches.length, 0);
});

test('a change that cannot follow what was saved is refused, not written', async (t) => {
  const { disk, store } = await newStore(t);
  await store.save({ hardState: TERM_9, entries: log(1, 1, 3) });
  await store.compact(marker(2, 1));
  disk.batches.length = 0;
  await assert.rejects(store.save({ entries: log(5, 1, 1) }), /entry 5 leaves a gap after 3/);
  await assert.rejects(store.save({ entries: log(2, 1, 1) }), /entry 2 is in the snapshot through 2/);
  await assert.rejects(store.save({ hardState: { currentTerm: 8, votedFor: 1n } }), /term 8 is saved after term 9/);
  await assert.rejects(store.save({ entries: log(4, 10, 1) }), /entry 4 has term 10/);
  await assert.rejects(store.compact(marker(1, 1)), /the log begins at 2/);
  await assert.rejects(store.compact(marker(9, 1)), /the log ends with 3/);
  assert.equal(disk.batches.length, 0);
});

test('an empty database is refused where one was expected, and begun anew where it may be', async (t) => {
  const { disk, dispose } = await levelDiskFixture();
  await (await disk.open('raft', { create: true })).close(); // created, then the member stopped
  await assert.rejects(RaftStoreOnDisk.open(disk, { create: null }), /raft: the database is empty/);
  const store = await RaftStoreOnDisk.open(disk, { create: MARKER_0 });
  t.after(() => store.close().then(dispose));
  assert.deepEqual((await store.load()).snapshot, MARKER_0);
});

/** What someone or something did to the database behind the store's back, and what the refusal says. */
const damages: [string, (put: (operation: Operation) => void, get: (key: Buffer) => Buffer) => void, RegExp][] = [
  [
    'the first chunk is gone',
    (put) => put({ key: chunkKey(4), value: null }),
    /entry 1 is missing, the log goes on with entry 5/,
  ],
  [
    'a chunk in the middle is gone',
    (put) => put({ key: chunkKey(8), value: null }),
    /entry 5 is missing, the log goes on with entry 9/,
  ],
  [
    'the last chunk is gone',
    (put) => put({ key: chunkKey(12), value: null }),
    /ends with index 8 of term 2, expected index 12 of term 2/,
  ],
  [
    'all chunks are gone',
    (put) => [4, 8, 12].forEach((last) => put({ key: chunkKey(last), value: null })),
    /ends with index 0 of term 0, expected index 12/,
  ],
  [
    'a chunk is empty',
    (put) => put({ key: chunkKey(8), value: Buffer.alloc(0) }),
    /the chunk for index 8 ends with index none/,
  ],
  [
    'a chunk has lost its last record',
    (put, get) => put({ key: chunkKey(8), value: get(chunkKey(8)).subarray(0, -44) }),
    /the chunk for index 8 ends with index 7/,
  ],
  [
    'a chunk is cut within a record',
    (put, get) => put({ key: chunkKey(8), value: get(chunkKey(8)).subarray(0, -1) }),
    /the chunk for index 8 is damaged: record at byte 132 needs 44 bytes, 43 are left/,
  ],
  [
    'a byte of a payload has changed',
    (put, get) => put({ key: chunkKey(8), value: flipped(get(chunkKey(8)), 30) }),
    /the chunk for index 8 is damaged: record at byte 0 has checksum/,
  ],
  [
    'a term falls',
    (put) => put({ key: chunkKey(12), value: records(log(9, 1, 4)) }),
    /entry 9 has term 1, expected at least 2/,
  ],
  [
    'an entry has a term beyond the current one',
    (put) => put({ key: chunkKey(12), value: records(log(9, 99, 4)) }),
    /ends with index 12 of term 99, expected index 12 of term 2/,
  ],
  ['the state is gone', (put) => put({ key: STATE_KEY, value: null }), /the record of term and vote is missing/],
  [
    'a bit of the state has changed',
    (put, get) => put({ key: STATE_KEY, value: flipped(get(STATE_KEY), 3) }),
    /the record of term and vote is damaged/,
  ],
  ['the marker is gone', (put) => put({ key: MARKER_KEY, value: null }), /the record of snapshot marker is missing/],
  [
    'a bit of the marker has changed',
    (put, get) => put({ key: MARKER_KEY, value: flipped(get(MARKER_KEY), 25) }),
    /the record of snapshot marker is damaged/,
  ],
];

for (const [what, damage, message] of damages) {
  test(`refused with what was found and expected: ${what}`, async (t) => {
    const { disk, store } = await newStore(t);
    await store.save({ hardState: { currentTerm: 2, votedFor: null }, entries: log(1, 1, 4) });
    await store.save({ entries: log(5, 2, 4) });
    await store.save({ entries: log(9, 2, 4) });
    await store.close();
    const database = await disk.open('raft', { create: false });
    const operations: Operation[] = [];
    damage(
      (operation) => operations.push(operation),
      (key) => database.get(key)!,
    );
    await database.write(operations, { sync: true });
    await database.close();
    await assert.rejects(RaftStoreOnDisk.open(disk, { create: MARKER_0 }), (error) => {
      assert.ok(error instanceof DamageError);
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`${disk.path}/raft: `), 'names the database');
      assert.match(error.message, /see docs\/operating.md/, 'names the way out');
      return true;
    });
  });
}

test('whatever was saved, cut, compacted and installed, together or one by one, a restart finds exactly the result', async () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), back: fc.nat(6), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('vote' as const) }),
    fc.record({ kind: fc.constant('compact' as const), ahead: fc.nat(8) }),
    fc.record({ kind: fc.constant('install' as const), ahead: fc.nat(4), keep: fc.boolean() }),
    fc.record({ kind: fc.constant('restart' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(action, fc.boolean()), { maxLength: 25 }), async (actions) => {
      const fixture = await levelDiskFixture();
      try {
        let store = await RaftStoreOnDisk.open(fixture.disk, { create: MARKER_0 });
        await store.load();
        let entries: Entry[] = [];
        let begin = MARKER_0;
        let currentTerm = 1;
        await store.save({ hardState: { currentTerm, votedFor: null } });
        let asked: Promise<void>[] = [];
        for (const [step, waits] of actions) {
          const lastIndex = begin.index + entries.length;
          if (step.kind === 'append') {
            const first = Math.max(begin.index + 1, lastIndex + 1 - step.back);
            const added = log(first, currentTerm, step.count);
            entries = [...entries.slice(0, first - begin.index - 1), ...added];
            asked.push(store.save({ entries: added }));
          } else if (step.kind === 'vote') {
            currentTerm++;
            asked.push(store.save({ hardState: { currentTerm, votedFor: 5n } }));
          } else if (step.kind === 'compact') {
            const index = Math.min(lastIndex, begin.index + step.ahead);
            const term = entries[index - begin.index - 1]?.term ?? begin.term;
            entries = entries.slice(index - begin.index);
            begin = marker(index, term);
            asked.push(store.compact(begin));
          } else if (step.kind === 'install') {
            const keeps = step.keep && begin.index + step.ahead <= lastIndex;
            const index = begin.index + step.ahead;
            const term = keeps ? (entries[index - begin.index - 1]?.term ?? begin.term) : currentTerm;
            entries = keeps ? entries.slice(index - begin.index) : [];
            begin = marker(index, term);
            asked.push(store.beginInstall(begin), store.finishInstall(begin, keeps));
          }
          if (waits || step.kind === 'restart') asked = await Promise.all(asked).then(() => []);
          if (step.kind === 'restart') {
            await store.close();
            store = await RaftStoreOnDisk.open(fixture.disk, { create: null });
            const loaded = await store.load();
            assert.deepEqual(loaded.entries, entries);
            assert.deepEqual(loaded.snapshot, begin);
            assert.equal(loaded.hardState.currentTerm, currentTerm);
          }
        }
        await Promise.all(asked);
        await store.close();
        store = await RaftStoreOnDisk.open(fixture.disk, { create: null });
        const loaded = await store.load();
        await store.close();
        assert.deepEqual(loaded.entries, entries);
        assert.deepEqual(loaded.snapshot, begin);
        assert.equal(loaded.installing, null);
      } finally {
        await fixture.dispose();
      }
    }),
    { numRuns: 40 },
  );
});

function isChunk({ key }: Operation): boolean {
  return key[0] === CHUNK_RANGE.gte[0];
}

function records(entries: readonly Entry[]): Buffer {
  return Buffer.concat(entries.map(({ record }) => record));
}

function flipped(bytes: Buffer, position: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[position]! ^= 0x10;
  return copy;
}
