/*
 * What the state machine costs, without a network, a log or a disk: node --import tsx test/kv/bench.ts
 * Times are of this process's CPU, so that other load on the machine counts less.
 */
import { CommandKind } from '../../src/kv/commands.js';
import type { KvStore, KvWrite, Table } from '../../src/kv/ports.js';
import { KvStateMachine } from '../../src/kv/state-machine.js';
import { decodeRangeRequest } from '../../src/kv/wire/decode.js';
import { encodePutRequest, encodeRangeRequest, encodeTxnRequest } from '../../src/kv/wire/encode.js';
import type { RangeRequest } from '../../src/kv/wire/requests.js';

const PAGE = 1000;
const FLUSH_EVERY = 1000;
const VALUE_BYTES = 256;

/** Keeps what it is given outside of the JavaScript heap as far as it can. */
class BenchStore implements KvStore {
  readonly #tables = { revision: new Map<string, Buffer>(), member: new Map(), meta: new Map() } as Record<
    Table,
    Map<string, Buffer>
  >;
  keeps = true;

  get(table: Table, key: Buffer): Buffer | undefined {
    const value = this.#tables[table].get(key.toString('latin1'));
    return value === undefined ? undefined : Buffer.from(value);
  }

  async write(writes: readonly KvWrite[]): Promise<void> {
    if (!this.keeps) return;
    for (const { table, key, value } of writes) {
      if (value === null) this.#tables[table].delete(key.toString('latin1'));
      else this.#tables[table].set(key.toString('latin1'), value);
    }
  }

  async *scan(table: Table): AsyncIterable<readonly (readonly [Buffer, Buffer])[]> {
    const sorted = [...this.#tables[table]].sort(([a], [b]) => (a < b ? -1 : 1));
    for (let at = 0; at < sorted.length; at += PAGE) {
      yield sorted.slice(at, at + PAGE).map(([key, value]) => [Buffer.from(key, 'latin1'), value] as const);
    }
  }
}

function report(what: string, count: number, run: () => void): void {
  const before = process.cpuUsage();
  run();
  print(what, count, before);
}

function print(what: string, count: number, before: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(before);
  console.log(`${what.padEnd(48)} ${((user + system) / count).toFixed(2).padStart(10)} us`);
}

/** The same sequence every time. */
function sequence(bound: number): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 4) % bound;
  };
}

const keyOf = (position: number): string => `/registry/pods/default/pod-${String(position).padStart(7, '0')}`;
const rangeOf = (words: Partial<RangeRequest>): RangeRequest => decodeRangeRequest(encodeRangeRequest(words));

async function measure(keys: number): Promise<void> {
  const store = new BenchStore();
  const machine = await KvStateMachine.open(store);
  const value = Buffer.alloc(VALUE_BYTES, 7);
  const apply = (kind: CommandKind, request: Buffer): void => {
    machine.apply(machine.appliedIndex + 1, 1, { kind, bootId: 1, sequence: 1, request });
  };
  const puts = Array.from({ length: keys }, (_, position) => encodePutRequest({ key: keyOf(position), value }));
  for (const put of puts) apply(CommandKind.put, put);
  await machine.flush({ sync: false });

  store.keeps = false;
  const draw = sequence(keys);
  const next = (): Buffer => puts[draw()] as Buffer;
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    for (let batch = 0; batch < 200; batch++) {
      for (let at = 0; at < FLUSH_EVERY; at++) apply(CommandKind.put, next());
      await machine.flush({ sync: false });
    }
    print(`put of ${VALUE_BYTES} bytes over ${keys} keys, flush included`, 200 * FLUSH_EVERY, before);
  }

  store.keeps = true;
  for (const put of puts) apply(CommandKind.put, put);
  await machine.flush({ sync: false });
  const gets = Array.from({ length: Math.min(keys, 100_000) }, (_, at) => encodeRangeRequest({ key: keyOf(at) }));
  for (const get of gets) machine.range(decodeRangeRequest(get));
  const drawGet = sequence(gets.length);
  for (let round = 0; round < 3; round++) {
    report(`range of one cached key of ${gets.length}`, 300_000, () => {
      for (let at = 0; at < 300_000; at++) machine.range(decodeRangeRequest(gets[drawGet()] as Buffer));
    });
  }
  if (keys === 1) return;

  const all = { key: '\0', rangeEnd: '\0' };
  const compare = { result: 0, target: 2, key: keyOf(5), rangeEnd: '', number: 5, value: Buffer.alloc(0), lease: 0n };
  const put = { key: keyOf(5), value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  const txn = encodeTxnRequest({ compare: [compare], failure: [{ kind: 'put', request: put }] });
  report('txn of one compare and one put', 20_000, () => {
    for (let at = 0; at < 20_000; at++) apply(CommandKind.txn, txn);
  });
  report('count of all keys', 10, () => {
    for (let at = 0; at < 10; at++) machine.range(rangeOf({ ...all, countOnly: true }));
  });
  report('count of all keys at an old revision', 10, () => {
    for (let at = 0; at < 10; at++) machine.range(rangeOf({ ...all, countOnly: true, revision: machine.revision - 1 }));
  });
  report('range of 100 keys of all', 100, () => {
    for (let at = 0; at < 100; at++) machine.range(rangeOf({ ...all, limit: 100 }));
  });
  report('range of all keys', 1, () => machine.range(rangeOf(all)));
  report('range of all keys, sorted by revision', 1, () =>
    machine.range(rangeOf({ ...all, sortTarget: 3, sortOrder: 2 })),
  );
  await reopen(keys);
}

async function reopen(keys: number): Promise<void> {
  const fresh = new BenchStore();
  const machine = await KvStateMachine.open(fresh);
  for (let position = 0; position < keys; position++) {
    const request = encodePutRequest({ key: keyOf(position), value: Buffer.alloc(VALUE_BYTES) });
    machine.apply(position + 1, 1, { kind: CommandKind.put, bootId: 1, sequence: 1, request });
  }
  await machine.flush({ sync: false });
  report('hash, per key', keys, () => machine.hashKV(0));
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const before = process.cpuUsage();
  const opened = await KvStateMachine.open(fresh);
  print('open, per revision', keys, before);
  globalThis.gc?.();
  console.log(
    `heap per key after open: about ${Math.round((process.memoryUsage().heapUsed - heapBefore) / opened.indexedKeys)} bytes`,
  );
}

await measure(1);
await measure(100_000);
