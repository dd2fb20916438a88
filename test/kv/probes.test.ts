import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandKind } from '../../src/kv/commands.js';
import { KvError } from '../../src/kv/errors.js';
import type { KvResult } from '../../src/kv/results.js';
import { isReadOnlyTxn, isSerializableTxn } from '../../src/kv/txn.js';
import { decodeRangeRequest, decodeTxnRequest } from '../../src/kv/wire/decode.js';
import { Driver, loadProtocol } from './support.js';

/*
 * The conformance probes of the key-value service, as a client sends them and reads the answers. Requests and responses are
 * in the words of the protocol, by protobufjs.
 */

const message = await loadProtocol();

type Words = Record<string, unknown>;

class Probe {
  private constructor(readonly driver: Driver) {}

  static async start(): Promise<Probe> {
    return new Probe(await Driver.start());
  }

  put(words: Words): Words {
    return this.#apply(CommandKind.put, 'Put', words);
  }

  deleteRange(words: Words): Words {
    return this.#apply(CommandKind.deleteRange, 'DeleteRange', words);
  }

  txn(words: Words): Words {
    return this.#apply(CommandKind.txn, 'Txn', words);
  }

  compact(revision: number): Words {
    return this.#apply(CommandKind.compact, 'Compaction', { revision });
  }

  range(words: Words): Words {
    const request = decodeRangeRequest(encode('RangeRequest', words));
    return answer('RangeResponse', () => this.driver.machine.range(request));
  }

  #apply(kind: CommandKind, name: string, words: Words): Words {
    return answer(`${name}Response`, () => this.driver.done(kind, encode(`${name}Request`, words)));
  }
}

function encode(name: string, words: Words): Buffer {
  const type = message(name);
  return Buffer.from(type.encode(type.fromObject(inBytes(words) as Words)).finish());
}

/** Text in keys and values for bytes. */
function inBytes(words: unknown): unknown {
  if (typeof words === 'string') return Buffer.from(words, 'latin1');
  if (Array.isArray(words)) return words.map(inBytes);
  if (words === null || typeof words !== 'object') return words;
  return Object.fromEntries(Object.entries(words).map(([name, value]) => [name, inBytes(value)]));
}

/** The response without defaults, with the revision of its header; or the code of the refusal. */
function answer(name: string, run: () => KvResult): Words {
  try {
    const { revision, body } = run();
    const type = message(name);
    const decoded = type.toObject(type.decode(body), { longs: Number });
    return { at: revision, ...(inText(decoded) as Words) };
  } catch (error) {
    if (error instanceof KvError) return { refused: error.code };
    throw error;
  }
}

function inText(words: unknown): unknown {
  if (words instanceof Uint8Array) return Buffer.from(words).toString('latin1');
  if (Array.isArray(words)) return words.map(inText);
  if (words === null || typeof words !== 'object') return words;
  return Object.fromEntries(Object.entries(words).map(([name, value]) => [name, inText(value)]));
}

function kv(key: string, value: string, create: number, mod: number, version: number): Words {
  const base = { key, create_revision: create, mod_revision: mod, version };
  return value === '' ? base : { ...base, value };
}

const putOp = (key: string, value: string): Words => ({ request_put: { key, value } });
const getOp = (key: string, more: Words = {}): Words => ({ request_range: { key, ...more } });
const deleteOp = (key: string, more: Words = {}): Words => ({ request_delete_range: { key, ...more } });

test('an empty store is at revision 1', async () => {
  const probe = await Probe.start();
  assert.deepEqual(probe.range({ key: 'a' }), { at: 1 });
});

test('a put makes a revision and knows what was there', async () => {
  const probe = await Probe.start();
  assert.deepEqual(probe.put({ key: 'a', value: '1' }), { at: 2 });
  assert.deepEqual(probe.put({ key: 'a', value: '2', prev_kv: true }), { at: 3, prev_kv: kv('a', '1', 2, 2, 1) });
  assert.deepEqual(probe.deleteRange({ key: 'x' }), { at: 3 });
  assert.deepEqual(probe.range({ key: 'a' }), { at: 3, kvs: [kv('a', '2', 2, 3, 2)], count: 1 });
  assert.deepEqual(probe.range({ key: 'a', revision: 2 }), { at: 3, kvs: [kv('a', '1', 2, 2, 1)], count: 1 });
});

test('limit, more and count', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  probe.put({ key: 'b', value: '2' });
  const [a, b] = [kv('a', '1', 2, 2, 1), kv('b', '2', 3, 3, 1)];
  const all = { key: 'a', range_end: '\0' };
  assert.deepEqual(probe.range({ ...all, limit: 1 }), { at: 3, kvs: [a], more: true, count: 2 });
  assert.deepEqual(probe.range({ ...all, limit: 2 }), { at: 3, kvs: [a, b], count: 2 });
  assert.deepEqual(probe.range({ ...all, limit: -1 }), { at: 3, kvs: [a, b], count: 2 });
  assert.deepEqual(probe.range({ ...all, min_mod_revision: 3 }), { at: 3, kvs: [b], count: 2 });
  assert.deepEqual(probe.range({ ...all, count_only: true, limit: 1 }), { at: 3, count: 2 });
  assert.deepEqual(probe.range({ ...all, keys_only: true, limit: 1 }), {
    at: 3,
    kvs: [kv('a', '', 2, 2, 1)],
    more: true,
    count: 2,
  });
  assert.deepEqual(probe.range({ key: 'b', range_end: 'a' }), { at: 3 });
  assert.deepEqual(probe.range({ key: '\0', range_end: '\0', count_only: true }), { at: 3, count: 2 });
});

test('a target without an order sorts only the first keys when there is a limit (4.3)', async () => {
  const probe = await Probe.start();
  for (const key of ['d', 'c', 'b', 'a']) probe.put({ key, value: key });
  const keys = (words: Words): unknown[] =>
    (probe.range({ key: 'a', range_end: '\0', ...words })['kvs'] as Words[]).map(({ key }) => key);
  assert.deepEqual(keys({ sort_target: 2 }), ['d', 'c', 'b', 'a']);
  assert.deepEqual(keys({ sort_target: 2, limit: 1 }), ['b']);
  assert.deepEqual(keys({ sort_target: 2, limit: 1, sort_order: 1 }), ['d']);
  assert.deepEqual(keys({ sort_target: 2, limit: 1, min_mod_revision: 1 }), ['d']);
  assert.deepEqual(keys({ sort_order: 2, limit: 2 }), ['d', 'c']);
  assert.deepEqual(keys({ sort_order: 7, sort_target: 2, limit: 1 }), ['a']);
});

test('revisions out of reach are refused, negative ones are the current one', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  assert.deepEqual(probe.range({ key: 'a', revision: -5 }), { at: 2, kvs: [kv('a', '1', 2, 2, 1)], count: 1 });
  assert.deepEqual(probe.range({ key: 'a', revision: 100 }), { refused: 'KV_FUTURE_REVISION' });
  assert.deepEqual(probe.range({ key: 'a', revision: 1 }), { at: 2 });
});

test('a key that was deleted begins a new life', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  probe.put({ key: 'a', value: '2' });
  assert.deepEqual(probe.deleteRange({ key: 'a', prev_kv: true }), {
    at: 4,
    deleted: 1,
    prev_kvs: [kv('a', '2', 2, 3, 2)],
  });
  probe.put({ key: 'a', value: '3' });
  assert.deepEqual(probe.range({ key: 'a' }), { at: 5, kvs: [kv('a', '3', 5, 5, 1)], count: 1 });
  assert.deepEqual(probe.range({ key: 'a', revision: 4 }), { at: 5 });
});

test('the compact revision can be read, what is below cannot', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  probe.put({ key: 'a', value: '2' });
  probe.put({ key: 'a', value: '3' });
  assert.deepEqual(probe.compact(3), { at: 4 });
  assert.deepEqual(probe.compact(3), { refused: 'KV_COMPACTED' });
  assert.deepEqual(probe.compact(5), { refused: 'KV_FUTURE_REVISION' });
  assert.deepEqual(probe.range({ key: 'a', revision: 3 }), { at: 4, kvs: [kv('a', '2', 2, 3, 2)], count: 1 });
  assert.deepEqual(probe.range({ key: 'a', revision: 2 }), { refused: 'KV_COMPACTED' });
});

test('a store that was never compacted can be compacted at 0, once', async () => {
  const probe = await Probe.start();
  assert.deepEqual(probe.compact(-1), { refused: 'KV_COMPACTED' });
  assert.deepEqual(probe.compact(0), { at: 1 });
  assert.deepEqual(probe.compact(0), { refused: 'KV_COMPACTED' });
});

test('a transaction makes one revision, its reads see its writes', async () => {
  const probe = await Probe.start();
  const header = { revision: 2 };
  assert.deepEqual(
    probe.txn({ success: [putOp('a', '1'), getOp('a'), putOp('b', '2'), getOp('a', { range_end: 'c' })] }),
    {
      at: 2,
      succeeded: true,
      responses: [
        { response_put: { header } },
        { response_range: { header, kvs: [kv('a', '1', 2, 2, 1)], count: 1 } },
        { response_put: { header } },
        { response_range: { header, kvs: [kv('a', '1', 2, 2, 1), kv('b', '2', 2, 2, 1)], count: 2 } },
      ],
    },
  );
});

test('headers within a transaction show the revision before its first change', async () => {
  const probe = await Probe.start();
  const answer = probe.txn({ success: [getOp('a'), deleteOp('a'), putOp('a', '1'), getOp('a'), { request_txn: {} }] });
  assert.deepEqual(answer['responses'], [
    { response_range: { header: { revision: 1 } } },
    { response_delete_range: { header: { revision: 1 } } },
    { response_put: { header: { revision: 2 } } },
    { response_range: { header: { revision: 2 }, kvs: [kv('a', '1', 2, 2, 1)], count: 1 } },
    { response_txn: { header: {}, succeeded: true } },
  ]);
});

test('a transaction without effect makes no revision', async () => {
  const probe = await Probe.start();
  assert.deepEqual(probe.txn({}), { at: 1, succeeded: true });
  assert.deepEqual(probe.txn({ compare: [{ target: 0, key: 'a', version: 1 }], success: [putOp('a', '1')] }), {
    at: 1,
  });
});

test('absent keys compare as zero, but their value as nothing at all', async () => {
  const probe = await Probe.start();
  const succeeds = (compare: Words): boolean =>
    probe.txn({ compare: [{ key: 'a', ...compare }] })['succeeded'] === true;
  assert.equal(succeeds({ target: 3, result: 3, value: 'x' }), false);
  assert.equal(succeeds({ target: 3, result: 0, value: '' }), false);
  assert.equal(succeeds({ target: 0, version: 0 }), true);
  assert.equal(succeeds({ target: 1, create_revision: 0 }), true);
  assert.equal(succeeds({ target: 4, lease: 0 }), true);
  assert.equal(succeeds({ target: 4, lease: 5, result: 2 }), true);
  assert.equal(succeeds({ target: 0, range_end: 'z' }), true);
  assert.equal(succeeds({ target: 1, range_end: 'z', result: 1 }), false);
});

test('comparisons with the wrong member, or by numbers nobody knows', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  const succeeds = (compare: Words): boolean =>
    probe.txn({ compare: [{ key: 'a', ...compare }] })['succeeded'] === true;
  assert.equal(succeeds({ target: 0, create_revision: 1 }), false, 'stored 1, given nothing');
  assert.equal(succeeds({ target: 0, create_revision: 1, result: 1 }), true);
  assert.equal(succeeds({ target: 3, result: 1, version: 5 }), true);
  assert.equal(succeeds({ target: 0, version: 7, result: 9 }), true);
  assert.equal(succeeds({ target: 9, version: 7 }), true);
  assert.equal(succeeds({ target: 9, version: 7, result: 3 }), false);
});

test('a comparison over an interval must hold for every key in it', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  probe.put({ key: 'b', value: '2' });
  const succeeds = (compare: Words): boolean =>
    probe.txn({ compare: [{ key: 'a', range_end: '\0', ...compare }] })['succeeded'] === true;
  assert.equal(succeeds({ target: 0, version: 1 }), true);
  probe.put({ key: 'b', value: '3' });
  assert.equal(succeeds({ target: 0, version: 1 }), false);
  assert.equal(succeeds({ target: 0, version: 0, result: 1 }), true);
});

test('conditions of nested transactions see the state before the transaction', async () => {
  const probe = await Probe.start();
  const nested = {
    request_txn: { compare: [{ key: 'a', target: 0, version: 0 }], success: [putOp('b', 'was absent')] },
  };
  const answer = probe.txn({ success: [putOp('a', '1'), nested] });
  assert.deepEqual((answer['responses'] as Words[])[1], {
    response_txn: { header: {}, succeeded: true, responses: [{ response_put: { header: { revision: 2 } } }] },
  });
});

test('leases do not exist, except where nobody looks', async () => {
  const probe = await Probe.start();
  assert.deepEqual(probe.put({ key: 'a', lease: 5 }), { refused: 'KV_LEASE_NOT_FOUND' });
  assert.deepEqual(probe.put({ key: 'a', lease: -5 }), { refused: 'KV_LEASE_NOT_FOUND' });
  const withLease = { request_put: { key: 'a', lease: 5 } };
  assert.deepEqual(probe.txn({ success: [putOp('b', '1'), withLease] }), { refused: 'KV_LEASE_NOT_FOUND' });
  assert.deepEqual(probe.txn({ success: [], failure: [withLease] }), { at: 1, succeeded: true });
  assert.deepEqual(probe.range({ key: 'b' }), { at: 1 }, 'nothing was done');
});

test('alone the lease is looked at first, in a transaction the key', async () => {
  const probe = await Probe.start();
  const keeping = { key: 'a', lease: 5, ignore_value: true };
  assert.deepEqual(probe.put(keeping), { refused: 'KV_LEASE_NOT_FOUND' });
  assert.deepEqual(probe.txn({ success: [{ request_put: keeping }] }), { refused: 'KV_KEY_NOT_FOUND' });
});

test('a put may keep the value', async () => {
  const probe = await Probe.start();
  assert.deepEqual(probe.put({ key: 'a', ignore_value: true }), { refused: 'KV_KEY_NOT_FOUND' });
  assert.deepEqual(probe.put({ key: 'a', ignore_lease: true }), { refused: 'KV_KEY_NOT_FOUND' });
  probe.put({ key: 'a', value: '1' });
  assert.deepEqual(probe.put({ key: 'a', ignore_value: true }), { at: 3 });
  assert.deepEqual(probe.put({ key: 'a', value: '2', ignore_lease: true }), { at: 4 });
  assert.deepEqual(probe.range({ key: 'a' }), { at: 4, kvs: [kv('a', '2', 2, 4, 3)], count: 1 });
  assert.deepEqual(probe.range({ key: 'a', revision: 3 }), { at: 4, kvs: [kv('a', '1', 2, 3, 2)], count: 1 });
});

test('within a transaction a negative revision is one that compaction may have passed', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  const reading = (revision: number): Words => probe.txn({ success: [getOp('a', { revision })] });
  assert.equal(reading(-1)['succeeded'], true);
  assert.deepEqual(reading(-5), { refused: 'KV_COMPACTED' });
  assert.deepEqual(reading(3), { refused: 'KV_FUTURE_REVISION' });
  probe.compact(2);
  assert.deepEqual(reading(-1), { refused: 'KV_COMPACTED' });
  const ahead = probe.txn({ success: [putOp('a', '2'), getOp('a', { revision: 3 })] });
  assert.deepEqual(ahead, { refused: 'KV_FUTURE_REVISION' }, 'judged by the revision before the transaction');
});

test('a transaction may delete everything from a key on and put that key', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  probe.txn({ success: [deleteOp('a', { range_end: '\0' }), putOp('a', '2')] });
  assert.deepEqual(probe.range({ key: 'a' }), { at: 3, kvs: [kv('a', '2', 3, 3, 1)], count: 1 });
  probe.txn({ success: [putOp('a', '3'), deleteOp('a', { range_end: '\0' })] });
  assert.deepEqual(probe.range({ key: 'a' }), { at: 4 });
  probe.compact(4);
  probe.driver.finishCompaction();
  assert.deepEqual(probe.range({ key: 'a' }), { at: 4 });
});

test('a transaction that would keep the value of a key it has deleted is taken back as a whole', async () => {
  const probe = await Probe.start();
  probe.put({ key: 'a', value: '1' });
  probe.put({ key: 'b', value: '2' });
  const before = probe.driver.machine.hashKV(0);
  const keeping = { request_put: { key: 'b', ignore_value: true } };
  const answer = probe.txn({
    success: [putOp('new', '3'), deleteOp('a', { range_end: '\0' }), putOp('a', '4'), keeping],
  });
  assert.deepEqual(answer, { refused: 'KV_KEY_NOT_FOUND' });
  assert.deepEqual(probe.driver.machine.hashKV(0), before);
  assert.equal(probe.driver.machine.indexedKeys, 2);
  assert.deepEqual(probe.range({ key: '\0', range_end: '\0', count_only: true }), { at: 3, count: 2 });
  assert.deepEqual(probe.put({ key: 'b', value: '5', prev_kv: true }), { at: 4, prev_kv: kv('b', '2', 3, 3, 1) });
});

test('an empty operation is a key that was not found', async () => {
  const probe = await Probe.start();
  assert.deepEqual(probe.txn({ success: [putOp('a', '1'), {}] }), { refused: 'KV_KEY_NOT_FOUND' });
  assert.deepEqual(probe.range({ key: 'a' }), { at: 1 });
});

test('what is no request is refused, and the store goes on', async () => {
  const { driver } = await Probe.start();
  for (const kind of Object.values(CommandKind))
    assert.equal(driver.refused(kind, Buffer.from([0x0f])), 'KV_MALFORMED_REQUEST');
  assert.equal(driver.put('a', '1'), 2);
});

test('a transaction is read-only with nothing but ranges, and serializable when all of them are (4.6)', () => {
  const judged = (words: Words): [boolean, boolean] => {
    const request = decodeTxnRequest(encode('TxnRequest', words));
    return [isReadOnlyTxn(request), isSerializableTxn(request)];
  };
  const serializable = getOp('a', { serializable: true });
  assert.deepEqual(judged({}), [true, true]);
  assert.deepEqual(judged({ compare: [{ key: 'a' }] }), [true, true]);
  assert.deepEqual(judged({ success: [getOp('a')] }), [true, false]);
  assert.deepEqual(judged({ success: [serializable], failure: [serializable] }), [true, true]);
  assert.deepEqual(judged({ success: [serializable], failure: [getOp('a')] }), [true, false]);
  assert.deepEqual(judged({ success: [serializable], failure: [putOp('a', '1')] }), [false, false]);
  assert.deepEqual(judged({ success: [{ request_txn: { success: [serializable] } }] }), [false, false]);
});
