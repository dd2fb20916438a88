import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../src/storage/disk.js';
import { SimDisk } from './disk.js';
import { FaultCounts } from './fault-counts.js';
import { Machine } from './machine.js';
import { SeededRandom } from './random.js';
import { Scheduler } from './scheduler.js';
import { type CrashMode, Volume } from './volume.js';

function machineWithDisk(seed = 1n) {
  const random = new SeededRandom(seed);
  const scheduler = new Scheduler({ random: random.fork('scheduler') });
  const volume = new Volume(random.fork('disk'));
  const machine = new Machine(0, 'm1');
  const counts = new FaultCounts();
  const boot = () => {
    machine.start();
    return new SimDisk(scheduler, machine, volume, { writeMs: 0.1, syncMs: 2 }, counts);
  };
  const crash = (mode: CrashMode) => {
    machine.crash();
    volume.crash(mode);
  };
  /** Lets virtual time run until `promise` is settled. */
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let isSettled = false;
    const note = () => void (isSettled = true);
    promise.then(note, note);
    await scheduler.run(scheduler.nowMs + 60_000, () => isSettled);
    return promise;
  };
  return { scheduler, volume, counts, boot, crash, settle };
}

const bytes = (text: string) => Buffer.from(text);
const put = (key: string, value: string) => ({ key: bytes(key), value: bytes(value) });
const read = (database: Database, key: string) => database.get(bytes(key))?.toString();

test('a synced write survives a power cut, with all writes before it', async () => {
  for (let seed = 1n; seed <= 20n; seed++) {
    const { boot, crash, settle } = machineWithDisk(seed);
    const database = await settle(boot().open('raft', { create: true }));
    void database.write([put('a', '1')], { sync: false });
    await settle(database.write([put('b', '2')], { sync: true }));
    crash('power');
    const again = await settle(boot().open('raft', { create: false }));
    assert.equal(read(again, 'a'), '1');
    assert.equal(read(again, 'b'), '2');
  }
});

test('a power cut keeps a prefix of what was not synced: none, some or all, never with a hole', async () => {
  const seen = new Set<number>();
  for (let seed = 1n; seed <= 60n; seed++) {
    const { boot, crash, settle } = machineWithDisk(seed);
    const database = await settle(boot().open('kv', { create: true }));
    for (let count = 1; count <= 4; count++) await settle(database.write([put('count', `${count}`)], { sync: false }));
    crash('power');
    const again = await settle(boot().open('kv', { create: false }));
    seen.add(Number(read(again, 'count') ?? 0));
  }
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4]);
});

test('a killed process leaves what it was told is written; what was under way is there or not', async () => {
  const seen = new Set<string>();
  for (let seed = 1n; seed <= 30n; seed++) {
    const { boot, crash, settle } = machineWithDisk(seed);
    const database = await settle(boot().open('kv', { create: true }));
    await settle(database.write([put('a', 'written')], { sync: false }));
    void database.write([put('a', 'under way'), put('b', 'under way')], { sync: true }).then(() => assert.fail());
    crash('kill');
    const again = await settle(boot().open('kv', { create: false }));
    seen.add(`${read(again, 'a')}, ${read(again, 'b')}`);
  }
  assert.deepEqual([...seen].sort(), ['under way, under way', 'written, undefined']);
});

test('after a failed write all others fail, until the database is opened anew; the failed one is there or not', async () => {
  const seen = new Set<string | undefined>();
  for (let seed = 1n; seed <= 30n; seed++) {
    const { volume, counts, boot, crash, settle } = machineWithDisk(seed);
    const database = await settle(boot().open('raft', { create: true }));
    await settle(database.write([put('a', 'old')], { sync: true }));
    volume.failNextWrite = true;
    await assert.rejects(settle(database.write([put('a', 'new')], { sync: true })), /EIO/);
    await assert.rejects(settle(database.write([put('a', 'newer')], { sync: true })), /EIO/);
    assert.equal(counts.of('disk write failed'), 1);
    crash('power');
    const again = await settle(boot().open('raft', { create: false }));
    seen.add(read(again, 'a'));
    await settle(again.write([put('a', 'fine')], { sync: true }));
    assert.equal(read(again, 'a'), 'fine');
  }
  assert.ok(seen.has('old') && seen.has('new') && seen.size <= 3, [...seen].join());
});

test('writes finish in the order of their calls', async () => {
  const { boot, settle } = machineWithDisk();
  const database = await settle(boot().open('raft', { create: true }));
  const finished: number[] = [];
  const writes = Array.from({ length: 20 }, (_, position) =>
    database.write([put('a', `${position}`)], { sync: position % 3 === 0 }).then(() => finished.push(position)),
  );
  await settle(Promise.all(writes));
  assert.deepEqual(
    finished,
    [...finished].sort((a, b) => a - b),
  );
  assert.equal(read(database, 'a'), '19');
});

test('a stalled disk finishes nothing before its stall ends', async () => {
  const { scheduler, volume, boot, settle } = machineWithDisk();
  const database = await settle(boot().open('raft', { create: true }));
  volume.stalledUntilMs = scheduler.nowMs + 5_000;
  await settle(database.write([put('a', '1')], { sync: true }));
  assert.ok(scheduler.nowMs >= 5_000);
});

test('a file is replaced as a whole: a crash on the way leaves the old or the new', async () => {
  const seen = new Set<string>();
  for (let seed = 1n; seed <= 20n; seed++) {
    const { boot, crash, settle } = machineWithDisk(seed);
    const disk = boot();
    await settle(disk.writeFile('member.json', bytes('old')));
    void disk.writeFile('member.json', bytes('new'));
    crash('power');
    seen.add(String(await settle(boot().readFile('member.json'))));
  }
  assert.deepEqual([...seen].sort(), ['new', 'old']);
});

test('a database replaced by another is found as the one or the other after a crash', async () => {
  const seen = new Set<string>();
  for (let seed = 1n; seed <= 20n; seed++) {
    const { boot, crash, settle } = machineWithDisk(seed);
    const disk = boot();
    for (const name of ['kv', 'incoming']) {
      const database = await settle(disk.open(name, { create: true }));
      await settle(database.write([put('name', name)], { sync: true }));
      await settle(database.close());
    }
    void disk.replace('kv', 'incoming');
    crash('power');
    const next = boot();
    const database = await settle(next.open('kv', { create: false }));
    seen.add(`${read(database, 'name')}, incoming ${(await next.exists('incoming')) ? 'there' : 'gone'}`);
  }
  assert.deepEqual([...seen].sort(), ['incoming, incoming gone', 'kv, incoming there']);
});

test('a snapshot does not move when the database does', async () => {
  const { boot, settle } = machineWithDisk();
  const database = await settle(boot().open('kv', { create: true }));
  await settle(database.write([put('a', '1'), put('b', '2'), put('c', '3')], { sync: false }));
  const view = database.snapshot();
  await settle(database.write([put('a', 'later'), { key: bytes('b'), value: null }], { sync: false }));
  const found: string[] = [];
  const collect = async () => {
    for await (const page of view.pages({ gte: bytes('a'), lt: bytes('c') }, 1)) {
      for (const [key, value] of page) found.push(`${key.toString()}=${value.toString()}`);
    }
  };
  await settle(collect());
  assert.deepEqual(found, ['a=1', 'b=2']);
});

test('an open database cannot be opened twice, replaced or removed', async () => {
  const { boot, settle } = machineWithDisk();
  const disk = boot();
  await settle(disk.open('kv', { create: true }));
  await assert.rejects(settle(disk.open('kv', { create: false })), /locked/);
  await assert.rejects(settle(disk.remove('kv')), /is open/);
  await assert.rejects(settle(disk.open('other', { create: false })), /does not exist/);
});

test('bytes that the caller changes after a write do not reach the disk', async () => {
  const { boot, settle } = machineWithDisk();
  const database = await settle(boot().open('kv', { create: true }));
  const value = bytes('before');
  const written = database.write([{ key: bytes('a'), value }], { sync: true });
  value.fill('x');
  await settle(written);
  database.get(bytes('a'))?.fill('y');
  assert.equal(read(database, 'a'), 'before');
});
