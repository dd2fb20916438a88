import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { Status } from '../../src/api/handlers.js';
import { CLIENT_API } from '../../src/api/unimplemented.js';
import { KvError } from '../../src/kv/errors.js';
import { MemberError } from '../../src/member/errors.js';
import { CLUSTER_ID, MEMBER_ID } from './fake-member.js';
import { call, callRaw, dial, failsWith, protoMethods, serve } from './server.js';

const STATUS = '/etcdserverpb.Maintenance/Status';
const ALARM = '/etcdserverpb.Maintenance/Alarm';
const MOVE_LEADER = '/etcdserverpb.Maintenance/MoveLeader';
const HASH_KV = '/etcdserverpb.Maintenance/HashKV';
const MEMBER_LIST = '/etcdserverpb.Cluster/MemberList';
const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';

const { member, health, hostAndPort } = await serve();
const client = dial(hostAndPort);
const identity = { cluster_id: String(CLUSTER_ID), member_id: String(MEMBER_ID), raft_term: '7' };

test('Status tells what the member knows of itself', async () => {
  assert.deepEqual(await call(client, STATUS, {}), {
    header: { ...identity, revision: '41' },
    version: '3.4.23',
    dbSize: '25000',
    leader: String(MEMBER_ID),
    raftIndex: '1000',
    raftTerm: '7',
    raftAppliedIndex: '999',
    dbSizeInUse: '16000',
  });
});

test('Status without a leader says so among its errors', async () => {
  member.leaderId = null;
  const status = (await call(client, STATUS, {})) as { leader?: string; errors: string[] };
  member.leaderId = MEMBER_ID;
  assert.equal(status.leader, undefined);
  assert.deepEqual(status.errors, ['etcdserver: no leader']);
});

test('HashKV gives the hash of the member asked', async () => {
  member.asked.length = 0;
  const header = { ...identity, revision: '41' };
  assert.deepEqual(await call(client, HASH_KV, {}), { header, hash: 0xffff_fffe, compact_revision: '-1' });
  assert.deepEqual(await call(client, HASH_KV, { revision: '17' }), {
    header,
    hash: 0xffff_fffe,
    compact_revision: '-1',
  });
  assert.deepEqual(
    member.asked.map(({ method }) => method),
    ['hash at 0', 'hash at 17'],
  );
  member.hashOutcome = new KvError('KV_COMPACTED', 'for people');
  await assert.rejects(
    call(client, HASH_KV, { revision: '1' }),
    failsWith(Status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'),
  );
});

test('Alarm GET answers an empty list without a header, as etcd 3.4 does; alarms cannot be set', async () => {
  assert.equal((await callRaw(client, ALARM, Buffer.alloc(0))).length, 0);
  assert.deepEqual(await call(client, ALARM, { action: 'GET', memberID: '5', alarm: 'NOSPACE' }), {});
  await assert.rejects(call(client, ALARM, { action: 'ACTIVATE', alarm: 'NOSPACE' }), { code: Status.UNIMPLEMENTED });
});

test('MoveLeader hands leadership over and answers without a header', async () => {
  member.transfers.length = 0;
  assert.equal((await callRaw(client, MOVE_LEADER, Buffer.from([0x08, 0x05]))).length, 0);
  assert.deepEqual(await call(client, MOVE_LEADER, { targetID: String(2n ** 64n - 1n) }), {});
  assert.deepEqual(member.transfers, [5n, 2n ** 64n - 1n]);
});

test('MoveLeader to the leader itself changes nothing', async () => {
  member.transfers.length = 0;
  assert.deepEqual(await call(client, MOVE_LEADER, { targetID: String(MEMBER_ID) }), {});
  assert.deepEqual(member.transfers, []);
});

test('MoveLeader fails with the words of etcd', async () => {
  const fails = async (code: ConstructorParameters<typeof MemberError>[0], status: Status, text: string) => {
    member.transferOutcome = new MemberError(code, 'for people');
    await assert.rejects(call(client, MOVE_LEADER, { targetID: '5' }), failsWith(status, text));
    member.transferOutcome = null;
  };
  await fails('MEMBER_NOT_LEADER', Status.FAILED_PRECONDITION, 'etcdserver: not leader');
  await fails('MEMBER_BAD_TRANSFEREE', Status.FAILED_PRECONDITION, 'etcdserver: bad leader transferee');
  await fails('MEMBER_TIMEOUT', Status.UNKNOWN, 'etcdserver: request timed out, leader transfer took too long');
});

test('MemberList is sorted by id and its header has no revision', async () => {
  const peerURLs = ['http://127.0.0.1:2380', 'http://127.0.0.1:2381'];
  const clientURLs = ['http://127.0.0.1:2379'];
  member.records = [
    { id: 2n ** 64n - 1n, name: 'n3', peerURLs, clientURLs },
    { id: 3n, name: '', peerURLs: ['http://127.0.0.1:3380'], clientURLs: [] },
    { id: 2n ** 63n, name: 'n2', peerURLs, clientURLs },
  ];
  assert.deepEqual(await call(client, MEMBER_LIST, {}), {
    header: identity,
    members: [
      { ID: '3', peerURLs: ['http://127.0.0.1:3380'] },
      { ID: String(2n ** 63n), name: 'n2', peerURLs, clientURLs },
      { ID: String(2n ** 64n - 1n), name: 'n3', peerURLs, clientURLs },
    ],
  });
});

test('MemberList waits for the cluster only when it is asked to be linearizable', async () => {
  member.readOutcome = new MemberError('MEMBER_TIMEOUT', 'for people');
  await call(client, MEMBER_LIST, {});
  await assert.rejects(
    call(client, MEMBER_LIST, { linearizable: true }),
    failsWith(Status.UNAVAILABLE, 'etcdserver: request timed out'),
  );
  member.readOutcome = null;
  await call(client, MEMBER_LIST, { linearizable: true });
});

test('a body that is no message is refused by every method that looks into it', async () => {
  for (const path of [HASH_KV, ALARM, MOVE_LEADER, MEMBER_LIST, CHECK]) {
    await assert.rejects(callRaw(client, path, Buffer.from([0xff])), { code: Status.INTERNAL }, path);
  }
});

test('the health of the member as a whole is SERVING; no other service is known', async () => {
  assert.deepEqual(await call(client, CHECK, {}), { status: 'SERVING' });
  await assert.rejects(
    call(client, CHECK, { service: 'etcdserverpb.KV' }),
    failsWith(Status.NOT_FOUND, 'unknown service'),
  );
});

function watchHealth(request: object) {
  const method = protoMethods.get(WATCH);
  assert.ok(method);
  const stream = client.makeServerStreamRequest(WATCH, method.requestSerialize, method.responseDeserialize, request);
  stream.on('error', () => undefined);
  const seen = stream[Symbol.asyncIterator]();
  return { stream, next: async () => ((await seen.next()) as { value: object }).value };
}

test('who watches the health hears at once, and again when it changes', async () => {
  const { stream, next } = watchHealth({});
  assert.deepEqual(await next(), { status: 'SERVING' });
  health.setServing(false);
  assert.deepEqual(await next(), { status: 'NOT_SERVING' });
  assert.deepEqual(await call(client, CHECK, {}), { status: 'NOT_SERVING' });
  health.setServing(true);
  assert.deepEqual(await next(), { status: 'SERVING' });
  stream.cancel();
});

test('watching a service that is unknown says so and goes on', async () => {
  const { stream, next } = watchHealth({ service: 'x' });
  assert.deepEqual(await next(), { status: 'SERVICE_UNKNOWN' });
  stream.cancel();
});

test('the API lists exactly the methods of the proto files', () => {
  const listed = new Map<string, boolean>();
  for (const [service, { unary, streams }] of Object.entries(CLIENT_API)) {
    for (const name of unary) listed.set(`/${service}/${name}`, false);
    for (const name of streams) listed.set(`/${service}/${name}`, true);
  }
  const wanted = [...protoMethods.values()].map(
    ({ path, requestStream, responseStream }) => [path, requestStream || responseStream] as const,
  );
  assert.deepEqual([...listed].sort(), wanted.sort());
});

/** How a call of any kind, with an empty request, ends. */
function outcomeOf(path: string, metadata = new Metadata()): Promise<ServiceError | null> {
  const asIs = (bytes: Buffer) => bytes;
  const stream = client.makeBidiStreamRequest(path, asIs, asIs, metadata);
  return new Promise((resolve) => {
    stream.on('error', resolve);
    stream.on('end', () => resolve(null));
    stream.resume();
    stream.end(Buffer.alloc(0));
  });
}

test('every method that is not built yet answers UNIMPLEMENTED in one clear line', async () => {
  const built = new Set([STATUS, HASH_KV, ALARM, MOVE_LEADER, MEMBER_LIST, CHECK, WATCH]);
  for (const name of ['Range', 'Put', 'DeleteRange', 'Txn', 'Compact']) built.add(`/etcdserverpb.KV/${name}`);
  for (const path of protoMethods.keys()) {
    if (built.has(path)) continue;
    const [, service, method] = path.split('/');
    const text = `method ${method} of service ${service} is not implemented by this version of raftkv`;
    const failure = await outcomeOf(path);
    assert.equal(`${failure?.code} ${failure?.details}`, `${Status.UNIMPLEMENTED} ${text}`);
  }
});

test('a method that nobody knows is UNIMPLEMENTED', async () => {
  assert.equal((await outcomeOf('/etcdserverpb.KV/Fly'))?.code, Status.UNIMPLEMENTED);
  assert.equal((await outcomeOf('/no.such.Service/Fly'))?.code, Status.UNIMPLEMENTED);
});

test('a failed range answers as etcd does', async () => {
  member.kvOutcome = new KvError('KV_COMPACTED', 'for people');
  await assert.rejects(
    call(client, '/etcdserverpb.KV/Range', { key: Buffer.from('a'), revision: '1' }),
    failsWith(Status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'),
  );
});
