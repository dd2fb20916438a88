import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messages, methods } from '../wire/etcd-messages.js';
import { framed, type Reply } from '../wire/grpc-connection.js';
import { decode, encode, type Fields } from '../wire/protobuf.js';
import { runCampaign, sequenceOf } from './campaign.js';
import { messageOf, type Request } from './request.js';
import { emptyTally, runSequence } from './run.js';
import type { Pair, Side } from './sides.js';
import { bringsEtcdDown } from './survivable.js';
import { settle } from './unordered.js';

/** Knows only Put, which counts, and Range, which it may get wrong once two puts have gone before. */
class CountingSide implements Side {
  #revision = 1;

  constructor(
    readonly name: string,
    readonly isFaulty: boolean,
  ) {}

  async call(_member: number, path: string, message: Buffer): Promise<Reply> {
    if (path !== methods.put.path && path !== methods.range.path) {
      return { status: 12, message: 'unimplemented', body: Buffer.alloc(0) };
    }
    if (path === methods.put.path && message.length > 0) this.#revision++;
    const wrong = this.isFaulty && path === methods.range.path && this.#revision > 2;
    const header = { cluster_id: this.isFaulty ? 5 : 6, member_id: 7, revision: this.#revision + (wrong ? 1 : 0) };
    const type = path === methods.put.path ? messages.PutResponse : messages.RangeResponse;
    return { status: 0, message: '', body: framed(encode(type, { header })) };
  }

  async destroy(): Promise<void> {}
}

const pairOf = (rightIsFaulty: boolean): Pair => ({
  left: new CountingSide('left', false),
  right: new CountingSide('right', rightIsFaulty),
});

async function campaign(rightIsFaulty: boolean, keep: readonly number[] = []) {
  const reports: string[] = [];
  const signatures = await runCampaign(
    {
      firstSeed: 3,
      sequences: 1,
      length: 300,
      members: 1,
      jobs: 1,
      keep,
      leftOut: new Set(),
      maxDifferences: 1,
      freshPair: async () => pairOf(rightIsFaulty),
      report: (text) => reports.push(text),
    },
    emptyTally(),
  );
  return { signatures, reports };
}

test('equal servers show no difference, though their ids differ', async () => {
  assert.deepEqual(await campaign(false), { signatures: new Map(), reports: [] });
});

test('a wrong reply is found, and told by the fewest and smallest requests that show it', async () => {
  const { signatures, reports } = await campaign(true);
  assert.deepEqual([...signatures.values()], [1]);
  const report = reports.at(-1) ?? '';
  const sent = report.split('\n').filter((line) => line.startsWith('KV/'));
  assert.equal(sent.length, 3, report);
  assert.match(sent[0] ?? '', /^KV\/Put /);
  assert.match(sent[1] ?? '', /^KV\/Put /);
  assert.match(sent[2] ?? '', /^KV\/Range \{\}$/);
  assert.match(report, /left: {2}status 0 .*revision: 3.*\n {2}right: status 0 .*revision: 4/);
});

test('the line that replays a difference shows it again', async () => {
  const { reports } = await campaign(true);
  const [, positions = ''] = /--keep ([\d,]+)/.exec(reports.at(-1) ?? '') ?? [];
  const again = await campaign(true, positions.split(',').map(Number));
  assert.equal(again.reports.at(-1), reports.at(-1));
});

test('a server that is gone is a difference even if the other is gone too', async () => {
  const lost: Side = {
    name: 'lost',
    call: async () => ({ status: -1, message: 'connection closed', body: Buffer.alloc(0) }),
    destroy: async () => {},
  };
  const request: Request = { kind: 'fields', method: methods.put, fields: { key: 'a' }, member: 0 };
  const difference = await runSequence({ left: lost, right: lost }, [request]);
  assert.match(difference?.left ?? '', /no reply/);
});

test('a seed stands for one sequence, whatever its length', () => {
  const texts = (requests: Request[]) => requests.map((request) => messageOf(request, { revision: 9, compacted: 3 }));
  assert.deepEqual(texts(sequenceOf(5, 200)), texts(sequenceOf(5, 400)).slice(0, 200));
  assert.notDeepEqual(texts(sequenceOf(5, 50)), texts(sequenceOf(6, 50)));
});

test('no request is made that etcd does not survive', () => {
  for (const request of sequenceOf(11, 5000, 3)) {
    const method = Object.values(methods).find(({ path }) => request.kind === 'raw' && path === request.path);
    if (request.kind === 'fields') assert.ok(!bringsEtcdDown(request.fields, 3));
    else if (method !== undefined) {
      try {
        assert.ok(!bringsEtcdDown(decode(method.request, request.message), 3));
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error; // else it does not decode, which is harmless
      }
    }
  }
});

const kv = (key: string, version: number) => ({ key: Buffer.from(key), version: BigInt(version) });

function settled(request: Fields, kvs: ReturnType<typeof kv>[], more: boolean): unknown {
  const reply = { kvs, more };
  settle(methods.range.path, request, reply);
  return reply.kvs;
}

test('keys that are equal by the sort target may come in any order, others not', () => {
  const byVersion = { key: 'a', sort_target: 1, sort_order: 1 };
  const one = settled(byVersion, [kv('b', 1), kv('a', 1), kv('c', 2)], false);
  assert.deepEqual(one, settled(byVersion, [kv('a', 1), kv('b', 1), kv('c', 2)], false));
  assert.notDeepEqual(one, settled(byVersion, [kv('c', 2), kv('a', 1), kv('b', 1)], false));
  const byKey = { key: 'a' };
  assert.notDeepEqual(settled(byKey, [kv('b', 1), kv('a', 1)], false), settled(byKey, [kv('a', 1), kv('b', 1)], false));
});

test('which of several equal keys a limit leaves is open, how many is not', () => {
  const byVersion = { key: 'a', sort_target: 1, sort_order: 1, limit: 2 };
  const one = settled(byVersion, [kv('a', 1), kv('b', 2)], true);
  assert.deepEqual(one, settled(byVersion, [kv('a', 1), kv('c', 2)], true));
  assert.notDeepEqual(one, settled(byVersion, [kv('d', 1), kv('c', 2)], true));
  assert.notDeepEqual(one, settled(byVersion, [kv('a', 1), kv('c', 3)], true));
  assert.notDeepEqual(one, settled(byVersion, [kv('a', 1), kv('c', 2)], false));
});
