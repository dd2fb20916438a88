import assert from 'node:assert/strict';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { messages } from '../wire/etcd-messages.js';
import { framed, type Reply } from '../wire/grpc-connection.js';
import { decode, encode, type Fields } from '../wire/protobuf.js';
import { runLoad } from './load.js';
import { usageOf } from './process-usage.js';
import { median } from './report.js';
import { benchKey, benchValue, workloads } from './workloads.js';

const header = { cluster_id: 2n ** 63n + 1n, member_id: 3n, revision: 300, raft_term: 4 };
const good = (type: 'PutResponse' | 'RangeResponse', fields: Fields): Reply => ({
  status: 0,
  message: '',
  body: framed(encode(messages[type], fields)),
});

let server: Http2Server;
/** The one reply the server gives to each call. */
let answer: Reply;

before(async () => {
  server = createServer();
  server.on('stream', (stream) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(answer.status) }));
    stream.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

after(() => {
  server.close();
});

const load = (edges: () => void) =>
  runLoad(
    workloads.put,
    { port: (server.address() as AddressInfo).port, connections: 2, inFlight: 5, warmUpMs: 20, windowMs: 100 },
    edges,
  );

test('a load counts what was answered within its window, and tells when the window opens and closes', async () => {
  answer = good('PutResponse', { header });
  let edges = 0;
  const result = await load(() => edges++);
  assert.equal(edges, 2);
  assert.ok(result.requests > 0 && result.acknowledged >= result.requests);
  assert.ok(result.p50Ms > 0 && result.p99Ms >= result.p50Ms);
});

test('a load made of refusals gives no number: HTTP 200 is not enough', async () => {
  answer = { status: 12, message: '', body: Buffer.alloc(0) };
  await assert.rejects(
    load(() => {}),
    /put: wrong reply, status 12/,
  );
});

test('a put is answered right when its header names a revision', () => {
  const { isRight } = workloads.put;
  assert.ok(isRight(good('PutResponse', { header })));
  assert.ok(!isRight(good('PutResponse', { header: { cluster_id: 1 } })));
  assert.ok(!isRight(good('PutResponse', {})));
  assert.ok(!isRight({ ...good('PutResponse', { header }), status: 14 }));
  const { body } = good('PutResponse', { header });
  assert.ok(!isRight({ status: 0, message: '', body: body.subarray(0, -1) }));
});

test('a range is answered right when it gives the key with its value', () => {
  const { isRight } = workloads.range;
  const kv = { key: benchKey, create_revision: 5, mod_revision: 300, version: 9, value: benchValue };
  assert.ok(isRight(good('RangeResponse', { header, kvs: [kv], count: 1 })));
  assert.ok(!isRight(good('RangeResponse', { header, count: 0 })));
  const other = Buffer.from(benchValue).fill(0, 200);
  assert.ok(!isRight(good('RangeResponse', { header, kvs: [{ ...kv, value: other }], count: 1 })));
});

test('random keys keep the length of the request and change its key', () => {
  const keys = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const request = decode(messages.PutRequest, workloads.putRandom.next().subarray(5));
    const key = (request['key'] as Buffer).toString();
    assert.match(key, /^key-\d{8}$/);
    keys.add(key);
  }
  assert.ok(keys.size > 1);
});

test('the usage of a process includes what its children use', { skip: process.platform !== 'linux' }, () => {
  const usage = usageOf(process.pid);
  assert.ok(usage.cpuMs > 0 && usage.residentBytes > 10_000_000);
  assert.ok(usageOf(process.ppid).residentBytes > usage.residentBytes);
});

test('a median stands in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});
