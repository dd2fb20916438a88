import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandKind } from '../../src/kv/commands.js';
import { encodePublishMember } from '../../src/kv/members.js';
import { decodeRevision } from '../../src/kv/revision-record.js';
import { KvStateMachine } from '../../src/kv/state-machine.js';
import { decodeRangeRequest, decodeTxnRequest } from '../../src/kv/wire/decode.js';
import {
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from '../../src/kv/wire/encode.js';
import { MemoryKvStore } from './memory-kv-store.js';
import { Driver } from './support.js';

const everything = decodeRangeRequest(encodeRangeRequest({ key: '\0', rangeEnd: '\0' }));
const countAll = { ...everything, countOnly: true };

function compact(driver: Driver, revision: number): void {
  driver.done(CommandKind.compact, encodeCompactionRequest({ revision }));
}

function remove(driver: Driver, key: string, rangeEnd = ''): void {
  driver.done(CommandKind.deleteRange, encodeDeleteRangeRequest({ key, rangeEnd }));
}

function revisions(store: MemoryKvStore): string[] {
  return store.keys('revision').map((key) => {
    const { main, sub } = decodeRevision(key);
    return `${main}.${sub}`;
  });
}

test('a new store begins at revision 1, never compacted', async () => {
  const { machine } = await Driver.start();
  const { appliedIndex, appliedTerm, revision, compactRevision, pendingBytes } = machine;
  assert.deepEqual(
    { appliedIndex, appliedTerm, revision, compactRevision, pendingBytes },
    { appliedIndex: 0, appliedTerm: 0, revision: 1, compactRevision: -1, pendingBytes: 0 },
  );
});

test('entries are applied one after the other, without a gap', async () => {
  const { machine } = await Driver.start();
  machine.applyNoop(1, 3);
  assert.throws(() => machine.applyNoop(1, 3), /entry 1 cannot be applied after entry 1/);
  assert.throws(() => machine.applyNoop(3, 3), /entry 3 cannot be applied after entry 1/);
  machine.applyNoop(2, 4);
  assert.deepEqual([machine.appliedIndex, machine.appliedTerm], [2, 4]);
});

test('a flush makes everything applied so far durable, with the index it was applied at', async () => {
  const driver = await Driver.start();
  driver.put('a', '1');
  assert.ok(driver.machine.pendingBytes > 0);
  const lost = await driver.restart();
  assert.deepEqual([lost.machine.appliedIndex, lost.machine.revision], [0, 1]);
  await driver.machine.flush({ sync: false });
  assert.equal(driver.machine.pendingBytes, 0);
  const kept = await driver.restart();
  assert.deepEqual([kept.machine.appliedIndex, kept.machine.appliedTerm, kept.machine.revision], [1, 1, 2]);
  assert.equal(kept.machine.contentHash(), driver.machine.contentHash());
});

test('what is applied during a flush is read from memory and goes into the next one', async () => {
  const driver = await Driver.start();
  const { machine, store } = driver;
  driver.put('a', '1');
  store.hold();
  const first = machine.flush({ sync: false });
  driver.put('a', '2');
  driver.put('b', '3');
  const second = machine.flush({ sync: false });
  driver.put('c', '4');
  assert.equal(store.writes, 0);
  const before = machine.range(everything);
  assert.equal(store.gets, 1, 'only the state, at the start');
  store.release();
  await first;
  await second;
  assert.equal(store.writes, 2);
  assert.ok(machine.pendingBytes > 0, 'c is still pending');
  assert.deepEqual(machine.range(everything), before);
  const restarted = await driver.restart();
  assert.deepEqual([restarted.machine.appliedIndex, restarted.machine.revision], [3, 4]);
});

test('a crash during a flush loses all of it or nothing', async () => {
  const driver = await Driver.start();
  driver.put('a', '1');
  driver.store.hold();
  const flushed = driver.machine.flush({ sync: true });
  assert.equal((await driver.restart()).machine.appliedIndex, 0);
  driver.store.release();
  await flushed;
  assert.equal((await driver.restart()).machine.appliedIndex, 1);
});

test('an unsynced flush with nothing to write writes nothing, a synced one does', async () => {
  const { machine, store } = await Driver.start();
  await machine.flush({ sync: false });
  assert.equal(store.writes, 0);
  await machine.flush({ sync: true });
  assert.equal(store.writes, 1);
  machine.applyNoop(1, 1);
  await machine.flush({ sync: false });
  assert.equal(store.writes, 2, 'the applied index has risen');
});

test('after a failed flush nothing works any more', async () => {
  const driver = await Driver.start();
  driver.put('a', '1');
  driver.store.failure = new Error('no space left on device');
  await assert.rejects(driver.machine.flush({ sync: true }), /no space left/);
  driver.store.failure = null;
  await assert.rejects(driver.machine.flush({ sync: true }), /no space left/);
  assert.throws(() => driver.put('a', '2'), /no space left/);
});

test('a closed state machine says so', async () => {
  const driver = await Driver.start();
  driver.machine.close();
  assert.throws(() => driver.put('a', '1'), /closed/);
  await assert.rejects(driver.machine.flush({ sync: true }), /closed/);
});

test('compaction removes from the store what cannot be read any more', async () => {
  const driver = await Driver.start();
  for (const value of ['1', '2', '3']) driver.put('a', value); // 2, 3, 4
  driver.put('b', '1'); // 5
  remove(driver, 'b'); // 6
  driver.put('c', '1'); // 7
  await driver.machine.flush({ sync: false });
  compact(driver, 5);
  driver.finishCompaction();
  await driver.machine.flush({ sync: false });
  assert.deepEqual(revisions(driver.store), ['4.0', '5.0', '6.0', '7.0']);
  compact(driver, 6);
  driver.finishCompaction();
  await driver.machine.flush({ sync: false });
  assert.deepEqual(revisions(driver.store), ['4.0', '6.0', '7.0'], 'a deletion at the compact revision stays');
  compact(driver, 7);
  driver.finishCompaction();
  await driver.machine.flush({ sync: false });
  assert.deepEqual(revisions(driver.store), ['4.0', '7.0']);
  assert.equal(driver.machine.indexedKeys, 2);
});

test('compaction may remove what was never flushed', async () => {
  const driver = await Driver.start();
  driver.put('a', '1');
  driver.put('a', '2');
  compact(driver, 3);
  driver.finishCompaction();
  await driver.machine.flush({ sync: false });
  assert.deepEqual(revisions(driver.store), ['3.0']);
  assert.equal((await driver.restart()).machine.contentHash(), driver.machine.contentHash());
});

test('a long history goes in slices, and a crash between any two of them does no harm (S17)', async () => {
  const driver = await Driver.start();
  for (let version = 1; version <= 20; version++) driver.put('a', String(version));
  remove(driver, 'a'); // 22
  driver.put('b', '1'); // 23
  compact(driver, 23);
  await driver.machine.flush({ sync: true });
  const hash = driver.machine.contentHash();
  let slices = 0;
  for (let hasWork = true; hasWork; slices++) {
    hasWork = driver.machine.compactionStep(4);
    await driver.machine.flush({ sync: false });
    const crashed = await driver.restart();
    assert.equal(crashed.machine.contentHash(), hash);
    assert.equal(crashed.machine.revision, 23);
    crashed.finishCompaction();
    await crashed.machine.flush({ sync: false });
    assert.deepEqual(revisions(crashed.store), ['23.0']);
  }
  assert.ok(slices >= 5, `${slices} slices`);
});

test('a range under way holds compaction off, and no longer', async () => {
  const driver = await Driver.start();
  const { machine } = driver;
  for (const key of ['a', 'b', 'c']) driver.put(key, 'old');
  const before = machine.range(everything);
  const read = machine.openRange(everything);
  assert.equal(read.step(1), null);
  for (const key of ['a', 'b', 'c']) driver.put(key, 'new');
  remove(driver, 'a', '\0');
  compact(driver, machine.revision);
  assert.equal(machine.compactionStep(100), true);
  assert.equal(machine.indexedKeys, 3);
  let result = null;
  while (result === null) result = read.step(1);
  assert.deepEqual(result, before);
  assert.throws(() => read.step(1), /has been answered or closed/);
  assert.equal(machine.compactionStep(100), false);
});

test('a range that is given up holds nothing off', async () => {
  const driver = await Driver.start();
  driver.put('a', '1');
  const read = driver.machine.openRange(everything);
  driver.put('a', '2');
  compact(driver, 3);
  read.close();
  read.close();
  assert.equal(driver.machine.compactionStep(100), false);
});

test('who waits for a compaction hears of it when the store has lost the entries', async () => {
  const driver = await Driver.start();
  const { machine } = driver;
  const heard: string[] = [];
  driver.put('a', '1');
  driver.put('a', '2');
  compact(driver, 2);
  machine.onCompacted(2, () => heard.push('2'));
  compact(driver, 3);
  machine.onCompacted(3, () => heard.push('3'));
  machine.compactionStep(1);
  await machine.flush({ sync: false });
  driver.finishCompaction();
  assert.equal(heard.length, 0);
  await machine.flush({ sync: false });
  assert.equal(heard.join(), '2,3');
  machine.onCompacted(3, () => heard.push('at once'));
  assert.equal(heard.join(), '2,3,at once');
});

test('a second compaction during the first one is done after it', async () => {
  const driver = await Driver.start();
  for (const key of ['a', 'b', 'c', 'd']) for (const value of ['1', '2', '3']) driver.put(key, value);
  compact(driver, 4);
  driver.machine.compactionStep(1);
  compact(driver, driver.machine.revision);
  driver.finishCompaction();
  await driver.machine.flush({ sync: false });
  assert.deepEqual(revisions(driver.store), ['4.0', '7.0', '10.0', '13.0']);
});

test('the hash of the key space does not depend on how far compaction has come', async () => {
  const driver = await Driver.start();
  for (let round = 0; round < 3; round++) for (const key of ['a', 'b', 'c']) driver.put(key, `${round}`);
  remove(driver, 'b');
  const { machine } = driver;
  assert.equal(machine.hashKV(0).compactRevision, -1);
  const never = machine.hashKV(7);
  compact(driver, 6);
  const before = machine.hashKV(0);
  assert.notEqual(never.hash, machine.hashKV(7).hash);
  assert.deepEqual({ ...before, hash: 0 }, { hash: 0, compactRevision: 6, revision: 11 });
  driver.finishCompaction();
  assert.deepEqual(machine.hashKV(0), before);
  assert.deepEqual(machine.hashKV(11), before);
  assert.notEqual(machine.hashKV(10).hash, before.hash);
  const slices = machine.openHash(0);
  let inSlices = null;
  while (inSlices === null) inSlices = slices.step(1);
  assert.deepEqual(inSlices, before);
  assert.throws(() => machine.hashKV(5), { code: 'KV_COMPACTED' });
  assert.throws(() => machine.hashKV(12), { code: 'KV_FUTURE_REVISION' });
  assert.equal(machine.hashKV(6).revision, 6);
});

test('keys are counted rightly after every kind of change, taken back ones too', async () => {
  const driver = await Driver.start();
  const count = (): number => driver.machine.range(countAll).body[1] ?? 0;
  const txn = (...success: Parameters<typeof encodeTxnRequest>[0]['success'] & object): string =>
    driver.refused(CommandKind.txn, encodeTxnRequest({ success }));
  const put = (key: string, ignoreValue = false) =>
    ({
      kind: 'put',
      request: { key, value: Buffer.alloc(0), lease: 0n, prevKv: false, ignoreValue, ignoreLease: false },
    }) as const;
  const del = (key: string, rangeEnd: string) =>
    ({ kind: 'deleteRange', request: { key, rangeEnd, prevKv: false } }) as const;
  driver.put('a', '1');
  driver.put('b', '1');
  assert.equal(count(), 2);
  assert.equal(txn(del('a', '\0'), put('b', true)), 'KV_KEY_NOT_FOUND');
  assert.equal(count(), 2);
  remove(driver, 'a');
  assert.equal(count(), 1);
  assert.equal(txn(put('a'), put('c'), del('b', '\0'), put('b', true)), 'KV_KEY_NOT_FOUND');
  assert.equal(count(), 1);
  assert.equal(driver.machine.indexedKeys, 2);
  driver.put('a', '2');
  assert.equal(count(), 2);
  remove(driver, 'a', '\0');
  compact(driver, driver.machine.revision);
  driver.put('c', '1');
  compact(driver, driver.machine.revision);
  driver.finishCompaction();
  assert.deepEqual([count(), driver.machine.indexedKeys], [1, 1]);
});

test('a transaction that may write is not answered as a read', async () => {
  const { machine } = await Driver.start();
  const writing = decodeTxnRequest(
    encodeTxnRequest({ success: [{ kind: 'deleteRange', request: { key: 'a', rangeEnd: '', prevKv: false } }] }),
  );
  assert.throws(() => machine.readTxn(writing), /must be a command/);
});

test('members are told at bootstrap, publish themselves, and are kept', async () => {
  const driver = await Driver.start();
  const [one, two] = [2n ** 64n - 1n, 7n];
  driver.machine.bootstrapMembers([
    { id: one, name: '', peerURLs: ['http://one:2380'], clientURLs: [] },
    { id: two, name: '', peerURLs: ['http://two:2380', 'http://two:2390'], clientURLs: [] },
  ]);
  const publish = (id: bigint, name: string): void => {
    driver.done(CommandKind.publishMember, encodePublishMember({ id, name, clientURLs: [`http://${name}:2379`] }));
  };
  publish(one, 'one');
  publish(99n, 'stranger');
  const expected = [
    { id: two, name: '', peerURLs: ['http://two:2380', 'http://two:2390'], clientURLs: [] },
    { id: one, name: 'one', peerURLs: ['http://one:2380'], clientURLs: ['http://one:2379'] },
  ];
  assert.deepEqual(driver.machine.members(), expected);
  assert.equal(driver.machine.revision, 1);
  assert.throws(() => driver.machine.bootstrapMembers([]), /before the first command/);
  await driver.machine.flush({ sync: true });
  const restarted = await driver.restart();
  assert.deepEqual(restarted.machine.members(), expected);
  assert.equal(restarted.machine.contentHash(), driver.machine.contentHash());
});

test('a large value goes around the cache', async () => {
  const store = new MemoryKvStore();
  const driver = new Driver(store, await KvStateMachine.open(store, { cacheBytes: 8000 }));
  driver.done(CommandKind.put, encodePutRequest({ key: 'small', value: Buffer.alloc(10) }));
  driver.done(CommandKind.put, encodePutRequest({ key: 'large', value: Buffer.alloc(5000) }));
  await driver.machine.flush({ sync: false });
  const getsFor = (key: string): number => {
    const before = store.gets;
    const request = decodeRangeRequest(encodeRangeRequest({ key }));
    for (let read = 0; read < 3; read++) driver.machine.range(request);
    return store.gets - before;
  };
  assert.deepEqual([getsFor('small'), getsFor('large')], [1, 3]);
});
