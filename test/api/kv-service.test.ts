import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Status } from '../../src/api/handlers.js';
import { CommandKind } from '../../src/kv/commands.js';
import { KvError, type KvErrorCode } from '../../src/kv/errors.js';
import { WireWriter } from '../../src/kv/wire/writer.js';
import { MemberError, type MemberErrorCode } from '../../src/member/errors.js';
import { recordingLogger, type LogLine } from '../transport/log-lines.js';
import { CLUSTER_ID, MEMBER_ID } from './fake-member.js';
import { call, callRaw, dial, failsWith, MAX_REQUEST_BYTES, protoMethods, serve } from './server.js';

const RANGE = '/etcdserverpb.KV/Range';
const PUT = '/etcdserverpb.KV/Put';
const DELETE_RANGE = '/etcdserverpb.KV/DeleteRange';
const TXN = '/etcdserverpb.KV/Txn';
const COMPACT = '/etcdserverpb.KV/Compact';

const a = Buffer.from('a');
const logLines: LogLine[] = [];
const { member, hostAndPort } = await serve({ logger: recordingLogger(logLines) });
const client = dial(hostAndPort);

function encoded(path: string, request: object): Buffer {
  return protoMethods.get(path)?.requestSerialize(request) as Buffer;
}

const header = { cluster_id: String(CLUSTER_ID), member_id: String(MEMBER_ID), revision: '42', raft_term: '7' };

const writes: [string, CommandKind, object][] = [
  [PUT, CommandKind.put, { key: a, value: Buffer.from('1') }],
  [DELETE_RANGE, CommandKind.deleteRange, { key: a, range_end: Buffer.from('b') }],
];
for (const [path, kind, request] of writes) {
  test(`${path} is proposed byte for byte as it came, and its result dressed with a header`, async () => {
    member.asked.length = 0;
    assert.deepEqual(await call(client, path, request), { header });
    assert.deepEqual(member.asked, [{ method: 'propose', kind, request: encoded(path, request) }]);
  });
}

test('Range, Txn and Compact go to the member as they came', async () => {
  member.asked.length = 0;
  const range = { key: a, limit: 3, serializable: true };
  const txn = { success: [{ request_range: { key: a } }] };
  assert.deepEqual(await call(client, RANGE, range), { header });
  const compact = { revision: 5, physical: true };
  assert.deepEqual(await call(client, TXN, txn), { header });
  assert.deepEqual(await call(client, COMPACT, compact), { header });
  assert.deepEqual(member.asked, [
    { method: 'range', request: encoded(RANGE, range) },
    { method: 'txn', request: encoded(TXN, txn) },
    { method: 'compact', request: encoded(COMPACT, compact) },
  ]);
});

test('the body of a result reaches the client unchanged behind the header', async () => {
  const kv = new WireWriter().bytes(1, a).int53(3, 12).bytes(5, Buffer.from('value')).finish();
  member.kvOutcome = { revision: 2 ** 40, body: new WireWriter().message(2, kv).int53(4, 1).finish() };
  assert.deepEqual(await call(client, RANGE, { key: a }), {
    header: { ...header, revision: String(2 ** 40) },
    kvs: [{ key: a, mod_revision: '12', value: Buffer.from('value') }],
    count: '1',
  });
  member.kvOutcome = { revision: 42, body: Buffer.alloc(0) };
});

test('a reply may be far larger than a request', async () => {
  const body = new WireWriter().message(2, new WireWriter().bytes(5, Buffer.alloc(20 << 20, 1)).finish()).finish();
  member.kvOutcome = { revision: 42, body };
  const reply = await callRaw(client, RANGE, encoded(RANGE, { key: a }));
  assert.ok(reply.subarray(-body.length).equals(body));
  member.kvOutcome = { revision: 42, body: Buffer.alloc(0) };
});

const key = Buffer.from('k');
const put = { request_put: { key: a } };
const refused: [string, object, Status, string][] = [
  [RANGE, {}, Status.INVALID_ARGUMENT, 'etcdserver: key is not provided'],
  [PUT, { value: a }, Status.INVALID_ARGUMENT, 'etcdserver: key is not provided'],
  [DELETE_RANGE, {}, Status.INVALID_ARGUMENT, 'etcdserver: key is not provided'],
  [TXN, { compare: [{}] }, Status.INVALID_ARGUMENT, 'etcdserver: key is not provided'],
  [PUT, { key, value: a, ignore_value: true }, Status.INVALID_ARGUMENT, 'etcdserver: value is provided'],
  [PUT, { key, lease: '5', ignore_lease: true }, Status.INVALID_ARGUMENT, 'etcdserver: lease is provided'],
  [TXN, { success: [{}] }, Status.INVALID_ARGUMENT, 'etcdserver: key not found'],
  [TXN, { success: [put, put] }, Status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request'],
  [
    TXN,
    { failure: Array.from({ length: 129 }, (_, n) => ({ request_put: { key: Buffer.from([n + 1]) } })) },
    Status.INVALID_ARGUMENT,
    'etcdserver: too many operations in txn request',
  ],
];
for (const [path, request, code, text] of refused) {
  test(`${path} is refused with "${text}" before anything is proposed`, async () => {
    member.asked.length = 0;
    await assert.rejects(call(client, path, request), failsWith(code, text));
    assert.deepEqual(member.asked, []);
  });
}

test('128 operations in a transaction are not too many', async () => {
  const success = Array.from({ length: 128 }, (_, n) => ({ request_put: { key: Buffer.from([n + 1]) } }));
  assert.deepEqual(await call(client, TXN, { success }), { header });
});

for (const path of [RANGE, PUT, DELETE_RANGE, TXN, COMPACT]) {
  test(`${path} with a body that is no message fails with INTERNAL and gRPC's words`, async () => {
    member.asked.length = 0;
    const isUnmarshalling = (error: unknown) =>
      (error as { code: number }).code === Status.INTERNAL &&
      (error as { details: string }).details.startsWith('grpc: error unmarshalling request: ');
    await assert.rejects(callRaw(client, path, Buffer.from([0x0a, 0x7f, 0x01])), isUnmarshalling);
    assert.deepEqual(member.asked, []);
  });
}

const kvFailures: Record<Exclude<KvErrorCode, 'KV_MALFORMED_REQUEST'>, [Status, string]> = {
  KV_EMPTY_KEY: [Status.INVALID_ARGUMENT, 'etcdserver: key is not provided'],
  KV_KEY_NOT_FOUND: [Status.INVALID_ARGUMENT, 'etcdserver: key not found'],
  KV_VALUE_PROVIDED: [Status.INVALID_ARGUMENT, 'etcdserver: value is provided'],
  KV_LEASE_PROVIDED: [Status.INVALID_ARGUMENT, 'etcdserver: lease is provided'],
  KV_TOO_MANY_OPERATIONS: [Status.INVALID_ARGUMENT, 'etcdserver: too many operations in txn request'],
  KV_DUPLICATE_KEY: [Status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request'],
  KV_INVALID_SORT_OPTION: [Status.INVALID_ARGUMENT, 'etcdserver: invalid sort option'],
  KV_COMPACTED: [Status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'],
  KV_FUTURE_REVISION: [Status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision'],
  KV_LEASE_NOT_FOUND: [Status.NOT_FOUND, 'etcdserver: requested lease not found'],
};
const memberFailures: Record<MemberErrorCode, [Status, string]> = {
  MEMBER_TIMEOUT: [Status.UNAVAILABLE, 'etcdserver: request timed out'],
  MEMBER_TIMEOUT_LEADER_FAILURE: [
    Status.UNAVAILABLE,
    'etcdserver: request timed out, possibly due to previous leader failure',
  ],
  MEMBER_LEADER_CHANGED: [Status.UNAVAILABLE, 'etcdserver: leader changed'],
  MEMBER_NO_LEADER: [Status.UNAVAILABLE, 'etcdserver: no leader'],
  MEMBER_TOO_MANY_REQUESTS: [Status.UNKNOWN, 'etcdserver: too many requests'],
  MEMBER_REQUEST_TOO_LARGE: [Status.INVALID_ARGUMENT, 'etcdserver: request is too large'],
  MEMBER_STOPPED: [Status.UNAVAILABLE, 'etcdserver: server stopped'],
  MEMBER_NOT_LEADER: [Status.FAILED_PRECONDITION, 'etcdserver: not leader'],
  MEMBER_BAD_TRANSFEREE: [Status.FAILED_PRECONDITION, 'etcdserver: bad leader transferee'],
};
const failures: [Error, Status, string][] = [
  ...Object.entries(kvFailures).map(([code, [status, text]]): [Error, Status, string] => [
    new KvError(code as KvErrorCode, 'for people'),
    status,
    text,
  ]),
  ...Object.entries(memberFailures).map(([code, [status, text]]): [Error, Status, string] => [
    new MemberError(code as MemberErrorCode, 'for people'),
    status,
    text,
  ]),
];
for (const [error, code, text] of failures) {
  test(`${(error as KvError).code} reaches the client as "${text}"`, async () => {
    member.kvOutcome = error;
    await assert.rejects(call(client, PUT, { key: a }), failsWith(code, text));
    member.kvOutcome = { revision: 42, body: Buffer.alloc(0) };
  });
}

test('an error without a name is logged and reaches the client as UNKNOWN: a write may have happened', async () => {
  logLines.length = 0;
  member.kvOutcome = new Error('out of ink');
  const text = 'unexpected error, see the log of this member: out of ink';
  await assert.rejects(call(client, PUT, { key: a }), failsWith(Status.UNKNOWN, text));
  member.kvOutcome = { revision: 42, body: Buffer.alloc(0) };
  assert.deepEqual(
    logLines.map(({ level, message }) => [level, message]),
    [['error', 'request failed unexpectedly']],
  );
});

test('hasleader is refused at once while no leader is known, and by no other call', async () => {
  member.leaderId = null;
  const refusal = failsWith(Status.UNAVAILABLE, 'etcdserver: no leader');
  await assert.rejects(call(client, PUT, { key: a }, { metadata: { hasleader: 'true' } }), refusal);
  await call(client, PUT, { key: a });
  await call(client, PUT, { key: a }, { metadata: { hasleader: 'false' } });
  member.leaderId = MEMBER_ID;
  await call(client, PUT, { key: a }, { metadata: { hasleader: 'true' } });
});

test('a call that is not answered in the time it has ends with DEADLINE_EXCEEDED', async () => {
  member.kvOutcome = 'silence';
  await assert.rejects(call(client, PUT, { key: a }, { timeoutMs: 50 }), { code: Status.DEADLINE_EXCEEDED });
  member.kvOutcome = { revision: 42, body: Buffer.alloc(0) };
});

test('a message above max-request-bytes and 512 KiB is refused with the words of grpc-go', async () => {
  const limit = MAX_REQUEST_BYTES + 512 * 1024;
  const text = (size: number) => `grpc: received message larger than max (${size} vs. ${limit})`;
  await assert.rejects(
    callRaw(client, PUT, Buffer.alloc(limit + 1)),
    failsWith(Status.RESOURCE_EXHAUSTED, text(limit + 1)),
  );
  const value = Buffer.alloc(limit - 64 * 1024);
  assert.deepEqual(await call(client, PUT, { key: a, value }), { header });
});

test('a message far above the limit is refused as well, before it has all arrived', async () => {
  await assert.rejects(callRaw(client, PUT, Buffer.alloc(6 << 20)), { code: Status.RESOURCE_EXHAUSTED });
});
