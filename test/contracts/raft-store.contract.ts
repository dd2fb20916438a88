import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEntry } from '../../src/raft/entry-codec.js';
import type { Entry, LogIndex, SnapshotMarker, Term } from '../../src/raft/messages.js';
import type { Loaded, RaftStore } from '../../src/raft/ports.js';

/** A store under test. `store` is new and has not been loaded; it begins at `MARKER_0`. */
export interface RaftStoreFixture {
  readonly store: RaftStore;
  /** Closes the last store given out and opens the same one again. Not yet loaded. */
  readonly reopen: () => Promise<RaftStore>;
  readonly run: <T>(work: () => Promise<T>) => Promise<T>;
  readonly dispose: () => Promise<void>;
}

export const MARKER_0: SnapshotMarker = {
  index: 0,
  term: 0,
  configuration: { voters: [1n, 2n, 0xffff_ffff_ffff_ffffn] },
};

/** What every RaftStore must do. */
export function raftStoreContract(kind: string, open: () => Promise<RaftStoreFixture>): void {
  const behaves = (title: string, body: (fixture: RaftStoreFixture) => Promise<void>) => {
    void test(`${kind}: ${title}`, async () => {
      const fixture = await open();
      try {
        await fixture.run(() => body(fixture));
      } finally {
        await fixture.dispose();
      }
    });
  };

  behaves('a new store is empty and begins at the marker it was created with', async ({ store, reopen }) => {
    const fresh = { hardState: { currentTerm: 0, votedFor: null }, snapshot: MARKER_0, installing: null, entries: [] };
    assert.deepEqual(await store.load(), fresh);
    assert.deepEqual(await (await reopen()).load(), fresh);
  });

  behaves('term and vote are kept, with all 64 bits of the vote', async ({ store, reopen }) => {
    await store.load();
    await store.save({ hardState: { currentTerm: 2 ** 53 - 1, votedFor: 0xffff_ffff_ffff_fff0n } });
    const again = await reopen();
    assert.deepEqual((await again.load()).hardState, { currentTerm: 2 ** 53 - 1, votedFor: 0xffff_ffff_ffff_fff0n });
  });

  behaves('entries are read back as they were saved, empty payloads too', async ({ store, reopen }) => {
    await store.load();
    const entries = [
      makeEntry(1, 1, Buffer.alloc(0)),
      makeEntry(2, 1, Buffer.from('two')),
      makeEntry(3, 4, Buffer.alloc(9, 255)),
    ];
    await store.save({ hardState: { currentTerm: 4, votedFor: null }, entries });
    assert.deepEqual((await (await reopen()).load()).entries, entries);
  });

  behaves('a later save replaces everything from its first index on', async ({ store, reopen }) => {
    await store.load();
    await store.save({ hardState: { currentTerm: 1, votedFor: 1n }, entries: log(1, 1, 10) });
    await store.save({ entries: log(11, 1, 10) });
    await store.save({ hardState: { currentTerm: 2, votedFor: null }, entries: log(6, 2, 3) });
    await store.save({ entries: log(9, 2, 1) });
    assert.deepEqual(terms(await (await reopen()).load()), '1@1 2@1 3@1 4@1 5@1 6@2 7@2 8@2 9@2');
  });

  behaves('saves that follow each other without waiting take effect in call order', async ({ store, reopen }) => {
    await store.load();
    const finished: number[] = [];
    const saves = [
      { hardState: { currentTerm: 1, votedFor: 1n }, entries: log(1, 1, 8) },
      { entries: log(9, 1, 4) },
      { hardState: { currentTerm: 3, votedFor: null }, entries: log(5, 3, 3) },
      { hardState: { currentTerm: 3, votedFor: 2n } },
      { entries: log(7, 3, 2) },
    ];
    await Promise.all(saves.map((change, number) => store.save(change).then(() => finished.push(number))));
    assert.deepEqual(finished, [0, 1, 2, 3, 4]);
    const loaded = await (await reopen()).load();
    assert.deepEqual(loaded.hardState, { currentTerm: 3, votedFor: 2n });
    assert.equal(terms(loaded), '1@1 2@1 3@1 4@1 5@3 6@3 7@3 8@3');
  });

  behaves('compaction forgets entries through the marker and keeps the rest', async ({ store, reopen }) => {
    await store.load();
    await store.save({ hardState: { currentTerm: 1, votedFor: null }, entries: log(1, 1, 5) });
    await store.save({ entries: log(6, 1, 5) });
    await store.compact(marker(7, 1));
    await store.save({ entries: log(11, 1, 1) });
    let again = await reopen();
    let loaded = await again.load();
    assert.deepEqual(loaded.snapshot, marker(7, 1));
    assert.equal(terms(loaded), '8@1 9@1 10@1 11@1');
    await again.compact(marker(11, 1));
    again = await reopen();
    loaded = await again.load();
    assert.deepEqual(loaded.snapshot, marker(11, 1));
    assert.equal(terms(loaded), '');
    await again.save({ entries: log(12, 1, 2) });
    assert.equal(terms(await (await reopen()).load()), '12@1 13@1');
  });

  behaves('entries after a compaction may be replaced, from within a chunk too', async ({ store, reopen }) => {
    await store.load();
    await store.save({ hardState: { currentTerm: 1, votedFor: null }, entries: log(1, 1, 10) });
    await store.compact(marker(4, 1));
    await store.save({ hardState: { currentTerm: 2, votedFor: null }, entries: log(8, 2, 1) });
    assert.equal(terms(await (await reopen()).load()), '5@1 6@1 7@1 8@2');
  });

  behaves('the note of an install is kept until it is finished', async ({ store, reopen }) => {
    await store.load();
    await store.save({ hardState: { currentTerm: 3, votedFor: null }, entries: log(1, 1, 5) });
    await store.beginInstall(marker(20, 3));
    const again = await reopen();
    const loaded = await again.load();
    assert.deepEqual(loaded.installing, marker(20, 3));
    assert.equal(terms(loaded), '1@1 2@1 3@1 4@1 5@1');
    await again.finishInstall(marker(20, 3), false);
    const after = await (await reopen()).load();
    assert.deepEqual([after.installing, after.snapshot, after.entries], [null, marker(20, 3), []]);
  });

  behaves('an install keeps the entries after it only when asked', async ({ store, reopen }) => {
    await store.load();
    await store.save({ hardState: { currentTerm: 2, votedFor: null }, entries: log(1, 1, 6) });
    await store.beginInstall(marker(4, 1));
    await store.finishInstall(marker(4, 1), true);
    let again = await reopen();
    let loaded = await again.load();
    assert.deepEqual([loaded.snapshot, loaded.installing, terms(loaded)], [marker(4, 1), null, '5@1 6@1']);
    await again.beginInstall(marker(5, 2));
    void again.finishInstall(marker(5, 2), false);
    await again.save({ entries: log(6, 2, 2) });
    again = await reopen();
    loaded = await again.load();
    assert.deepEqual([loaded.snapshot, terms(loaded)], [marker(5, 2), '6@2 7@2']);
  });
}

export function log(first: LogIndex, term: Term, count: number, payloadBytes = 20): Entry[] {
  return Array.from({ length: count }, (_, position) =>
    makeEntry(first + position, term, Buffer.alloc(payloadBytes, first + position)),
  );
}

export function marker(index: LogIndex, term: Term): SnapshotMarker {
  return { index, term, configuration: { voters: [7n, BigInt(index) + 100n] } };
}

/** index@term of every entry. */
export function terms(loaded: Loaded): string {
  return loaded.entries.map(({ index, term }) => `${index}@${term}`).join(' ');
}
