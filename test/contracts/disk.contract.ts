import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database, Disk, Operation } from '../../src/storage/disk.js';

/** A disk under test. */
export interface DiskFixture {
  readonly disk: Disk;
  /** The same disk after the process has stopped in good order and started again. All databases are closed. */
  readonly restart: () => Promise<Disk>;
  /** Runs `work` to its end; a simulated disk lets its time pass meanwhile. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>;
  readonly dispose: () => Promise<void>;
}

/** What every Disk must do. */
export function diskContract(kind: string, open: () => Promise<DiskFixture>): void {
  const behaves = (title: string, body: (fixture: DiskFixture) => Promise<void>) => {
    void test(`${kind}: ${title}`, async () => {
      const fixture = await open();
      try {
        await fixture.run(() => body(fixture));
      } finally {
        await fixture.dispose();
      }
    });
  };

  behaves('a database is created only when asked', async ({ disk }) => {
    await assert.rejects(disk.open('kv', { create: false }), (error: Error) =>
      error.message.includes(`${disk.path}/kv`),
    );
    assert.equal(await disk.exists('kv'), false);
    await (await disk.open('kv', { create: true })).close();
    assert.equal(await disk.exists('kv'), true);
    await (await disk.open('kv', { create: false })).close();
  });

  behaves('a batch is read back after a restart', async (fixture) => {
    const database = await fixture.disk.open('kv', { create: true });
    await database.write([put('a', '1'), put('b', '2'), put('empty', '')], { sync: true });
    await database.write([remove('a'), put('b', '3')], { sync: false });
    assert.deepEqual(read(database, 'a', 'b', 'empty', 'none'), [undefined, '3', '', undefined]);
    await database.close();
    const again = await (await fixture.restart()).open('kv', { create: false });
    assert.deepEqual(read(again, 'a', 'b', 'empty', 'none'), [undefined, '3', '', undefined]);
    await again.close();
  });

  behaves('writes take effect in the order of the calls', async ({ disk }) => {
    const database = await disk.open('kv', { create: true });
    const finished: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        await database.write([put('last', String(number))], { sync: number % 3 === 0 });
        finished.push(number);
      }),
    );
    assert.deepEqual(
      finished,
      Array.from({ length: 20 }, (_, number) => number),
    );
    assert.deepEqual(read(database, 'last'), ['19']);
    await database.close();
  });

  behaves('a batch may put and remove the same key: the last operation counts', async ({ disk }) => {
    const database = await disk.open('kv', { create: true });
    await database.write([put('a', '1'), remove('a'), put('b', '1'), put('b', '2')], { sync: true });
    assert.deepEqual(read(database, 'a', 'b'), [undefined, '2']);
    await database.write([], { sync: true });
    await database.close();
  });

  behaves('a view does not see later writes', async ({ disk }) => {
    const database = await disk.open('kv', { create: true });
    await database.write([put('a', '1'), put('b', '1')], { sync: false });
    const view = database.snapshot();
    await database.write([put('a', '2'), remove('b'), put('c', '2')], { sync: false });
    assert.equal(view.get(Buffer.from('a'))?.toString(), '1');
    assert.equal(view.get(Buffer.from('c')), undefined);
    assert.deepEqual(await pairs(view.pages(range('a', 'z'))), ['a=1', 'b=1']);
    await view.close();
    assert.deepEqual(read(database, 'a', 'b', 'c'), ['2', undefined, '2']);
    await database.close();
  });

  behaves('pages come in key order, within the range, no longer than asked', async ({ disk }) => {
    const database = await disk.open('kv', { create: true });
    const keys = Array.from({ length: 25 }, (_, number) => Buffer.of(0x10, number * 10));
    await database.write(
      keys.toReversed().map((key) => ({ key, value: Buffer.from('x') })),
      { sync: false },
    );
    const view = database.snapshot();
    const found: Buffer[] = [];
    const inRange = { gte: Buffer.of(0x10, 50), lt: Buffer.of(0x10, 200) };
    for await (const page of view.pages(inRange, 4)) {
      assert.ok(page.length >= 1 && page.length <= 4);
      found.push(...page.map(([key]) => key));
    }
    assert.deepEqual(found, keys.slice(5, 20));
    for await (const page of view.pages(inRange, 4)) {
      assert.equal(page.length, 4);
      break; // a reader may stop early
    }
    await view.close();
    await database.close();
  });

  behaves('replace puts one database in the place of another', async (fixture) => {
    const { disk } = fixture;
    for (const name of ['old', 'incoming']) {
      const database = await disk.open(name, { create: true });
      await database.write([put('name', name)], { sync: true });
      await database.close();
    }
    await disk.replace('old', 'incoming');
    assert.equal(await disk.exists('incoming'), false);
    await disk.replace('fresh', 'old');
    assert.equal(await disk.exists('old'), false);
    const replaced = await (await fixture.restart()).open('fresh', { create: false });
    assert.deepEqual(read(replaced, 'name'), ['incoming']);
    await replaced.close();
  });

  behaves('a removed database is gone, and removing it again changes nothing', async (fixture) => {
    const database = await fixture.disk.open('kv', { create: true });
    await database.write([put('a', '1')], { sync: true });
    await database.close();
    await fixture.disk.remove('kv');
    await fixture.disk.remove('kv');
    const disk = await fixture.restart();
    assert.equal(await disk.exists('kv'), false);
    const again = await disk.open('kv', { create: true });
    assert.deepEqual(read(again, 'a'), [undefined]);
    await again.close();
  });

  behaves('a small file is replaced as a whole', async (fixture) => {
    assert.equal(await fixture.disk.readFile('note.json'), null);
    await fixture.disk.writeFile('note.json', Buffer.from('first, longer'));
    await fixture.disk.writeFile('note.json', Buffer.from('second'));
    const disk = await fixture.restart();
    assert.equal((await disk.readFile('note.json'))?.toString(), 'second');
    assert.equal(await disk.exists('note.json'), true);
  });

  behaves('the size of a database grows with what is in it', async ({ disk }) => {
    assert.equal(await disk.sizeOf('kv'), 0);
    const database = await disk.open('kv', { create: true });
    const before = await disk.sizeOf('kv');
    await database.write([{ key: Buffer.from('a'), value: Buffer.alloc(100_000, 7) }], { sync: true });
    assert.ok((await disk.sizeOf('kv')) >= before + 100_000);
    await database.close();
  });
}

export function put(key: string, value: string): Operation {
  return { key: Buffer.from(key), value: Buffer.from(value) };
}

function remove(key: string): Operation {
  return { key: Buffer.from(key), value: null };
}

function read(database: Database, ...keys: string[]): (string | undefined)[] {
  return keys.map((key) => database.get(Buffer.from(key))?.toString());
}

function range(gte: string, lt: string) {
  return { gte: Buffer.from(gte), lt: Buffer.from(lt) };
}

async function pairs(pages: AsyncIterable<readonly (readonly [Buffer, Buffer])[]>): Promise<string[]> {
  const found: string[] = [];
  for await (const page of pages) found.push(...page.map(([key, value]) => `${key.toString()}=${value.toString()}`));
  return found;
}
