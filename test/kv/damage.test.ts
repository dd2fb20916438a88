import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandKind } from '../../src/kv/commands.js';
import { DamagedStoreError } from '../../src/kv/errors.js';
import type { Table } from '../../src/kv/ports.js';
import { encodeRecord, encodeRevision } from '../../src/kv/revision-record.js';
import { KvStateMachine } from '../../src/kv/state-machine.js';
import { decodeRangeRequest } from '../../src/kv/wire/decode.js';
import { encodeCompactionRequest, encodeDeleteRangeRequest, encodeRangeRequest } from '../../src/kv/wire/encode.js';
import { crc32 } from '../../src/lib/crc32.js';
import type { MemoryKvStore } from './memory-kv-store.js';
import { Driver } from './support.js';

/** Two keys with some history, one of them deleted and put again; a compaction; two members. */
async function sample(): Promise<Driver> {
  const driver = await Driver.start();
  driver.machine.bootstrapMembers([
    { id: 1n, name: 'one', peerURLs: [], clientURLs: [] },
    { id: 2n, name: 'two', peerURLs: [], clientURLs: [] },
  ]);
  for (const value of ['1', '2', '3', '4']) driver.put('a', value); // 2 to 5
  driver.put('b', '1'); // 6
  driver.done(CommandKind.deleteRange, encodeDeleteRangeRequest({ key: 'b' })); // 7
  driver.put('b', '2'); // 8
  driver.put('a', '5'); // 9
  driver.done(CommandKind.compact, encodeCompactionRequest({ revision: 4 }));
  driver.finishCompaction();
  await driver.machine.flush({ sync: true });
  return driver;
}

async function refusesToOpen(store: MemoryKvStore, pattern: RegExp): Promise<void> {
  await assert.rejects(KvStateMachine.open(store), (error: Error) => {
    assert.ok(error instanceof DamagedStoreError, String(error));
    assert.match(error.message, pattern);
    return true;
  });
}

test('a flipped bit anywhere is noticed, and told with table and key', async () => {
  const { store } = await sample();
  for (const table of ['revision', 'member', 'meta'] satisfies Table[]) {
    for (const key of store.keys(table)) {
      const value = store.get(table, key) as Buffer;
      for (let at = 0; at < value.length; at++) {
        const damaged = store.copy();
        const flipped = Buffer.from(value);
        flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
        damaged.damage(table, key, flipped);
        await refusesToOpen(damaged, new RegExp(`^table ${table}, key .+: `));
      }
    }
  }
});

test('a record cut short is noticed', async () => {
  const { store } = await sample();
  for (const table of ['revision', 'member', 'meta'] satisfies Table[]) {
    for (const key of store.keys(table)) {
      for (const length of [0, 3, 8]) {
        const damaged = store.copy();
        damaged.damage(table, key, (store.get(table, key) as Buffer).subarray(0, length));
        await refusesToOpen(damaged, new RegExp(`^table ${table}, key `));
      }
    }
  }
});

test('a record that has gone missing is noticed', async () => {
  const { store } = await sample();
  for (const table of ['revision', 'member', 'meta'] satisfies Table[]) {
    for (const key of store.keys(table)) {
      const damaged = store.copy();
      damaged.damage(table, key, null);
      await refusesToOpen(damaged, /^table /);
    }
  }
});

test('a record under another key is noticed', async () => {
  const { store } = await sample();
  const keys = store.keys('revision');
  for (const from of keys) {
    for (const to of keys) {
      if (from.equals(to)) continue;
      const damaged = store.copy();
      damaged.damage('revision', to, store.get('revision', from) as Buffer);
      await refusesToOpen(damaged, /checksum/);
    }
  }
});

test('records that are sound but do not fit each other are noticed', async () => {
  const { store } = await sample();
  const cases: [main: number, key: string, create: number, version: number, problem: RegExp][] = [
    [4, 'z', 4, 1, /key 5\.0: the history of its key before it is gone/],
    [5, 'z', 5, 1, /key 9\.0: it does not fit the history/],
    [8, 'b', 6, 2, /key 8\.0: it does not fit the history/],
    [8, 'b', 8, 2, /key 8\.0: it does not fit the history/],
    [9, 'a', 9, 5, /key 9\.0: it does not fit the history/],
    [9, 'a', 2, 4, /key 9\.0: it does not fit the history/],
    [9, 'y', 8, 2, /key 9\.0: the history of its key before it is gone/],
    [8, 'b', 0, 0, /key 8\.0: it does not fit the history/],
    [9, 'y', 0, 0, /key 9\.0: the history of its key before it is gone/],
  ];
  for (const [main, key, create, version, problem] of cases) {
    const damaged = store.copy();
    const record = encodeRecord(key, create, main, 0, version, Buffer.alloc(0), 0n);
    damaged.damage('revision', encodeRevision(main, 0), record);
    await refusesToOpen(damaged, problem);
  }
});

test('a record too many is noticed', async () => {
  const old = await sample();
  const { store } = old;
  old.put('c', '1');
  const before = store.copy();
  await old.machine.flush({ sync: true });
  const [newest] = store.keys('revision').slice(-1);
  before.damage('revision', newest as Buffer, store.get('revision', newest as Buffer) as Buffer);
  await refusesToOpen(before, /newer than the store/);
});

test('records without a state are noticed', async () => {
  const { store } = await sample();
  for (const key of store.keys('meta')) store.damage('meta', key, null);
  await refusesToOpen(store, /newer than the store/);
});

test('a newer format is refused without touching anything', async () => {
  const { store } = await sample();
  const [key] = store.keys('meta') as [Buffer];
  const value = store.get('meta', key) as Buffer;
  value[4] = 2;
  value.writeUInt32BE(crc32(value.subarray(4)), 0);
  store.damage('meta', key, value);
  const { writes } = store;
  await refusesToOpen(store, /format 2 is unknown, this build reads format 1; start the build that wrote it/);
  assert.equal(store.writes, writes);
});

test('damage that appears later is noticed by the read that meets it', async () => {
  const driver = await (await sample()).restart();
  const { store, machine } = driver;
  const [, key] = store.keys('revision') as [Buffer, Buffer];
  const value = store.get('revision', key) as Buffer;
  value[value.length - 1] = (value[value.length - 1] as number) ^ 1;
  store.damage('revision', key, value);
  const request = decodeRangeRequest(encodeRangeRequest({ key: 'a', revision: 5 }));
  assert.throws(
    () => machine.range(request),
    /^DamagedStoreError: table revision, key 5\.0: the checksum does not match/,
  );
  store.damage('revision', key, null);
  assert.throws(() => machine.range(request), /key 5\.0: the record is gone/);
});

test('damage that a command meets stops the member before it can be told as applied', async () => {
  const driver = await (await sample()).restart();
  const { store, machine } = driver;
  for (const key of store.keys('revision')) store.damage('revision', key, null);
  const { appliedIndex } = machine;
  const request = encodeDeleteRangeRequest({ key: 'a', prevKv: true });
  assert.throws(() => driver.apply(CommandKind.deleteRange, request), /the record is gone/);
  assert.equal(machine.appliedIndex, appliedIndex);
  await assert.rejects(machine.flush({ sync: true }), /the record is gone/);
});
