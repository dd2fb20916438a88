import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { status as Status } from '@grpc/grpc-js';
import { ClientError } from '../../src/client/errors.js';
import { checkHealth } from '../../src/client/health.js';
import { RemoteClient } from '../../src/client/remote-client.js';
import { fail, FakeMember, silence } from './fake-member.js';

/** Port 1 of this machine: nobody listens there. */
const NOBODY = '127.0.0.1:1';
const HEADER = { cluster_id: '18446744073709551615', member_id: '9223372036854775809', revision: '7', raft_term: '3' };
const open: { stop?: () => void; close?: () => void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) {
    one.close?.();
    one.stop?.();
  }
});

async function member(answers: Parameters<typeof FakeMember.start>[0]): Promise<FakeMember> {
  const started = await FakeMember.start(answers);
  open.push(started);
  return started;
}

function client(endpoints: readonly string[], commandTimeoutMs = 5_000): RemoteClient {
  const made = new RemoteClient({ endpoints, commandTimeoutMs });
  open.push(made);
  return made;
}

async function failure(call: Promise<unknown>): Promise<ClientError> {
  try {
    await call;
  } catch (thrown) {
    assert.ok(thrown instanceof ClientError, String(thrown));
    return thrown;
  }
  assert.fail('the call succeeded');
}

const ok = (response: object) => (_request: unknown, callback: (error: null, response: object) => void) =>
  callback(null, { header: HEADER, ...response });

test('64-bit ids come through whole', async () => {
  const lease = '9223372036854775807';
  const { endpoint } = await member({
    'KV/Range': ok({ kvs: [{ key: Buffer.of(0xff, 0), value: Buffer.of(0), mod_revision: '5', lease }], count: '1' }),
  });
  const response = await client([endpoint]).get('k');
  assert.equal(response.header.clusterId, 18446744073709551615n);
  assert.equal(response.header.memberId, 9223372036854775809n);
  assert.equal(response.header.revision, 7);
  assert.equal(response.kvs[0]?.lease, 9223372036854775807n);
  assert.deepEqual(response.kvs[0]?.key, Buffer.of(0xff, 0));
});

test('a range without an end is sent without one: etcd takes an empty end for no end', async () => {
  const seen: unknown[] = [];
  const note = (request: Record<string, unknown>, callback: (error: null, response: object) => void): void => {
    seen.push(request['range_end']);
    callback(null, {});
  };
  const { endpoint } = await member({ 'KV/Range': note, 'KV/DeleteRange': note });
  await client([endpoint]).get('k');
  await client([endpoint]).del('k');
  await client([endpoint]).get('k', { rangeEnd: 'l' });
  assert.deepEqual(seen, [undefined, undefined, Buffer.from('l')]);
});

test('calls go round the endpoints, and one that cannot be connected to is passed over, for writes too', async () => {
  const first = await member({ 'KV/Put': ok({}) });
  const second = await member({ 'KV/Put': ok({}) });
  const asked = client([NOBODY, first.endpoint, second.endpoint]);
  for (let count = 0; count < 6; count++) await asked.put('k', 'v');
  assert.equal(first.asked.length + second.asked.length, 6);
  assert.ok(first.asked.length >= 2 && second.asked.length >= 2);
});

test('a read asks the next member when one cannot serve', async () => {
  const without = await member({ 'KV/Range': fail(Status.UNAVAILABLE, 'etcdserver: leader changed') });
  const well = await member({ 'KV/Range': ok({ count: '1' }) });
  assert.equal((await client([without.endpoint, well.endpoint]).get('k')).count, 1);
  assert.deepEqual(without.asked, ['KV/Range']);
});

test('a write that may have been done is never sent twice, and says so', async () => {
  for (const code of [Status.UNAVAILABLE, Status.UNKNOWN, Status.INTERNAL]) {
    const broken = await member({ 'KV/Put': fail(code, 'etcdserver: request timed out') });
    const well = await member({ 'KV/Put': ok({}) });
    const error = await failure(client([broken.endpoint, well.endpoint]).put('k', 'v'));
    assert.equal(error.maybeApplied, true);
    assert.equal(error.retryable, false);
    assert.equal(error.endpoint, broken.endpoint);
    assert.deepEqual(well.asked, []);
  }
});

test('a write that was surely not done goes to the next member', async () => {
  const leaderless = await member({ 'KV/Put': fail(Status.UNAVAILABLE, 'etcdserver: no leader') });
  const well = await member({ 'KV/Put': ok({}) });
  await client([leaderless.endpoint, well.endpoint]).put('k', 'v');
  assert.deepEqual(well.asked, ['KV/Put']);
});

test('a refusal is definite: not retried, not maybe applied, in the server’s words', async () => {
  const refusing = await member({ 'KV/Put': fail(Status.INVALID_ARGUMENT, 'etcdserver: key is not provided') });
  const well = await member({ 'KV/Put': ok({}) });
  const error = await failure(client([refusing.endpoint, well.endpoint]).put('', 'v'));
  assert.equal(error.code, 'CLIENT_REJECTED');
  assert.equal(error.message, 'etcdserver: key is not provided');
  assert.equal(error.maybeApplied, false);
  assert.deepEqual(well.asked, []);
});

test('when nobody can be connected to, every endpoint is named with its reason', async () => {
  const error = await failure(client([NOBODY, 'no-such-host.invalid:2379']).put('k', 'v'));
  assert.equal(error.code, 'CLIENT_UNREACHABLE');
  assert.equal(error.maybeApplied, false);
  assert.equal(error.retryable, true);
  assert.match(error.message, /127\.0\.0\.1:1: connection refused; no-such-host\.invalid:2379: this host name/);
});

test('a call ends when its time is over, and a write then may have been done', async () => {
  const silent = await member({ 'KV/Put': silence, 'KV/Range': silence });
  const asked = client([silent.endpoint], 200);
  const write = await failure(asked.put('k', 'v'));
  assert.equal(write.code, 'CLIENT_TIMEOUT');
  assert.equal(write.maybeApplied, true);
  const read = await failure(asked.get('k', {}, { timeoutMs: 50 }));
  assert.equal(read.code, 'CLIENT_TIMEOUT');
  assert.equal(read.maybeApplied, false);
});

test('a signal ends a call that waits, and one that has not begun', async () => {
  const silent = await member({ 'KV/Range': silence });
  const stop = new AbortController();
  const asked = client([silent.endpoint]);
  const waiting = failure(asked.get('k', {}, { signal: stop.signal }));
  stop.abort();
  assert.equal((await waiting).code, 'CLIENT_ABORTED');
  assert.equal((await failure(asked.get('k', {}, { signal: stop.signal }))).code, 'CLIENT_ABORTED');
});

test('what is no endpoint is refused at once', () => {
  for (const endpoint of ['localhost', 'https://h:2379', 'h:p', 'http://', 'a b:1']) {
    assert.throws(() => new RemoteClient({ endpoints: [endpoint] }), { code: 'CLIENT_BAD_ENDPOINT' }, endpoint);
  }
  assert.throws(() => new RemoteClient({ endpoints: [] }), { code: 'CLIENT_BAD_ENDPOINT' });
});

test('txn answers come back in the kinds that were asked, nested ones too', async () => {
  const { endpoint } = await member({
    'KV/Txn': ok({
      succeeded: true,
      responses: [
        { response_put: {} },
        { response_delete_range: { deleted: '2' } },
        { response_txn: { succeeded: false, responses: [{ response_range: { count: '4' } }] } },
      ],
    }),
  });
  const { succeeded, responses } = await client([endpoint]).txn({ compares: [], success: [], failure: [] });
  assert.equal(succeeded, true);
  assert.deepEqual(
    responses.map(({ type }) => type),
    ['put', 'del', 'txn'],
  );
});

test('health is a read that comes back; being refused the key is health too', async () => {
  const well = await member({ 'KV/Range': ok({}) });
  const guarded = await member({ 'KV/Range': fail(Status.PERMISSION_DENIED, 'etcdserver: permission denied') });
  const ill = await member({ 'KV/Range': fail(Status.UNAVAILABLE, 'etcdserver: request timed out') });
  assert.equal((await checkHealth(well.endpoint)).healthy, true);
  assert.equal((await checkHealth(guarded.endpoint)).healthy, true);
  const health = await checkHealth(ill.endpoint);
  assert.equal(health.healthy, false);
  assert.equal(health.error?.message, 'etcdserver: request timed out');
});
