import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { RemoteClient } from '../../src/client/remote-client.js';
import { freePort } from '../cluster/ports.js';
import { Running } from './processes.js';
import { isBuilt, raftkv } from './raftkv.js';

const skip = !isBuilt;
const folder = mkdtempSync(join(tmpdir(), 'raftkv-server-'));
const running: Running[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.kill();
});
after(() => rmSync(folder, { recursive: true }));

interface Place {
  readonly client: number;
  readonly args: readonly string[];
}

async function place(name: string): Promise<Place> {
  const [client, peer] = [await freePort(), await freePort()];
  return {
    client,
    args: [
      'server',
      `--name=${name}`,
      `--data-dir=${join(folder, name)}`,
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
    ],
  };
}

function start(args: readonly string[], environment?: Record<string, string>): Running {
  const started = new Running(args, environment);
  running.push(started);
  return started;
}

test('a member alone says that it is ready, serves, ends with code 0 on SIGTERM, and remembers', { skip }, async () => {
  const { client, args } = await place('alone');
  const endpoints = `--endpoints=127.0.0.1:${client}`;
  const first = start(args);
  const [line] = await first.said(/^.*ready to serve client requests.*$/m);
  const logged = JSON.parse(line) as Record<string, unknown>;
  assert.equal(logged['level'], 'info');
  assert.equal(logged['member'], 'alone');
  assert.match(String(logged['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.equal((await raftkv([endpoints, 'put', 'k', 'v'])).stdout, 'OK\n');
  const list = await raftkv([endpoints, 'member', 'list']);
  assert.match(
    list.stdout,
    /^[0-9a-f]+, started, alone, http:\/\/127\.0\.0\.1:\d+, http:\/\/127\.0\.0\.1:\d+, false\n$/,
  );
  first.signal('SIGTERM');
  assert.equal(await first.ended, 0);
  assert.match(first.stderr, /member stopped/);

  const second = start(args);
  await second.said(/ready to serve client requests/);
  assert.equal((await raftkv([endpoints, 'get', 'k'])).stdout, 'k\nv\n');
  second.signal('SIGINT');
  assert.equal(await second.ended, 0);
});

test('status shows the cluster, and fails with code 5 when nobody leads it', { skip }, async () => {
  const { client, args } = await place('two');
  const other = await freePort();
  const peer = /\d+$/.exec(args[4] ?? '')?.[0] ?? '';
  const endpoints = `--endpoints=127.0.0.1:${client}`;
  start([...args, `--initial-cluster=two=http://127.0.0.1:${peer},gone=http://127.0.0.1:${other}`]);
  let ran = await raftkv([endpoints, 'status']);
  while (ran.code === 1) ran = await raftkv([endpoints, 'status']);
  assert.equal(ran.code, 5, ran.stderr);
  assert.match(ran.stdout, /cluster without a leader: \d of 2 members, quorum 2/);
});

test('the environment and a file configure a member, and logs go to a file', { skip }, async () => {
  const { client, args } = await place('configured');
  const log = join(folder, 'configured.log');
  const file = join(folder, 'configured.yaml');
  writeFileSync(file, `name: configured\nlog-format: console\nlog-outputs: [${log}]\nlog-level: debug\n`);
  const member = start(['server', ...args.slice(2)], {
    RAFTKV_CONFIG_FILE: file,
    RAFTKV_LOG_LEVEL: 'info',
    RAFTKV_SERVICE_HOST: '10.0.0.1',
  });
  const endpoints = `--endpoints=127.0.0.1:${client}`;
  while ((await raftkv([endpoints, 'get', 'k'])).code !== 0);
  member.signal('SIGTERM');
  assert.equal(await member.ended, 0);
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  assert.ok(lines.some((line) => /^[\d:.]+ INFO {2}configured ready to serve client requests /.test(line)));
  assert.ok(!lines.some((line) => / (DEBUG|WARN) /.test(line)), 'only what the environment allows, and nothing odd');
  assert.equal(member.stderr, '');
});

/** One line on stderr, nothing on stdout, no stack. */
async function refused(args: readonly string[], code: number, expected: RegExp): Promise<void> {
  const ran = await raftkv(args);
  assert.equal(ran.code, code, ran.stderr);
  assert.equal(ran.stdout, '');
  const lines = ran.stderr
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('{'));
  assert.equal(lines.length, 1, ran.stderr);
  assert.match(lines[0] ?? '', expected);
}

test('what a user did wrong ends with one line and code 2', { skip }, async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  await refused(['server', '--nmae=x'], 2, /^raftkv: unknown flag --nmae; did you mean --name\?$/);
  await refused(['server', '--cert-file=/x'], 2, /^raftkv: --cert-file is not supported yet by raftkv .*; remove it$/);
  await refused(['server', '--election-timeout=100'], 2, /^raftkv: --election-timeout 100 ms is too short/);
  await refused(['server', `--data-dir=${file}`], 2, /^raftkv: --data-dir .*a-file: is a file; name a folder/);
  await refused(['server', '--config-file=/no/such'], 2, /^raftkv: cannot read config file/);
  const { args } = await place('joining');
  await refused([...args, '--initial-cluster-state=existing'], 2, /^raftkv: --initial-cluster-state existing, but/);
});

test(
  'a port that is taken and a directory that is in use end with code 1, data of another cluster with code 3',
  { skip },
  async () => {
    const { client, args } = await place('taken');
    const holder = createServer().listen(client, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    await refused(args, 1, /^raftkv: cannot listen on http:\/\/127\.0\.0\.1:\d+: the port is in use/);
    await new Promise((resolve) => holder.close(resolve));

    const member = start(args);
    await member.said(/ready to serve client requests/);
    const elsewhere = await place('taken');
    await refused(elsewhere.args, 1, /^raftkv: data directory .* is in use by process \d+; stop that one first/);
    member.signal('SIGTERM');
    assert.equal(await member.ended, 0);
    await refused([...args, '--initial-cluster-token=other'], 3, /^raftkv: .*taken/);
    rmSync(join(folder, 'taken', 'raft'), { recursive: true });
    await refused(args, 3, /^raftkv: .*taken\/raft: the database is missing/);
  },
);

test('a stop waits for requests under way, and a second signal does not', { skip }, async () => {
  const { client, args } = await place('impatient');
  const peer = /\d+$/.exec(args[4] ?? '')?.[0] ?? '';
  // Without its other member there is no leader, and a read waits for one.
  const member = start([
    ...args,
    `--initial-cluster=impatient=http://127.0.0.1:${peer},gone=http://127.0.0.1:${await freePort()}`,
  ]);
  const asking = new RemoteClient({ endpoints: [`127.0.0.1:${client}`], commandTimeoutMs: 60_000 });
  const isUp = (): Promise<boolean> => asking.status().then(Boolean, () => false);
  while (!(await isUp()));
  const read = asking.get('k').catch((thrown: unknown) => thrown);
  await asking.status(); // on the same connection, so the read has arrived
  member.signal('SIGTERM');
  await member.said(/stopping member/);
  member.signal('SIGTERM');
  assert.equal(await member.ended, 1);
  assert.match(member.stderr, /second signal/);
  assert.ok((await read) instanceof Error);
  asking.close();
});

test('help and version need no data directory and no configuration', { skip }, async () => {
  const help = await raftkv(['server', '--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--initial-cluster /);
  assert.match((await raftkv(['server', '--version'])).stdout, /^raftkv version: \d/);
});
