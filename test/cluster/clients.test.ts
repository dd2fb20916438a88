import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import { GrpcConnection } from '../wire/grpc-connection.js';
import { Cluster } from './harness.js';
import { electionTimeoutMs, program, TEST_TIMEOUT_MS } from './program.js';

// Clients that were written for etcd, as witnesses.

const UNIMPLEMENTED = 12;

let cluster: Cluster;
let client: Etcd3;

/** Why a test of `path` must be skipped, or false: this version may not have the service yet. */
async function missing(path: string): Promise<string | false> {
  const connection = await GrpcConnection.open('127.0.0.1', cluster.members[0]?.clientPort ?? 0);
  const { status } = await connection.call(path, Buffer.alloc(0), 1_000);
  connection.close();
  return status === UNIMPLEMENTED && `${path} is not implemented yet`;
}

before(async () => {
  cluster = await Cluster.start({ program, members: 3, electionTimeoutMs });
  client = new Etcd3({ hosts: cluster.endpoints.map((endpoint) => `http://${endpoint}`) });
});

after(async () => {
  client.close();
  await cluster.destroy();
});

test('npm etcd3: put, get, prefixes, delete, transactions', { timeout: TEST_TIMEOUT_MS }, async () => {
  await client.put('fruit/apple').value('red');
  await client.put('fruit/pear').value('green');
  assert.equal(await client.get('fruit/apple').string(), 'red');
  assert.deepEqual(await client.getAll().prefix('fruit/').strings(), { 'fruit/apple': 'red', 'fruit/pear': 'green' });
  const result = await client
    .if('fruit/apple', 'Value', '==', 'red')
    .then(client.put('fruit/apple').value('yellow'))
    .else(client.get('fruit/apple'))
    .commit();
  assert.equal(result.succeeded, true);
  assert.equal((await client.delete().prefix('fruit/')).deleted, '2');
});

test('npm etcd3: a watcher sees what is written, in order', { timeout: TEST_TIMEOUT_MS }, async (t) => {
  const reason = await missing('/etcdserverpb.Watch/Watch');
  if (reason !== false) {
    t.skip(reason);
    return;
  }
  const watcher = await client.watch().prefix('watched/').create();
  const seen: string[] = [];
  watcher.on('put', (kv) => seen.push(`${kv.key.toString()}=${kv.value.toString()}`));
  watcher.on('delete', (kv) => seen.push(`${kv.key.toString()} deleted`));
  await client.put('watched/a').value('1');
  await client.put('watched/b').value('2');
  await client.delete().key('watched/a');
  for (let i = 0; i < 200 && seen.length < 3; i++) await sleep(10);
  assert.deepEqual(seen, ['watched/a=1', 'watched/b=2', 'watched/a deleted']);
  await watcher.cancel();
});

test('npm etcd3: a lease takes its keys with it, a lock is held by one', { timeout: TEST_TIMEOUT_MS }, async (t) => {
  const reason = await missing('/etcdserverpb.Lease/LeaseGrant');
  if (reason !== false) {
    t.skip(reason);
    return;
  }
  const lease = client.lease(60);
  await lease.put('leased').value('x');
  assert.equal(await client.get('leased').string(), 'x');
  await lease.revoke();
  assert.equal(await client.get('leased').string(), null);
  const held = await client.lock('the lock').acquire();
  await assert.rejects(client.lock('the lock').acquire());
  await held.release();
  await (await client.lock('the lock').acquire()).release();
});

test('npm etcd3: goes on by itself when the leader is killed', { timeout: TEST_TIMEOUT_MS }, async () => {
  const leader = await cluster.leader();
  await leader.kill();
  // Its own retries may repeat a put; putting the same value again changes nothing that is looked at here.
  for (let i = 0; i < 20; i++) {
    for (let attempt = 1; ; attempt++) {
      try {
        await client.put(`failover/${i}`).value(String(i));
        break;
      } catch (error) {
        if (attempt === 100) throw error;
        await sleep(100);
      }
    }
  }
  leader.start();
  await cluster.ready();
  assert.equal(Object.keys(await client.getAll().prefix('failover/').strings()).length, 20);
});

const etcdctlIsThere = spawnSync('etcdctl', ['version'], { stdio: 'ignore' }).status === 0;

/** Runs etcdctl against all members; gives what it prints. */
function etcdctl(input: string, ...args: string[]): string {
  const all = ['--endpoints', cluster.endpoints.join(','), ...args];
  const result = spawnSync('etcdctl', all, { encoding: 'utf8', input, env: { ...process.env, ETCDCTL_API: '3' } });
  assert.equal(result.status, 0, `etcdctl ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

test(
  'etcdctl: put, get, txn, del, member list, endpoint health and status',
  { skip: !etcdctlIsThere, timeout: TEST_TIMEOUT_MS },
  () => {
    assert.equal(etcdctl('', 'put', 'ctl', 'one'), 'OK\n');
    assert.equal(etcdctl('', 'get', 'ctl'), 'ctl\none\n');
    assert.match(etcdctl('value("ctl") = "one"\n\nput ctl two\n\n\n', 'txn'), /SUCCESS/);
    assert.equal(etcdctl('', 'get', 'ct', '--prefix', '--print-value-only'), 'two\n');
    assert.equal(etcdctl('', 'member', 'list').trim().split('\n').length, 3);
    etcdctl('', 'endpoint', 'health'); // says it on stderr, and by its exit code
    assert.equal(etcdctl('', 'endpoint', 'status').trim().split('\n').length, 3);
    assert.equal(etcdctl('', 'del', 'ctl'), '1\n');
  },
);

test('etcdctl: leases', { skip: !etcdctlIsThere, timeout: TEST_TIMEOUT_MS }, async (t) => {
  const reason = await missing('/etcdserverpb.Lease/LeaseGrant');
  if (reason !== false) {
    t.skip(reason);
    return;
  }
  const [, leaseId = ''] = /lease (\w+) granted/.exec(etcdctl('', 'lease', 'grant', '60')) ?? [];
  assert.equal(etcdctl('', 'put', '--lease', leaseId, 'ctl-leased', 'x'), 'OK\n');
  assert.match(etcdctl('', 'lease', 'timetolive', '--keys', leaseId), /granted with TTL\(60s\).*ctl-leased/);
  assert.match(etcdctl('', 'lease', 'revoke', leaseId), /revoked/);
  assert.equal(etcdctl('', 'get', 'ctl-leased'), '');
});
