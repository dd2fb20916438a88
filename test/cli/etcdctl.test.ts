// Runs the same command lines with etcdctl against an etcd, with raftkv against an etcd, and with raftkv against raftkv,
// and compares every byte of stdout and the exit codes. What differs although nothing is wrong is masked.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../cluster/ports.js';
import { executable, isBuilt, raftkv, run, type Ran } from './raftkv.js';

const isInstalled = (program: string, arg: string): boolean => spawnSync(program, [arg]).status === 0;
const skip = !isInstalled('etcd', '--version') || !isInstalled('etcdctl', 'version') || !isBuilt;

/** A server of its own and the program that talks to it. */
class Side {
  readonly folder = mkdtempSync(join(tmpdir(), 'raftkv-etcdctl-'));
  #server: ChildProcess | null = null;
  endpoint = '';

  constructor(
    readonly program: 'etcdctl' | 'raftkv',
    readonly serverCommand: readonly string[],
  ) {}

  async start(): Promise<void> {
    const [client, peer] = [await freePort(), await freePort()];
    this.endpoint = `127.0.0.1:${client}`;
    const [command = '', ...first] = this.serverCommand;
    this.#server = spawn(
      command,
      [
        ...first,
        `--data-dir=${this.folder}`,
        `--listen-client-urls=http://${this.endpoint}`,
        `--advertise-client-urls=http://${this.endpoint}`,
        `--listen-peer-urls=http://127.0.0.1:${peer}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
        `--initial-cluster=default=http://127.0.0.1:${peer}`,
      ],
      { stdio: 'ignore' },
    );
    while ((await this.#run('etcdctl', ['endpoint', 'health'], '')).code !== 0) await sleep(50);
  }

  run(args: readonly string[], input: string): Promise<Ran> {
    return this.#run(this.program, args, input);
  }

  #run(program: 'etcdctl' | 'raftkv', args: readonly string[], input: string): Promise<Ran> {
    const environment = { ETCDCTL_API: '3' };
    const at = args.some((arg) => arg.startsWith('--endpoints')) ? [] : [`--endpoints=${this.endpoint}`];
    const line = [...at, ...args.map((arg) => arg.replaceAll('{endpoint}', this.endpoint))];
    return program === 'etcdctl' ? run('etcdctl', line, { input, environment }) : raftkv(line, { input });
  }

  /** What is different although nothing is wrong: ids, addresses, times, sizes, and how a log begins. */
  mask(text: string): string {
    return text
      .replaceAll(/http:\/\/127\.0\.0\.1:\d{5}/g, 'URL____________________')
      .replaceAll(/127\.0\.0\.1:\d{5}/g, 'ENDPOINT_______')
      .replaceAll(/("?(?:cluster_id|member_id|ClusterID|MemberID|ID|Leader|leader)"? ?: ?)\d+/g, '$1ID')
      .replaceAll(/\b[0-9a-f]{15,16}\b/g, 'ID______________')
      .replaceAll(
        /("?(?:raftIndex|raftAppliedIndex|RaftIndex|RaftAppliedIndex|raft_?[tT]erm|RaftTerm)"? ?: ?)\d+/g,
        '$1N',
      )
      .replaceAll(/("?(?:dbSize|dbSizeInUse|DBSize)"? ?: ?)\d+/g, '$1N')
      .replaceAll(/(?:\d+\.)?\d+ k?B,/g, 'SIZE,')
      .replaceAll(/, \d+, \d+, \d+, $/gm, ', TERM, INDEX, INDEX, ')
      .replaceAll(/ +(?:\d+\.)?\d+ k?B \|/g, '      SIZE |')
      .replaceAll(/(\| +(?:true|false) \| +(?:true|false) \|)( +\d+ \|){3}/g, '$1 TERM | INDEX | INDEX |')
      .replaceAll(/("took":"|"Took" : )[\d.]+(?:m|µ|Âµ)?s/g, '$1T');
  }

  async stop(): Promise<void> {
    if (this.#server !== null) {
      const gone = new Promise((resolve) => this.#server?.once('exit', resolve));
      this.#server.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true });
  }
}

const theirs = new Side('etcdctl', ['etcd']);
const ours = [new Side('raftkv', ['etcd']), new Side('raftkv', [process.execPath, executable, 'server'])];
const sides = [theirs, ...ours];

before(() => (skip ? undefined : Promise.all(sides.map((side) => side.start()))));
after(() => Promise.all(sides.map((side) => side.stop())));

type Line = readonly string[] | { readonly args: readonly string[]; readonly input: string };

/** A command line that etcdctl answers with its usage on stdout is compared by exit code alone. */
async function compare(lines: readonly Line[], compareStdout = true): Promise<void> {
  for (const line of lines) {
    const { args, input } = 'args' in line ? line : { args: line, input: '' };
    const [their, ...our] = await Promise.all(sides.map((side) => side.run(args, input)));
    for (const [position, side] of ours.entries()) {
      const ran = our[position] as Ran;
      const about = `${args.join(' ')}${input === '' ? '' : ` <<< ${JSON.stringify(input)}`}, against ${side.serverCommand.join(' ')}\n${ran.stderr}`;
      if (compareStdout) assert.equal(side.mask(ran.stdout), theirs.mask(their?.stdout ?? ''), about);
      assert.equal(ran.code, their?.code, about);
      if (ran.code !== 0) assert.match(ran.stderr, /^(Error: |Failed to |\S+ is )/, about);
    }
  }
}

const FORMATS = ['simple', 'json', 'fields'];
const WEIRD = Buffer.from([0, 0xff, 10, 9, 34, 92, 60, 0xc3, 0xa9, 0xe2, 0x80, 0xa8, 0x7f, 0x1b, 0xc2, 0xa0]).toString(
  'latin1',
);

test('put', { skip }, async () => {
  await compare([
    ['put', 'a', '1'],
    ['put', 'a', '2', '--prev-kv'],
    ['put', 'c', '1', '-w', 'json'],
    ...FORMATS.map((format) => ['put', 'a', format, '--prev-kv', '-w', format]),
    { args: ['put', 'stdin'], input: 'from stdin\n' },
    { args: ['put', 'weird'], input: WEIRD },
    ['put', 'n', '0x10'],
    ['put', 'n2', '1.0', '--prev-kv=false'],
    ['put', '--', '-k', '-v'],
    ['put', 'dash', '--', '-v'],
    ['put', 'empty', ''],
    ['put', 'many', 'b', 'c'],
    ['put', 'no-value'],
    ['put'],
    ['put', 'absent', '--ignore-value'],
    ['put', 'a', 'x', '--ignore-value'],
    ['put', 'a', '--ignore-value', '--prev-kv', '-wjson'],
    ['put', 'a', 'x', '--ignore-lease'],
    ['put', 'a', 'x', '--lease', 'zz'],
    ['put', 'a', 'x', '--lease=1234'],
    ['put', 'a', 'x', '--ignore-lease', '--lease', '1'],
    ['put', '', 'x'],
  ]);
});

test('get', { skip }, async () => {
  await compare([
    ['get', 'a'],
    ['get', 'nothing'],
    ['get', '--', '-k'],
    ['get', 'weird'],
    ['get', 'weird', '--hex'],
    ...FORMATS.flatMap((format) => [
      ['get', 'a', '-w', format],
      ['get', 'nothing', '-w', format],
      ['get', 'weird', '-w', format],
      ['get', '', '--prefix', '-w', format],
      ['get', 'a', 'd', `--write-out=${format}`],
      ['get', '--limit', '2', '--from-key', 'a', '-w', format],
      ['get', 'a', 'z', '--keys-only', '-w', format],
      ['get', 'a', 'z', '--hex', '-w', format],
    ]),
    ['get', 'a', 'z', '--order', 'DESCEND', '--sort-by', 'MODIFY'],
    ['get', 'a', 'z', '--order', 'descend'],
    ['get', 'a', 'z', '--order=ASCEND', '--sort-by=VALUE'],
    ['get', 'a', 'z', '--sort-by', 'version'],
    ['get', 'a', 'z', '--sort-by', 'CREATE'],
    ['get', 'a', 'z', '--print-value-only'],
    ['get', 'a', 'z', '--print-value-only', '--keys-only'],
    ['get', 'a', '--rev', '2'],
    ['get', 'a', '--rev', '1'],
    ['get', 'a', '--rev', '9999'],
    ['get', 'a', '--rev=-5'],
    ['get', 'a', '--consistency', 's'],
    ['get', 'a', '--consistency', 'x'],
    ['get', ''],
    ['get', 'a', 'b', 'c'],
    ['get'],
    ['get', 'a', '--prefix', '--from-key'],
    ['get', 'a', 'b', '--prefix'],
    ['get', 'a', 'b', '--from-key'],
    ['get', 'a', '--order', 'sideways'],
    ['get', 'a', '--sort-by', 'size'],
    ['get', 'a', '--print-value-only', '-w', 'json'],
    ['get', 'a', '-w', 'table'],
    ['get', 'a', '-w', 'bogus'],
    ['get', 'a', '--endpoints', ''],
    ['get', 'a', '--endpoints', '127.0.0.1:1'],
    ['get', 'a', '--endpoints', '127.0.0.1:1,{endpoint}'],
    ['get', 'a', '--endpoints', 'http://{endpoint}'],
  ]);
});

test('txn', { skip }, async () => {
  const txn = (input: string, ...args: string[]): Line => ({ args: ['txn', ...args], input });
  const everything =
    'mod("a") > "0"\n\nput a 1 --prev-kv\nget a\nget nothing\nput t2 "x y"\ndel c --prev-kv\ndel nothing\nget --prefix t\n\n\n';
  await compare([
    ...FORMATS.map((format) => txn(everything, '-w', format)),
    ...FORMATS.map((format) => txn('mod("a") = "0"\n\nput a 2\n\nget a\n\n', '-w', format)),
    txn('\n\nget a\n\n'),
    txn('value("t2") = "x y"\nver("a") > "0"\ncreate("a") > "0"\n\nget a --print-value-only\n\n\n'),
    txn('val("t2") != "x"\n\nget --keys-only a\n\n\n'),
    txn('c("a") < "2"\n\nput "k 1" "v \\"1\\""\n\nget "k 1"\nput q -- -v\nget a z --limit 1\n\n'),
    txn('  mod("a")   >    "0"  \n\nget a\n\n\n'),
    txn(''),
    txn('\nget a'),
    txn('garbage\n\nget a\n\n\n'),
    txn('v("a") < "2"\n\nget a\n\n\n'),
    txn('mod(a) < "2"\n\nget a\n\n\n'),
    txn('mod("a") < 100\n\nget a\n\n\n'),
    txn('mod("a") < "abc"\n\nget a\n\n\n'),
    txn('\nbogus a\n\n\n'),
    txn('\nget\n\n\n'),
    txn('\nput a\n\n\n'),
    txn('\nput a b --bogus\n\n\n'),
    txn('\nput a --lease=zz b\n\n\n'),
    txn('\nput a 1\nput a 2\n\n\n'),
    txn('\nget a\n\n\n', 'extra'),
  ]);
});

test('compaction', { skip }, async () => {
  await compare([
    ['compaction', '3'],
    ['compaction', '3'],
    ['compaction', '4', '--physical'],
    ['compaction', '5', '-w', 'json'],
    ['compaction', '6', '-w', 'table'],
    ['compaction', '99999'],
    ['compaction', 'abc'],
    ['compaction', '7', '8'],
    ['compaction'],
    ['get', 'a', '--rev', '2'],
  ]);
});

test('del', { skip }, async () => {
  await compare([
    ['del', 'nothing'],
    ['del', 'dash', '--prev-kv'],
    ['del', 'n', '-w', 'json', '--prev-kv'],
    ['del', 'n2', '-w', 'fields', '--prev-kv'],
    ['del', 'a', 'b'],
    ['del', '--prefix', 't', '--prev-kv'],
    ['del', 'a', 'b', 'c'],
    ['del'],
    ['del', 'a', '--prefix', '--from-key'],
    ['del', 'a', 'b', '--prefix'],
    ['del', '--from-key', ''],
    ['get', '--prefix', ''],
  ]);
});

test('members and endpoints', { skip }, async () => {
  await compare([
    ...[...FORMATS, 'table'].flatMap((format) => [
      ['member', 'list', '-w', format],
      ['endpoint', 'status', '-w', format],
      ['endpoint', 'status', '--cluster', '-w', format],
    ]),
    ...['simple', 'json', 'fields'].map((format) => ['endpoint', 'health', '-w', format]),
    ['endpoint', 'health', '--cluster'],
    ['endpoint', 'status', '--endpoints', '127.0.0.1:1'],
    ['endpoint', 'health', '--endpoints', '127.0.0.1:1'],
    ['endpoint', 'status', '--endpoints', '127.0.0.1:1,{endpoint}'],
    ['endpoint', 'health', '--endpoints', '127.0.0.1:1,{endpoint}'],
  ]);
});

test('command lines that cannot be read end with etcdctl’s exit code', { skip }, async () => {
  await compare(
    [
      ['get', 'a', '--bogus'],
      ['get', 'a', '--rev', 'abc'],
      ['get', 'a', '--limit', 'abc'],
      ['get', 'a', '-w'],
      ['put', 'a', '-v'],
      ['put', 'a', 'b', '--prev-kv=maybe'],
      ['get', 'a', '--command-timeout', 'abc'],
      ['bogus'],
    ],
    false,
  );
});
