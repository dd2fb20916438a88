import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { MemberError } from '../../src/member/errors.js';
import { recordingLogger, type LogLine } from '../transport/log-lines.js';
import { MEMBER_ID } from './fake-member.js';
import { serve } from './server.js';

const logLines: LogLine[] = [];
const { member, hostAndPort } = await serve({ logger: recordingLogger(logLines) });

async function get(path: string, method = 'GET'): Promise<[number, string]> {
  const response = await fetch(`http://${hostAndPort}${path}`, { method });
  return [response.status, await response.text()];
}

const timeout = new MemberError('MEMBER_TIMEOUT', 'for people');

/** Runs `body` at a member that cannot reach a quorum. */
async function withoutQuorum(body: () => Promise<void>): Promise<void> {
  member.readOutcome = timeout;
  await body();
  member.readOutcome = null;
}

/** Runs `body` at a member that cannot even read what it has. */
async function withoutReads(body: () => Promise<void>): Promise<void> {
  const { kvOutcome } = member;
  member.kvOutcome = timeout;
  await body();
  member.kvOutcome = kvOutcome;
}

test('/health is well when a linearizable read succeeds', async () => {
  assert.deepEqual(await get('/health'), [200, '{"health":"true","reason":""}']);
});

test('/health without a leader gives that as its reason', async () => {
  member.leaderId = null;
  assert.deepEqual(await get('/health'), [503, '{"health":"false","reason":"RAFT NO LEADER"}']);
  assert.deepEqual(await get('/health?serializable=true'), [200, '{"health":"true","reason":""}']);
  member.leaderId = MEMBER_ID;
});

test('/health without a quorum gives the failure of the read, unless asked to be serializable', () =>
  withoutQuorum(async () => {
    const reason = 'RANGE ERROR:etcdserver: request timed out';
    assert.deepEqual(await get('/health'), [503, `{"health":"false","reason":"${reason}"}`]);
    assert.deepEqual(await get('/health?serializable=true'), [200, '{"health":"true","reason":""}']);
  }));

test('/livez needs no quorum', () =>
  withoutQuorum(async () => {
    assert.deepEqual(await get('/livez'), [200, 'ok\n']);
    assert.deepEqual(await get('/livez?verbose'), [200, '[+]serializable_read ok\nok\n']);
    assert.deepEqual(await get('/livez/serializable_read'), [200, 'ok\n']);
  }));

test('/livez fails when the member cannot read what it has', () =>
  withoutReads(async () => {
    const lines = '[-]serializable_read failed: etcdserver: request timed out\n/livez check failed\n';
    assert.deepEqual(await get('/livez'), [503, lines]);
  }));

test('/readyz lists its checks when asked to be verbose', async () => {
  assert.deepEqual(await get('/readyz'), [200, 'ok\n']);
  const lines = '[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\nok\n';
  assert.deepEqual(await get('/readyz?verbose'), [200, lines]);
});

test('/readyz needs a quorum, unless that check is excluded', () =>
  withoutQuorum(async () => {
    const [status, text] = await get('/readyz');
    assert.equal(status, 503);
    assert.match(text, /^\[-\]linearizable_read failed: etcdserver: request timed out$/m);
    assert.match(text, /^\[\+\]serializable_read ok$/m);
    assert.deepEqual(await get('/readyz?exclude=linearizable_read'), [200, 'ok\n']);
    assert.match(
      (await get('/readyz?exclude=linearizable_read&verbose'))[1],
      /^\[\+\]linearizable_read excluded: ok$/m,
    );
    assert.equal((await get('/readyz/linearizable_read'))[0], 503);
    assert.deepEqual(await get('/readyz/serializable_read?verbose'), [200, '[+]serializable_read ok\nok\n']);
  }));

test('/version looks like an etcd release, and the header tells what it really is', async () => {
  const response = await fetch(`http://${hostAndPort}/version`);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('server'), 'raftkv/1.2.3');
  assert.deepEqual(await response.json(), { etcdserver: '3.4.23', etcdcluster: '3.4.0' });
});

test('other methods than GET are not allowed', async () => {
  for (const path of ['/health', '/livez', '/readyz/serializable_read', '/version']) {
    const response = await fetch(`http://${hostAndPort}${path}`, { method: 'POST' });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'GET');
    assert.equal(await response.text(), 'Method Not Allowed\n');
  }
});

test('other paths are not found', async () => {
  for (const path of [
    '/',
    '/healthz',
    '/health/x',
    '/readyz/',
    '/readyz/x',
    '/readyz/serializable_read/x',
    '//version',
  ]) {
    assert.deepEqual(await get(path), [404, '404 page not found\n'], path);
  }
});

test('a path that is none is not found either', async () => {
  const socket = connect(Number(hostAndPort.split(':')[1]), '127.0.0.1');
  socket.end('GET //[ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const [reply] = (await once(socket, 'data')) as [Buffer];
  assert.match(reply.toString(), /^HTTP\/1\.1 404 /);
});

test('a request whose header does not come to an end is given up', { timeout: 60_000 }, async () => {
  const socket = connect(Number(hostAndPort.split(':')[1]), '127.0.0.1');
  socket.write('GET /version HTTP/1.1\r\nhost: x\r\n');
  const [reply] = (await once(socket, 'data')) as [Buffer];
  assert.match(reply.toString(), /^HTTP\/1\.1 408 /);
  socket.destroy();
});

test('what breaks unexpectedly is logged and answered with 500', async () => {
  logLines.length = 0;
  member.status = () => {
    throw new Error('out of ink');
  };
  assert.deepEqual(await get('/health'), [500, 'Internal Server Error\n']);
  assert.equal(logLines[0]?.message, 'http request failed unexpectedly');
});
