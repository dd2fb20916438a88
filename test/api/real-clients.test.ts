import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Etcd3, EtcdLeaseInvalidError, isRecoverableError } from 'etcd3';
import { KvError } from '../../src/kv/errors.js';
import { WireWriter } from '../../src/kv/wire/writer.js';
import { MemberError } from '../../src/member/errors.js';
import { CLUSTER_ID, MEMBER_ID } from './fake-member.js';
import { atEnd, serve } from './server.js';

const run = promisify(execFile);
const { member, hostAndPort } = await serve();
const url = `http://${hostAndPort}`;
member.records = [{ id: MEMBER_ID, name: 'n1', peerURLs: ['http://127.0.0.1:2380'], clientURLs: [url] }];

const kv = new WireWriter().bytes(1, Buffer.from('a')).int53(2, 5).int53(3, 6).int53(4, 2).bytes(5, Buffer.from('one'));
const aFound = { revision: 42, body: new WireWriter().message(2, kv.finish()).int53(4, 1).finish() };
const nothing = { revision: 42, body: Buffer.alloc(0) };

/** Prepares what the member answers. */
function answering(outcome: typeof member.kvOutcome): void {
  member.kvOutcome = outcome;
}

/** A client of its own: one that has met failures refuses to call for a while. */
function npmClient(): Etcd3 {
  const client = new Etcd3({ hosts: url });
  atEnd(() => client.close());
  return client;
}

test('npm etcd3 puts, gets and deletes', async () => {
  const npm = npmClient();
  answering(nothing);
  assert.equal((await npm.put('a').value('one')).header.revision, '42');
  answering(aFound);
  assert.equal(await npm.get('a').string(), 'one');
  assert.deepEqual(await npm.getAll().strings(), { a: 'one' });
  answering({ revision: 43, body: new WireWriter().int53(2, 1).finish() });
  assert.equal((await npm.delete().key('a')).deleted, '1');
});

test('npm etcd3 recognises what failed by our texts', async () => {
  const npm = npmClient();
  answering(new KvError('KV_LEASE_NOT_FOUND', 'for people'));
  await assert.rejects(Promise.resolve(npm.put('a').value('one')), EtcdLeaseInvalidError);
  answering(new MemberError('MEMBER_TIMEOUT', 'for people'));
  await assert.rejects(npm.get('a').exec(), (error: Error) => isRecoverableError(error));
});

test('npm etcd3 reads the status and the members', async () => {
  const npm = npmClient();
  const status = await npm.maintenance.status();
  assert.equal(status.version, '3.4.23');
  assert.equal(status.leader, String(MEMBER_ID));
  const { members } = await npm.cluster.memberList({});
  assert.deepEqual(
    members.map(({ ID, name, clientURLs }) => ({ ID, name, clientURLs })),
    [{ ID: String(MEMBER_ID), name: 'n1', clientURLs: [url] }],
  );
});

const isInstalled = spawnSync('etcdctl', ['version']).status === 0;
const ctl = isInstalled ? {} : { skip: 'etcdctl is not installed' };

async function etcdctl(...args: string[]): Promise<string> {
  const env = { ...process.env, ETCDCTL_API: '3' };
  const { stdout } = await run('etcdctl', ['--endpoints', hostAndPort, ...args], { env });
  return stdout;
}

test('etcdctl puts, gets, deletes, runs a transaction and compacts', ctl, async () => {
  answering(nothing);
  assert.equal(await etcdctl('put', 'a', 'one'), 'OK\n');
  assert.equal(await etcdctl('compaction', '5'), 'compacted revision 5\n');
  answering(aFound);
  assert.equal(await etcdctl('get', 'a'), 'a\none\n');
  const json = JSON.parse((await etcdctl('get', 'a', '-w', 'json')).replace(/:(\d{16,})/g, ':"$1"')) as {
    header: Record<string, unknown>;
  };
  assert.deepEqual(json.header, {
    cluster_id: String(CLUSTER_ID),
    member_id: String(MEMBER_ID),
    revision: 42,
    raft_term: 7,
  });
  answering({ revision: 43, body: new WireWriter().int53(2, 3).finish() });
  assert.equal(await etcdctl('del', 'a', '--prefix'), '3\n');
});

test('etcdctl prints our failures as etcd prints its own', ctl, async () => {
  answering(new KvError('KV_COMPACTED', 'for people'));
  await assert.rejects(etcdctl('get', 'a', '--rev', '3'), {
    stderr: /etcdserver: mvcc: required revision has been compacted/,
  });
});

test('etcdctl shows the endpoint, its health, its members, its hash and no alarms', ctl, async () => {
  answering(nothing);
  assert.match(
    await etcdctl('endpoint', 'status'),
    /, 8e9e05c52164694d, 3\.4\.23, 25 kB, true, false, 7, 1000, 999, $/m,
  );
  await etcdctl('endpoint', 'health');
  assert.equal(
    await etcdctl('member', 'list'),
    `8e9e05c52164694d, started, n1, http://127.0.0.1:2380, ${url}, false\n`,
  );
  assert.equal(await etcdctl('endpoint', 'hashkv'), `${hostAndPort}, 4294967294\n`);
  assert.equal(await etcdctl('alarm', 'list'), '');
});

test('etcdctl moves the leader', ctl, async () => {
  assert.match(await etcdctl('move-leader', '5'), /^Leadership transferred from 8e9e05c52164694d to 5\n$/);
  assert.deepEqual(member.transfers, [5n]);
});

test('etcdctl says that a command is not implemented', ctl, async () => {
  await assert.rejects(etcdctl('lease', 'grant', '60'), { stderr: /LeaseGrant .*is not implemented by this version/ });
});
