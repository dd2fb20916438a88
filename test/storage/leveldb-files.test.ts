import assert from 'node:assert/strict';
import { cp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RaftkvError } from '../../src/lib/errors.js';
import { crc32c, unmask } from '../../src/storage/leveldb/crc32c.js';
import { LogFormatError, readLog } from '../../src/storage/leveldb/log-format.js';
import { DamageError } from '../../src/storage/errors.js';
import { LevelDisk } from '../../src/storage/level-disk.js';
import { RaftStoreOnDisk } from '../../src/storage/raft-store.js';
import { MARKER_0, log, terms } from '../contracts/raft-store.contract.js';
import { temporaryDirectory } from './fixtures.js';

test('CRC-32C gives the check value of its definition, and the one of RFC 3720 for 32 zero bytes', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.from('..123456789.'), 2, 11), 0xe3069283);
  assert.equal(unmask(0xa282ead8), 0);
});

/** A data directory whose log went through a restart, so that some of it is in a table and some in a write-ahead log. */
async function writtenDirectory(t: TestContext) {
  const path = await temporaryDirectory(t);
  for (const [first, create] of [
    [1, MARKER_0],
    [4, null],
  ] as const) {
    const store = await RaftStoreOnDisk.open(new LevelDisk(path), { create });
    await store.load();
    for (let index = first; index < first + 3; index++) {
      await store.save({ hardState: { currentTerm: index, votedFor: 3n }, entries: log(index, index, 1, 30) });
    }
    await store.close();
  }
  const names = await readdir(join(path, 'raft'));
  const find = (pattern: RegExp) =>
    names.find((name) => pattern.test(name)) ?? assert.fail(`no ${pattern} in ${names.join()}`);
  return { path, log: find(/\.log$/), table: find(/\.ldb$/), manifest: find(/^MANIFEST/) };
}

const CONTENT = '1@1 2@2 3@3 4@4 5@5 6@6';

async function content(path: string): Promise<string> {
  const store = await RaftStoreOnDisk.open(new LevelDisk(path), { create: MARKER_0 });
  try {
    const loaded = await store.load();
    assert.deepEqual(loaded.hardState, { currentTerm: 6, votedFor: 3n });
    return terms(loaded);
  } finally {
    await store.close();
  }
}

async function changedCopy(t: TestContext, path: string, change: (raft: string) => Promise<void>): Promise<string> {
  const copy = await temporaryDirectory(t);
  await cp(path, copy, { recursive: true });
  await change(join(copy, 'raft'));
  return copy;
}

for (const file of ['log', 'table', 'manifest', 'CURRENT'] as const) {
  test(`a flipped bit anywhere in ${file}: the same is read, or the start is refused, never something else (S19)`, async (t) => {
    const written = await writtenDirectory(t);
    const name = file === 'CURRENT' ? file : written[file];
    const bytes = await readFile(join(written.path, 'raft', name));
    let refused = 0;
    let copy = await changedCopy(t, written.path, async () => {});
    for (let position = 0; position < bytes.length; position++) {
      const damaged = Buffer.from(bytes);
      damaged[position]! ^= 1 << (position % 8);
      await writeFile(join(copy, 'raft', name), damaged);
      try {
        assert.equal(await content(copy), CONTENT, `byte ${position} of ${name}`);
        copy = await changedCopy(t, written.path, async () => {});
      } catch (error) {
        assert.ok(error instanceof DamageError, `byte ${position} of ${name}: ${String(error)}`);
        assert.deepEqual(await readFile(join(copy, 'raft', name)), damaged, 'a refusal changes nothing');
        refused++;
      }
    }
    t.diagnostic(`${refused} of ${bytes.length} positions refused`);
    assert.ok(refused > bytes.length * 0.7);
  });

  test(`${file} missing: refused, named, and nothing created in its place (S10)`, async (t) => {
    const written = await writtenDirectory(t);
    const name = file === 'CURRENT' ? file : written[file];
    const copy = await changedCopy(t, written.path, (raft) => rm(join(raft, name)));
    const before = (await readdir(join(copy, 'raft'))).sort();
    await assert.rejects(content(copy), (error: RaftkvError) => {
      assert.equal(error.code, 'STORAGE_DAMAGE');
      assert.ok(error.message.startsWith(join(copy, 'raft', name)), error.message);
      return true;
    });
    assert.deepEqual((await readdir(join(copy, 'raft'))).sort(), before);
  });
}

test('a log cut off anywhere gives a prefix of what was saved (S02)', async (t) => {
  const written = await writtenDirectory(t);
  const seen = new Set<string>();
  const { length } = await readFile(join(written.path, 'raft', written.log));
  for (let size = 0; size < length; size += 3) {
    const copy = await changedCopy(t, written.path, (raft) => truncate(join(raft, written.log), size));
    const store = await RaftStoreOnDisk.open(new LevelDisk(copy), { create: null });
    seen.add(terms(await store.load()));
    await store.close();
  }
  assert.deepEqual([...seen], ['1@1 2@2 3@3', '1@1 2@2 3@3 4@4', '1@1 2@2 3@3 4@4 5@5']);
});

test('a table or a MANIFEST cut off anywhere is refused', async (t) => {
  const written = await writtenDirectory(t);
  for (const name of [written.table, written.manifest]) {
    const path = join(await changedCopy(t, written.path, async () => {}), 'raft', name);
    for (let size = (await readFile(path)).length - 1; size >= 0; size -= 5) {
      await truncate(path, size);
      await assert.rejects(content(join(path, '../..')), DamageError, `${name} of ${size} bytes`);
    }
  }
});

test('a batch that vanished from the middle of the log is noticed by its sequence number (S04)', async (t) => {
  const written = await writtenDirectory(t);
  const copy = await changedCopy(t, written.path, async (raft) => {
    const path = join(raft, written.log);
    const bytes = await readFile(path);
    const second = 7 + bytes.readUInt16LE(4);
    const third = second + 7 + bytes.readUInt16LE(second + 4);
    await writeFile(path, Buffer.concat([bytes.subarray(0, second), bytes.subarray(third)]));
  });
  await assert.rejects(content(copy), /a batch has sequence number \d+, expected \d+: writes are missing/);
});

test('damage with good records behind it is no torn tail, and neither is a whole record (S03)', () => {
  const bytes = Buffer.concat([fragment('one'), fragment('two'), fragment('three')]);
  assert.deepEqual(readLog(bytes).records.map(String), ['one', 'two', 'three']);
  for (let position = 0; position < bytes.length; position++) {
    const damaged = Buffer.from(bytes);
    damaged[position]! ^= 0x40;
    assert.throws(() => readLog(damaged), LogFormatError, `byte ${position}`);
  }
});

test('a tail of sectors that were never written is dropped, also within the last record (S02)', () => {
  const whole = Buffer.concat([fragment('one'), fragment('x'.repeat(3000))]);
  const zeroFrom = (position: number, bytes = whole) =>
    Buffer.concat([bytes.subarray(0, position), Buffer.alloc(bytes.length - position)]);
  for (const tail of [
    zeroFrom(512),
    zeroFrom(2560),
    zeroFrom(10),
    Buffer.concat([fragment('one'), Buffer.alloc(5000)]),
  ]) {
    const { records, isTorn } = readLog(tail);
    assert.deepEqual([records.map(String), isTorn], [['one'], true]);
  }
  assert.throws(() => readLog(Buffer.concat([zeroFrom(512), fragment('three')])), LogFormatError);
});

test('a garbage length at the end of a log costs no more than the file', () => {
  const { records, isTorn } = readLog(
    Buffer.concat([fragment('one'), Buffer.from('01020304ffff01', 'hex'), Buffer.alloc(90, 7)]),
  );
  assert.deepEqual([records.map(String), isTorn], [['one'], true]);
});

/** A full record of LevelDB's log format. */
function fragment(data: string): Buffer {
  const bytes = Buffer.alloc(7 + data.length);
  bytes.writeUInt16LE(data.length, 4);
  bytes[6] = 1;
  bytes.set(Buffer.from(data), 7);
  const crc = crc32c(bytes, 6);
  bytes.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 0);
  return bytes;
}
