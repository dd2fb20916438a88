import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { layOut, serverArguments } from '../../src/cli/dev/layout.js';
import { loadConfig } from '../../src/config/config.js';
import { freePort } from '../cluster/ports.js';
import { isAlive, Running } from './processes.js';
import { isBuilt, raftkv } from './raftkv.js';

const skip = !isBuilt;
const folder = mkdtempSync(join(tmpdir(), 'raftkv-dev-'));
const running: Running[] = [];
const daemons: number[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.kill();
  for (const pid of daemons.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
});
after(() => rmSync(folder, { recursive: true }));

function dev(basePort: number, ...args: string[]): Running {
  const started = new Running(['dev', `--base-port=${basePort}`, `--data-dir=${folder}`, ...args]);
  running.push(started);
  return started;
}

/** Waits for the welcome; the process ids of the members. */
async function up(cluster: Running): Promise<number[]> {
  await cluster.said(/Try in another terminal/);
  const pids = [...cluster.stdout.matchAll(/ pid (\d+)/g)].map((match) => Number(match[1]));
  daemons.push(...pids);
  return pids;
}

test('without ports of its own it uses those of etcd’s examples', async () => {
  const places = layOut(5, '/data', null);
  assert.deepEqual(
    places.map(({ clientPort, peerPort }) => [clientPort, peerPort]),
    [
      [2379, 2380],
      [22379, 22380],
      [32379, 32380],
      [42379, 42380],
      [52379, 52380],
    ],
  );
  const configs = await Promise.all(
    places.map((place) =>
      loadConfig({ args: serverArguments(place, places).slice(1), environment: {}, stderrIsTerminal: false }),
    ),
  );
  assert.equal(new Set(configs.map(({ config }) => config.clusterId)).size, 1);
  assert.deepEqual(
    configs.flatMap(({ warnings }) => warnings),
    [],
  );
});

test(
  'three members come up, survive the death of one, tell how to start it again, and stop together',
  { skip },
  async () => {
    const base = await freePort();
    const cluster = dev(base);
    const pids = await up(cluster);
    assert.equal(pids.length, 3);
    const endpoints = `--endpoints=127.0.0.1:${base},127.0.0.1:${base + 10},127.0.0.1:${base + 20}`;
    assert.equal((await raftkv([endpoints, 'put', 'greeting', 'hello, raft'])).stdout, 'OK\n');
    assert.match((await raftkv([endpoints, 'status'])).stdout, /cluster healthy: 3 of 3 members/);

    const leader = Number(/kill -9 (\d+)/.exec(cluster.stdout)?.[1]);
    assert.ok(pids.includes(leader));
    process.kill(leader, 'SIGKILL');
    await cluster.said(/n\d has died \(SIGKILL\); start it again with: .*raftkv server --name=n\d/);
    await cluster.said(/n\d leads, term \d+/);
    assert.equal((await raftkv([endpoints, 'get', 'greeting'])).stdout, 'greeting\nhello, raft\n');

    cluster.signal('SIGINT');
    assert.equal(await cluster.ended, 0);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.ok(existsSync(join(folder, 'n1.log')));

    const again = dev(base);
    await up(again);
    assert.equal((await raftkv([endpoints, 'get', 'greeting'])).stdout, 'greeting\nhello, raft\n', 'data is kept');
    again.signal('SIGTERM');
    assert.equal(await again.ended, 0);

    const fresh = dev(base, '--fresh');
    await up(fresh);
    assert.equal((await raftkv([endpoints, 'get', 'greeting'])).stdout, '', '--fresh wipes');
    fresh.signal('SIGTERM');
    assert.equal(await fresh.ended, 0);
  },
);

test('a taken port ends it with one line before anything is started', { skip }, async () => {
  const base = await freePort();
  const holder = createServer().listen(base + 11, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const cluster = dev(base);
  assert.equal(await cluster.ended, 1);
  assert.equal(cluster.stdout, '');
  assert.match(
    cluster.stderr,
    new RegExp(`^Error: port ${base + 11} is in use; .*--base-port \\d+ --data-dir \\S+\\n$`),
  );
  await new Promise((resolve) => holder.close(resolve));
});

test('a data directory in use ends it with one line, and no member is left behind', { skip }, async () => {
  const first = dev(await freePort(), '--members=1', '--fresh');
  const [holder = 0] = await up(first);
  const second = dev(await freePort(), '--members=1');
  assert.equal(await second.ended, 1);
  assert.equal(second.stdout, '');
  assert.match(second.stderr, /^Error: n1 did not start: data directory .* is in use by .*\n$/);
  const third = dev(await freePort(), '--members=1', '--fresh');
  assert.equal(await third.ended, 1);
  assert.match(third.stderr, /is in use by/);
  assert.ok(isAlive(holder), 'the first one lives on');
  assert.ok(existsSync(join(folder, 'n1', 'member.json')), 'nothing of it was wiped');
  first.signal('SIGTERM');
  assert.equal(await first.ended, 0);
});

test('numbers of members that make no sense are refused', { skip }, async () => {
  const ran = await raftkv(['dev', '--members', '2']);
  assert.equal(ran.code, 128);
  assert.match(ran.stderr, /^Error: --members: expected 1, 3 or 5, found 2\n$/);
});
