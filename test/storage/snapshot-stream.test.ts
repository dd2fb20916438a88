import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Disk } from '../../src/storage/disk.js';
import { DamageError, NewerFormatError, SnapshotStreamError } from '../../src/storage/errors.js';
import { KV_DATABASE, KV_INCOMING_DATABASE, tableKey } from '../../src/storage/keyspace.js';
import { KvStoreOnDisk } from '../../src/storage/kv-store.js';
import { MAX_PIECE_BYTES, type SnapshotStream } from '../../src/storage/snapshot-stream.js';
import { SnapshotWriter } from '../../src/storage/snapshot-writer.js';
import { put } from '../contracts/kv-store.contract.js';
import { marker } from '../contracts/raft-store.contract.js';
import { levelDiskFixture } from './fixtures.js';

const HEADER = { clusterId: 0xffff_ffff_ffff_ffffn, memberId: 0x10n, marker: marker(42, 7), revision: 2 ** 53 - 1 };

async function newStore(t: TestContext): Promise<{ disk: Disk; store: KvStoreOnDisk }> {
  const fixture = await levelDiskFixture();
  const store = await KvStoreOnDisk.open(fixture.disk, { create: true });
  t.after(() => store.close().then(fixture.dispose));
  return { disk: fixture.disk, store };
}

async function fill(store: KvStoreOnDisk, label: string, count = 500): Promise<void> {
  const writes = Array.from({ length: count }, (_, number) =>
    put('revision', String(number).padStart(6, '0'), `${label} ${number}`),
  );
  await store.write([...writes, put('meta', 'applied', label), put('member', 'm', '')], { sync: false });
}

async function piecesOf(stream: SnapshotStream): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for (let piece = await stream.nextChunk(); piece !== null; piece = await stream.nextChunk()) pieces.push(piece);
  await stream.close();
  return pieces;
}

async function contentOf(store: KvStoreOnDisk): Promise<string[]> {
  const found: string[] = [];
  for (const table of ['revision', 'member', 'meta'] as const) {
    for await (const page of store.scan(table))
      for (const [key, value] of page) found.push(`${table} ${String(key)} ${String(value)}`);
  }
  return found;
}

test("a store becomes another one's snapshot, all tables of it and nothing of its own", async (t) => {
  const leader = await newStore(t);
  const follower = await newStore(t);
  await fill(leader.store, 'leader', 5000);
  await leader.store.write([{ table: 'revision', key: Buffer.from('big'), value: Buffer.alloc(3_500_000, 5) }], {
    sync: false,
  });
  await fill(follower.store, 'follower', 6000);
  const pieces = await piecesOf(leader.store.view().stream(HEADER));
  assert.ok(pieces.length > 4 && pieces.every((piece) => piece.length > 0 && piece.length <= MAX_PIECE_BYTES));
  const writer = await SnapshotWriter.open(follower.disk);
  for (const piece of pieces) await writer.write(piece);
  assert.deepEqual(writer.header, HEADER);
  await writer.finish();
  assert.equal(
    follower.store.get('meta', Buffer.from('applied'))?.toString(),
    'follower',
    'not before it is installed',
  );
  await follower.store.installIncoming();
  assert.deepEqual(await contentOf(follower.store), await contentOf(leader.store));
  assert.equal(await follower.disk.exists(KV_INCOMING_DATABASE), false);
  await follower.store.write([put('meta', 'applied', 'later')], { sync: true });
  assert.equal(follower.store.get('meta', Buffer.from('applied'))?.toString(), 'later');
});

test('the stream shows the moment at which its view was taken', async (t) => {
  const { disk, store } = await newStore(t);
  await fill(store, 'then');
  const expected = await contentOf(store);
  const view = store.view();
  await fill(store, 'now', 900);
  assert.equal(view.get('meta', Buffer.from('applied'))?.toString(), 'then');
  const pieces = await piecesOf(view.stream(HEADER));
  await writeAll(disk, pieces);
  await store.installIncoming();
  assert.deepEqual(await contentOf(store), expected);
});

test('an empty store is a stream too', async (t) => {
  const { disk, store } = await newStore(t);
  const pieces = await piecesOf(store.view().stream(HEADER));
  await writeAll(disk, pieces);
  await store.installIncoming();
  assert.deepEqual(await contentOf(store), []);
});

test('the stream may arrive in pieces of any size', async (t) => {
  const { disk, store } = await newStore(t);
  await fill(store, 'x', 50);
  const whole = Buffer.concat(await piecesOf(store.view().stream(HEADER)));
  for (const size of [1, 7, 100, whole.length]) {
    const writer = await SnapshotWriter.open(disk);
    for (let at = 0; at < whole.length; at += size) await writer.write(whole.subarray(at, at + size));
    await writer.finish();
  }
});

test('a stream in which any byte has changed is refused', async (t) => {
  const { disk, store } = await newStore(t);
  await fill(store, 'x', 12);
  const whole = Buffer.concat(await piecesOf(store.view().stream(HEADER)));
  for (let position = 0; position < whole.length; position++) {
    const damaged = Buffer.from(whole);
    damaged[position]! ^= 1 << (position % 8);
    await assert.rejects(
      writeAll(disk, [damaged]),
      (error) => error instanceof SnapshotStreamError || error instanceof NewerFormatError,
      `byte ${position}`,
    );
  }
  await assert.rejects(writeAll(disk, [whole, Buffer.from('x')]), /it goes on after its end/);
});

test('a stream that ends too early is refused, wherever it ends', async (t) => {
  const { disk, store } = await newStore(t);
  await fill(store, 'x', 5);
  const whole = Buffer.concat(await piecesOf(store.view().stream(HEADER)));
  for (let length = 0; length < whole.length; length += 3) {
    await assert.rejects(writeAll(disk, [whole.subarray(0, length)]), /the snapshot ends too early/);
  }
});

test('a block that claims to be huge is refused at once', async (t) => {
  const { disk, store } = await newStore(t);
  const whole = Buffer.concat(await piecesOf(store.view().stream(HEADER)));
  const huge = Buffer.from('ffffffff', 'hex');
  await assert.rejects(
    writeAll(disk, [whole.subarray(0, -44), huge]),
    /a block has 4294967295 bytes, expected at most/,
  );
});

test('what another transfer left is thrown away when the next begins', async (t) => {
  const { disk, store } = await newStore(t);
  await fill(store, 'first', 900);
  const first = await piecesOf(store.view().stream(HEADER));
  const cut = await SnapshotWriter.open(disk);
  await cut.write(first[0]!);
  await cut.abandon();
  assert.equal(await disk.exists(KV_INCOMING_DATABASE), false);
  const finished = await SnapshotWriter.open(disk);
  for (const piece of first) await finished.write(piece);
  await finished.finish();
  await finished.abandon();
  assert.equal(await disk.exists(KV_INCOMING_DATABASE), false);
});

test('a stream may be given up half way', async (t) => {
  const { store } = await newStore(t);
  await fill(store, 'x', 9000);
  const stream = store.view().stream(HEADER);
  await stream.nextChunk();
  await stream.close();
  assert.equal(await stream.nextChunk(), null);
});

test('a value that changed on disk is refused wherever it is read (S09)', async (t) => {
  const { disk, store } = await newStore(t);
  await fill(store, 'x', 3);
  await store.close();
  const database = await disk.open(KV_DATABASE, { create: false });
  const key = tableKey('revision', Buffer.from('000001'));
  const sealed = database.get(key)!;
  for (let position = 0; position < sealed.length; position++) {
    const damaged = Buffer.from(sealed);
    damaged[position]! ^= 2;
    await database.write([{ key, value: damaged }], { sync: false });
    // Another value's bytes, whole, under this key.
    if (position === 0)
      await database.write([{ key, value: database.get(tableKey('revision', Buffer.from('000002')))! }], {
        sync: false,
      });
  }
  await database.close();
  const damaged = await KvStoreOnDisk.open(disk, { create: false });
  t.after(() => damaged.close());
  assert.throws(() => damaged.get('revision', Buffer.from('000001')), DamageError);
  await assert.rejects(contentOf(damaged), DamageError);
  await assert.rejects(piecesOf(damaged.view().stream(HEADER)), /kv: the value of key 72303030303031 is damaged/);
  assert.equal(damaged.get('revision', Buffer.from('000002'))?.toString(), 'x 2');
});

async function writeAll(disk: Disk, pieces: readonly Buffer[]): Promise<void> {
  const writer = await SnapshotWriter.open(disk);
  try {
    for (const piece of pieces) await writer.write(piece);
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
