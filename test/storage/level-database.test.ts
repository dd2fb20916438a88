import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Level } from 'level';
import { StorageError } from '../../src/raft/errors.js';
import { LevelDatabase } from '../../src/storage/level-database.js';
import { put } from '../contracts/disk.contract.js';
import { temporaryDirectory } from './fixtures.js';

const MIB = 1024 * 1024;

async function newLevel(t: TestContext) {
  const path = await temporaryDirectory(t);
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer', writeBufferSize: MIB } as const;
  const level = new Level<Buffer, Buffer>(path, options);
  await level.open();
  t.after(() => level.close());
  return { path, level };
}

test('once a write has failed all later ones do, with the first error (S06)', async (t) => {
  const { level } = await newLevel(t);
  const database = new LevelDatabase(level);
  const makeBatch = t.mock.method(level, 'batch').mock;
  makeBatch.mockImplementationOnce(() => {
    throw new Error('IO error: no space left on device');
  });
  const writes = [1, 2].map((number) => database.write([put('a', String(number))], { sync: true }));
  await Promise.all(writes.map((write) => assert.rejects(write, StorageError)));
  await assert.rejects(
    database.write([put('a', '3')], { sync: false }),
    /cannot be written: IO error: no space left on device/,
  );
  assert.equal(database.get(Buffer.from('a')), undefined);
  assert.equal(makeBatch.callCount(), 1, 'nothing was tried again');
});

/** Notes which files are synced by Node; LevelDB's own syncs do not pass here. */
async function watchSyncs(t: TestContext, path: string): Promise<Set<string>> {
  const synced = new Set<string>();
  const handle = await open(path);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const sync: () => Promise<void> = Reflect.get(prototype, 'sync');
  t.mock.method(prototype, 'sync', function (this: FileHandle) {
    synced.add(basename(readlinkSync(`/proc/self/fd/${this.fd}`)));
    return Reflect.apply(sync, this, []);
  });
  return synced;
}

/** Writes until a write needs no sync of ours: the directory has not changed for a while. */
async function untilQuiet(database: LevelDatabase, synced: Set<string>, sync: boolean): Promise<void> {
  do {
    synced.clear();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await database.write([put('quiet', 'x')], { sync });
  } while (synced.size > 0);
}

for (const sync of [true, false]) {
  test(`a fresh log of LevelDB is made durable by name${sync ? '' : ', and so is the old one with its unsynced writes'} (S04, S07)`, async (t) => {
    const { path, level } = await newLevel(t);
    const database = new LevelDatabase(level);
    const synced = await watchSyncs(t, path);
    await untilQuiet(database, synced, sync);
    const logs = async () => (await readdir(path)).filter((name) => name.endsWith('.log')).join();
    const before = await logs();
    for (let number = 0; (await logs()) === before; number++) {
      assert.deepEqual([...synced], [], 'no need before the log changes');
      await database.write([{ key: Buffer.of(number), value: Buffer.alloc(MIB / 3, number) }], { sync });
    }
    assert.ok(synced.has(basename(path)), 'the directory');
    assert.equal(
      [...synced].some((name) => name.endsWith('.log')),
      !sync,
    );
    synced.clear();
    await database.write([], { sync: true });
    assert.equal(
      [...synced].some((name) => name.endsWith('.log')),
      !sync,
      'an empty write with sync makes the earlier ones durable',
    );
    await database.close();
    assert.ok((await readdir(join(path))).includes('CURRENT'));
  });
}
