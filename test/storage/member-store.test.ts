import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KvStore } from '../../src/kv/ports.js';
import type { Database, Disk } from '../../src/storage/disk.js';
import { DamageError, NewerFormatError, OtherMemberError } from '../../src/storage/errors.js';
import { KvStoreOnDisk } from '../../src/storage/kv-store.js';
import { readMemberMarker, writeMemberMarker } from '../../src/storage/member-marker.js';
import { type MemberStoreOptions, openMemberStore } from '../../src/storage/member-store.js';
import { RaftStoreOnDisk } from '../../src/storage/raft-store.js';
import { SnapshotWriter } from '../../src/storage/snapshot-writer.js';
import { MARKER_0, log, marker, terms } from '../contracts/raft-store.contract.js';
import { levelDiskFixture } from './fixtures.js';

const IDENTITY = { memberId: 0xabcdn, clusterId: 0xffff_ffff_ffff_fffen };
const APPLIED = Buffer.from('applied');

async function setApplied(kv: KvStore, index: number): Promise<void> {
  await kv.write([{ table: 'meta', key: APPLIED, value: Buffer.from(String(index)) }], { sync: true });
}

const OPTIONS: MemberStoreOptions = {
  identity: IDENTITY,
  bootstrap: { ...IDENTITY, snapshot: MARKER_0, fill: (kv) => setApplied(kv, 0) },
  appliedIndexOf: (kv) => Number(kv.get('meta', APPLIED)?.toString()),
};

/** Runs `body` over a disk on which a member has saved entries 1 to 10 and applied 6. */
async function withMember(body: (disk: Disk) => Promise<void>): Promise<void> {
  const { disk, dispose } = await levelDiskFixture();
  try {
    const store = await openMemberStore(disk, OPTIONS);
    await store.raft.load();
    await store.raft.save({ hardState: { currentTerm: 3, votedFor: null }, entries: log(1, 2, 10) });
    await setApplied(store.kv, 6);
    await store.close();
    await body(disk);
  } finally {
    await dispose();
  }
}

test('a new member is created once, and found again', async () => {
  const { disk, dispose } = await levelDiskFixture();
  const created = await openMemberStore(disk, OPTIONS);
  assert.deepEqual([created.isNew, created.memberId, created.clusterId], [true, IDENTITY.memberId, IDENTITY.clusterId]);
  await created.close();
  const found = await openMemberStore(disk, { ...OPTIONS, identity: null, bootstrap: null });
  assert.deepEqual([found.isNew, found.memberId, found.clusterId], [false, IDENTITY.memberId, IDENTITY.clusterId]);
  assert.deepEqual((await found.raft.load()).snapshot, MARKER_0);
  await found.close();
  await dispose();
});

test('a directory without a member is refused unless one may be created', async () => {
  const { disk, dispose } = await levelDiskFixture();
  await assert.rejects(
    openMemberStore(disk, { ...OPTIONS, bootstrap: null }),
    /no member has its data here; start it with/,
  );
  await dispose();
});

test('a start that a crash cut off at any step begins again and ends well', async () => {
  for (let step = 0; ; step++) {
    const { disk, dispose } = await levelDiskFixture();
    const crashing = new CrashingDisk(disk, step);
    const outcome = await openMemberStore(crashing, OPTIONS).then(
      (store) => store.close().then(() => 'started'),
      (error: Error) => error.message,
    );
    await crashing.closeAll();
    const store = await openMemberStore(disk, OPTIONS);
    assert.deepEqual(await store.raft.load(), {
      hardState: { currentTerm: 0, votedFor: null },
      snapshot: MARKER_0,
      entries: [],
      installing: null,
    });
    assert.equal(OPTIONS.appliedIndexOf(store.kv), 0);
    await store.close();
    await dispose();
    if (outcome === 'started') {
      assert.ok(step > 8, `only ${step} steps were seen`);
      return;
    }
    assert.equal(outcome, 'crash');
  }
});

test('a database that is missing beside the marker is refused, never begun anew (S10)', async () => {
  for (const name of ['raft', 'kv']) {
    await withMember(async (disk) => {
      await disk.remove(name);
      await assert.rejects(openMemberStore(disk, OPTIONS), (error) => {
        assert.ok(error instanceof DamageError);
        assert.match(error.message, new RegExp(`/${name}: the database is missing although member.json says`));
        return true;
      });
      assert.equal(await disk.exists(name), false);
    });
  }
});

test('databases without their marker are refused and left alone', async () => {
  await withMember(async (disk) => {
    await disk.remove('member.json');
    await assert.rejects(
      openMemberStore(disk, OPTIONS),
      /member.json: the file is missing, but database raft is there/,
    );
    assert.deepEqual([await disk.exists('raft'), await disk.exists('kv')], [true, true]);
  });
});

test('the data of another member or cluster is refused, naming both', async () => {
  await withMember(async (disk) => {
    for (const identity of [
      { ...IDENTITY, memberId: 0xdcban },
      { ...IDENTITY, clusterId: 1n },
    ]) {
      await assert.rejects(openMemberStore(disk, { ...OPTIONS, identity }), (error) => {
        assert.ok(error instanceof OtherMemberError);
        assert.match(error.message, /belongs to member 000000000000abcd of cluster fffffffffffffffe/);
        assert.ok(
          error.message.includes(`expected member ${identity.memberId.toString(16).padStart(16, '0')} of cluster`),
        );
        return true;
      });
    }
    await (await openMemberStore(disk, OPTIONS)).close();
  });
});

test('a newer format is refused and nothing is changed (S24)', async () => {
  await withMember(async (disk) => {
    for (const text of [
      '{"format":2,"memberId":"abcd","clusterId":"1","created":true,"crc32":1}\n',
      '{"format":17,"all":"new"}',
    ]) {
      await disk.writeFile('member.json', Buffer.from(text));
      await assert.rejects(openMemberStore(disk, OPTIONS), NewerFormatError);
      assert.equal((await disk.readFile('member.json'))?.toString(), text);
    }
  });
});

test('a marker in which any byte has changed is refused', async () => {
  const { disk, dispose } = await levelDiskFixture();
  await writeMemberMarker(disk, { ...IDENTITY, created: true });
  assert.deepEqual(await readMemberMarker(disk), { ...IDENTITY, created: true });
  const bytes = (await disk.readFile('member.json'))!;
  for (let position = 0; position < bytes.length; position++) {
    const damaged = Buffer.from(bytes);
    damaged[position]! ^= 1 << (position % 7);
    await disk.writeFile('member.json', damaged);
    await assert.rejects(
      readMemberMarker(disk),
      (error) => error instanceof DamageError || error instanceof NewerFormatError,
    );
  }
  await dispose();
});

test('an applied index outside the log is refused, naming both', async () => {
  await withMember(async (disk) => {
    const raft = await RaftStoreOnDisk.open(disk, { create: null });
    await raft.compact(marker(4, 2));
    await raft.close();
    const kv = await KvStoreOnDisk.open(disk, { create: false });
    const outcomes: [number, RegExp | null][] = [
      [3, /holds entries through 3, but the log begins after 4: what lies between is gone/],
      [4, null],
      [10, null],
      [11, /holds entries through 11, but the log ends with 10: saved entries are gone/],
    ];
    await kv.close();
    for (const [applied, message] of outcomes) {
      const opened = openMemberStore(disk, { ...OPTIONS, appliedIndexOf: () => applied });
      if (message) await assert.rejects(opened, message);
      else await (await opened).close();
    }
  });
});

/** How far the installation of a snapshot through entry `index` of term `term` had come. */
async function install(
  disk: Disk,
  index: number,
  term: number,
  until: 'noted' | 'received' | 'installed',
): Promise<void> {
  const raft = await RaftStoreOnDisk.open(disk, { create: null });
  const kv = await KvStoreOnDisk.open(disk, { create: false });
  await raft.beginInstall(marker(index, term));
  if (until !== 'noted') {
    await setApplied(kv, index);
    const stream = kv.view().stream({ ...IDENTITY, marker: marker(index, term), revision: 1 });
    await setApplied(kv, 6);
    const writer = await SnapshotWriter.open(disk);
    for (let piece = await stream.nextChunk(); piece !== null; piece = await stream.nextChunk())
      await writer.write(piece);
    await stream.close();
    await writer.finish();
    if (until === 'installed') await kv.installIncoming();
  }
  await raft.close();
  await kv.close();
}

const installs: [string, number, number, 'noted' | 'received' | 'installed', string][] = [
  ['noted: it is dropped', 20, 3, 'noted', 'from 0: 1@2 2@2 3@2 4@2 5@2 6@2 7@2 8@2 9@2 10@2'],
  ['received, not yet in place: it is dropped', 20, 3, 'received', 'from 0: 1@2 2@2 3@2 4@2 5@2 6@2 7@2 8@2 9@2 10@2'],
  ['in place, beyond the log: the log begins after it', 20, 3, 'installed', 'from 20: '],
  ['in place, within the log, of its term: what follows stays', 8, 2, 'installed', 'from 8: 9@2 10@2'],
  ['in place, within the log, of another term: the log goes', 8, 3, 'installed', 'from 8: '],
];

for (const [title, index, term, until, expected] of installs) {
  test(`the installation of a snapshot was ${title} (S14, S15)`, async () => {
    await withMember(async (disk) => {
      await install(disk, index, term, until);
      for (let restart = 0; restart < 2; restart++) {
        const store = await openMemberStore(disk, OPTIONS);
        const loaded = await store.raft.load();
        assert.equal(`from ${loaded.snapshot.index}: ${terms(loaded)}`, expected);
        assert.equal(loaded.installing, null);
        assert.equal(OPTIONS.appliedIndexOf(store.kv), until === 'installed' ? index : 6);
        assert.equal(await disk.exists('kv-incoming'), false);
        await store.close();
      }
    });
  });
}

/** Lets a number of changes through; from then on nothing more happens and everything fails. */
class CrashingDisk implements Disk {
  readonly #disk: Disk;
  readonly #open: Database[] = [];
  #changesLeft: number;

  constructor(disk: Disk, changes: number) {
    this.#disk = disk;
    this.#changesLeft = changes;
  }

  get path(): string {
    return this.#disk.path;
  }

  async open(name: string, options: { readonly create: boolean }): Promise<Database> {
    this.#change();
    const database = await this.#disk.open(name, options);
    this.#open.push(database);
    return {
      get: (key) => database.get(key),
      snapshot: () => database.snapshot(),
      close: async () => {},
      write: async (operations, { sync }) => {
        this.#change();
        await database.write(operations, { sync });
      },
    };
  }

  async closeAll(): Promise<void> {
    for (const database of this.#open) await database.close();
  }

  exists(name: string): Promise<boolean> {
    return this.#disk.exists(name);
  }

  async replace(name: string, by: string): Promise<void> {
    this.#change();
    await this.#disk.replace(name, by);
  }

  async remove(name: string): Promise<void> {
    this.#change();
    await this.#disk.remove(name);
  }

  readFile(name: string): Promise<Buffer | null> {
    return this.#disk.readFile(name);
  }

  async writeFile(name: string, content: Buffer): Promise<void> {
    this.#change();
    await this.#disk.writeFile(name, content);
  }

  sizeOf(name: string): Promise<number> {
    return this.#disk.sizeOf(name);
  }

  #change(): void {
    if (this.#changesLeft-- <= 0) throw new Error('crash');
  }
}
