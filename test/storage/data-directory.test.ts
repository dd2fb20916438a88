import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeEntry } from '../../src/raft/entry-codec.js';
import { DamageError, DirectoryLockedError } from '../../src/storage/errors.js';
import { LevelDisk, openDataDirectory } from '../../src/storage/level-disk.js';
import { RaftStoreOnDisk } from '../../src/storage/raft-store.js';
import { put } from '../contracts/disk.contract.js';
import { temporaryDirectory } from './fixtures.js';

const CHILD = fileURLToPath(new URL('./child-writer.ts', import.meta.url));

/** Starts child-writer.ts and waits for its first line. */
async function startChild(
  t: TestContext,
  path: string,
  mode: 'hold' | 'write',
  onLine: (line: string) => void = () => {},
) {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface(child.stdout);
  lines.on('line', onLine);
  await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => assert.fail('the child has left'))]);
  return child;
}

async function kill9(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

test('a data directory is made with all above it, for its owner only', async (t) => {
  const path = join(await temporaryDirectory(t), 'a', 'b');
  const directory = await openDataDirectory(path);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await (await directory.disk.open('kv', { create: true })).close();
  assert.equal((await stat(join(path, 'kv'))).mode & 0o777, 0o700);
  await directory.disk.writeFile('note.json', Buffer.from('x'));
  assert.equal((await stat(join(path, 'note.json'))).mode & 0o777, 0o600);
  await directory.close();
});

test('a second member in the same process is refused, by whatever path it comes (S12)', async (t) => {
  const above = await temporaryDirectory(t);
  const path = join(above, 'member');
  const directory = await openDataDirectory(path);
  await symlink(path, join(above, 'other-name'));
  for (const again of [path, join(above, 'other-name')]) {
    await assert.rejects(openDataDirectory(again), (error) => {
      assert.ok(error instanceof DirectoryLockedError);
      assert.match(
        error.message,
        new RegExp(`^data directory ${again} is in use by another member in this process \\(pid ${process.pid}\\); `),
      );
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
  await directory.close();
  await (await openDataDirectory(path)).close();
});

test('two members in one process that start at once: one gets the directory', async (t) => {
  const path = join(await temporaryDirectory(t), 'member');
  const starts = await Promise.allSettled([openDataDirectory(path), openDataDirectory(path), openDataDirectory(path)]);
  const granted = starts.filter((start) => start.status === 'fulfilled');
  assert.equal(granted.length, 1);
  await granted[0]!.value.close();
});

test('a second process is refused by the pid of the first, and the lock goes with kill -9 (S12)', async (t) => {
  const path = join(await temporaryDirectory(t), 'member');
  const child = await startChild(t, path, 'hold');
  await assert.rejects(openDataDirectory(path), (error) => {
    assert.ok(error instanceof DirectoryLockedError);
    assert.match(error.message, new RegExp(`is in use by process ${child.pid}; stop that one first`));
    return true;
  });
  await kill9(child);
  await (await openDataDirectory(path)).close();
});

test('where the file system grants every lock, the owner file still tells', async (t) => {
  const path = join(await temporaryDirectory(t), 'member');
  const child = await startChild(t, path, 'hold');
  await rename(join(path, 'lock'), join(path, 'lock-elsewhere')); // as if the kernel's lock did not reach us
  await assert.rejects(openDataDirectory(path), new RegExp(`is in use by process ${child.pid}`));
  await kill9(child);
  await (await openDataDirectory(path)).close();
});

test('an owner file left by a process that is gone is no obstacle, even when its pid is in use again', async (t) => {
  const path = await temporaryDirectory(t);
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const stale = [
    { pid: process.ppid, bootId: boot, startTime: '1' },
    { pid: process.ppid, bootId: 'another boot', startTime: '1' },
    { pid: process.pid, bootId: boot, startTime: '' },
    { pid: 2 ** 22 + 1, bootId: boot, startTime: '1' },
  ];
  for (const content of [...stale.map((owner) => JSON.stringify(owner)), '', '{"pid":12', '\0\0\0']) {
    await writeFile(join(path, 'owner.json'), content);
    await (await openDataDirectory(path)).close();
  }
});

test('a directory that cannot be locked says why, and is not left locked', async (t) => {
  const path = await temporaryDirectory(t);
  await mkdir(join(path, 'lock'));
  await writeFile(join(path, 'lock', 'CURRENT'), 'nonsense');
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(
      openDataDirectory(path),
      /lock: the lock is damaged; .*remove this directory: it holds no data/,
    );
  }
  await rm(join(path, 'lock'), { recursive: true });
  await writeFile(join(path, 'lock'), 'a file in its place');
  await assert.rejects(openDataDirectory(path), /lock cannot be opened: .*; check the disk, then restart/);
  await rm(join(path, 'lock'));
  await (await openDataDirectory(path)).close();
});

test('kill -9 in the middle of saves: every acknowledged entry is there, and they are what was saved', async (t) => {
  const path = join(await temporaryDirectory(t), 'member');
  for (const lifeMs of [150, 400, 30, 250]) {
    let acknowledged = 0;
    const child = await startChild(t, path, 'write', (line) => (acknowledged = Math.max(acknowledged, Number(line))));
    await new Promise((resolve) => setTimeout(resolve, lifeMs));
    await kill9(child);
    const directory = await openDataDirectory(path);
    const store = await RaftStoreOnDisk.open(directory.disk, { create: null });
    const { entries, hardState } = await store.load();
    assert.ok(
      acknowledged > 0 && entries.length >= acknowledged,
      `${entries.length} entries, ${acknowledged} acknowledged`,
    );
    assert.deepEqual(hardState, { currentTerm: 1, votedFor: 1n });
    for (const entry of entries) {
      assert.deepEqual(entry.record, makeEntry(entry.index, 1, Buffer.alloc(entry.index % 4000, entry.index)).record);
    }
    await store.close();
    await directory.close();
  }
});

/** Names within the directory after each step of a replace, as a crash would leave them. */
const interruptedReplaces: [string, string[], string[], string][] = [
  ['before it was decided', ['kv=old', 'incoming=new'], ['incoming', 'kv'], 'old'],
  ['after it was decided', ['kv=old', 'kv.next=new'], ['kv'], 'new'],
  ['with the old one aside', ['kv.old=old', 'kv.next=new'], ['kv'], 'new'],
  ['with the old one aside and an older one too', ['kv.old=older', 'kv=old', 'kv.next=new'], ['kv'], 'new'],
  ['before the old one was gone', ['kv.old=old', 'kv=new'], ['kv'], 'new'],
  ['while the old one went', ['kv.removing=old', 'kv=new', 'x.creating=old', 'note.json.new=old'], ['kv'], 'new'],
];

for (const [when, found, left, content] of interruptedReplaces) {
  test(`a replace that a crash interrupted ${when} leaves exactly one of the two`, async (t) => {
    const path = await temporaryDirectory(t);
    const maker = new LevelDisk(path);
    for (const place of found) {
      const [name = '', value = ''] = place.split('=');
      const database = await maker.open('making', { create: true });
      await database.write([put('content', value)], { sync: true });
      await database.close();
      await rename(join(path, 'making'), join(path, name));
    }
    const disk = new LevelDisk(path);
    const database = await disk.open('kv', { create: false });
    assert.equal(database.get(Buffer.from('content'))?.toString(), content);
    await database.close();
    assert.deepEqual((await readdir(path)).sort(), left);
  });
}

test('a database that is missing is damage', async (t) => {
  const disk = new LevelDisk(await temporaryDirectory(t));
  await assert.rejects(disk.open('kv', { create: false }), DamageError);
  await assert.rejects(disk.replace('kv', 'incoming'), DamageError);
});

test('names that could leave the directory or meet names of our own are refused', async (t) => {
  const disk = new LevelDisk(await temporaryDirectory(t));
  for (const name of ['../kv', 'a/b', '', '.', 'kv.old', 'kv.next', 'KV']) {
    await assert.rejects(disk.open(name, { create: true }), TypeError);
  }
});

test("unsynced writes survive a change of LevelDB's log, and a sync covers all of them", async (t) => {
  const path = await temporaryDirectory(t);
  const database = await new LevelDisk(path).open('kv', { create: true });
  const value = Buffer.alloc(1024 * 1024, 1);
  for (let number = 0; number < 40; number++) {
    await database.write([{ key: Buffer.of(number), value }], { sync: number % 16 === 15 });
  }
  await database.write([], { sync: true });
  await database.close();
  const again = await new LevelDisk(path).open('kv', { create: false });
  for (let number = 0; number < 40; number++) assert.ok(again.get(Buffer.of(number))?.equals(value));
  await again.close();
});
