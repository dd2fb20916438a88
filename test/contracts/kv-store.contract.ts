import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KvStore, KvWrite, Table } from '../../src/kv/ports.js';

/** A store under test, new and empty. */
export interface KvStoreFixture {
  readonly store: KvStore;
  /** Closes the last store given out, in good order, and opens the same one again. */
  readonly reopen: () => Promise<KvStore>;
  readonly run: <T>(work: () => Promise<T>) => Promise<T>;
  readonly dispose: () => Promise<void>;
}

/** What every KvStore must do. */
export function kvStoreContract(kind: string, open: () => Promise<KvStoreFixture>): void {
  const behaves = (title: string, body: (fixture: KvStoreFixture) => Promise<void>) => {
    void test(`${kind}: ${title}`, async () => {
      const fixture = await open();
      try {
        await fixture.run(() => body(fixture));
      } finally {
        await fixture.dispose();
      }
    });
  };

  behaves('what is written is read, and read again after a restart', async ({ store, reopen }) => {
    await store.write(
      [put('revision', 'a', '1'), put('meta', 'a', '2'), put('member', 'a', ''), put('meta', '', 'x')],
      { sync: false },
    );
    await store.write([put('revision', 'b', '3'), remove('meta', '')], { sync: true });
    const expectContent = (each: KvStore) => {
      assert.equal(read(each, 'revision', 'a'), '1');
      assert.equal(read(each, 'meta', 'a'), '2');
      assert.equal(read(each, 'member', 'a'), '');
      assert.equal(read(each, 'meta', ''), undefined);
      assert.equal(read(each, 'revision', 'b'), '3');
      assert.equal(read(each, 'member', 'b'), undefined);
    };
    expectContent(store);
    expectContent(await reopen());
  });

  behaves('writes take effect in call order', async ({ store }) => {
    const writes = Array.from({ length: 20 }, (_, number) =>
      store.write([put('meta', 'last', String(number))], { sync: number === 7 }),
    );
    await Promise.all(writes);
    assert.equal(read(store, 'meta', 'last'), '19');
  });

  behaves('a value that was read stays as it was', async ({ store }) => {
    await store.write([put('meta', 'a', 'before')], { sync: false });
    const value = store.get('meta', Buffer.from('a'));
    await store.write([put('meta', 'a', 'after!')], { sync: false });
    assert.equal(value?.toString(), 'before');
  });

  behaves('a scan gives one table in the order of bytes, as it was when the scan began', async ({ store }) => {
    const keys = Array.from({ length: 3000 }, (_, number) => Buffer.of(number >> 8, number & 255, 0xff));
    await store.write(
      [
        ...keys.map((key): KvWrite => ({ table: 'revision', key, value: key })),
        put('member', 'm', '1'),
        put('meta', 'z', '1'),
      ],
      { sync: false },
    );
    const found: Buffer[] = [];
    for await (const page of store.scan('revision')) {
      if (found.length === 0)
        await store.write([{ table: 'revision', key: keys[2999]!, value: null }], { sync: false });
      for (const [key, value] of page) {
        assert.deepEqual(key, value);
        found.push(key);
      }
    }
    assert.deepEqual(found, keys);
    for await (const page of store.scan('revision')) {
      assert.ok(page.length > 0);
      break; // a reader may stop early
    }
    for await (const page of store.scan('member')) assert.deepEqual(page.map(String), ['m,1']);
  });
}

export function put(table: Table, key: string, value: string): KvWrite {
  return { table, key: Buffer.from(key), value: Buffer.from(value) };
}

function remove(table: Table, key: string): KvWrite {
  return { table, key: Buffer.from(key), value: null };
}

function read(store: KvStore, table: Table, key: string): string | undefined {
  return store.get(table, Buffer.from(key))?.toString();
}
