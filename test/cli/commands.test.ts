// What every command line has in common, without any server.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { registry } from '../../src/cli/registry.js';
import { verdict, type MemberView } from '../../src/cli/commands/status.js';
import { executable, isBuilt, raftkv, run } from './raftkv.js';

const skip = !isBuilt;

test('an executable that was not built says how to build it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'raftkv-unbuilt-'));
  try {
    cpSync(join(executable, '..'), join(folder, 'bin'), { recursive: true });
    const ran = await run(process.execPath, [join(folder, 'bin', 'raftkv'), 'version']);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /^raftkv is not built yet; run `npm ci && npm run build` in its folder first\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('without a command there is help on stdout; it names every command', { skip }, async () => {
  const bare = await raftkv([]);
  assert.equal(bare.code, 0);
  for (const { name } of registry) assert.ok(bare.stdout.includes(`raftkv ${name}`), name);
  assert.equal((await raftkv(['--help'])).stdout, bare.stdout);
  assert.equal((await raftkv(['help'])).stdout, bare.stdout);
});

test('every command explains itself with flags and examples', { skip }, async () => {
  const helps = await Promise.all(registry.map(({ name }) => raftkv([...name.split(' '), '--help'])));
  for (const [position, entry] of registry.entries()) {
    const { name } = entry;
    const { command } = await entry.load();
    const { stdout, code } = helps[position] ?? { stdout: '', code: -1 };
    assert.equal(code, 0, name);
    assert.ok(stdout.startsWith(`raftkv ${name}`), name);
    assert.ok(stdout.includes('Examples:'), name);
    for (const flag of Object.keys(command.flags)) assert.ok(stdout.includes(`--${flag}`), `${name} --${flag}`);
  }
  assert.equal((await raftkv(['help', 'member', 'list'])).stdout, (await raftkv(['member', 'list', '-h'])).stdout);
});

test('the shell is told which commands and flags there are', { skip }, async () => {
  assert.match((await raftkv(['completion'])).stdout, /raftkv --get-yargs-completions/);
  const complete = async (...words: string[]): Promise<string[]> =>
    (await raftkv(['--get-yargs-completions', 'raftkv', ...words])).stdout.trim().split('\n');
  assert.deepEqual(await complete('endpoint', ''), ['health', 'status']);
  assert.ok((await complete('get', '--pre')).includes('--prefix'));
  assert.ok((await complete('server', '--data')).includes('--data-dir'));
  assert.ok((await complete('')).includes('put'));
});

test('what is no command is told with the one that was meant', { skip }, async () => {
  const typo = await raftkv(['gte', 'k']);
  assert.equal(typo.code, 1);
  assert.equal(typo.stderr, 'Error: unknown command "gte" for "raftkv"; did you mean get?\n');
  assert.match((await raftkv(['endpoint'])).stderr, /use raftkv endpoint health or raftkv endpoint status/);
  assert.match((await raftkv(['endpoint', 'helth'])).stderr, /did you mean endpoint health\?/);
});

test('an endpoint that does not answer is named with the way out, within the dial timeout', { skip }, async () => {
  const ran = await raftkv(['get', 'k', '--endpoints', '127.0.0.1:1,no-such-host.invalid:1']);
  assert.equal(ran.code, 1);
  assert.equal(ran.stdout, '');
  assert.match(
    ran.stderr,
    /^Error: no endpoint answers \(127\.0\.0\.1:1: connection refused; .*--endpoints host:port,host:port.*raftkv dev`\n$/,
  );
});

test(
  'flags of etcdctl that would not be heeded are refused by name, and harmless ones accepted',
  { skip },
  async () => {
    for (const flag of ['--cacert=x', '--user=root:pw', '-d=example.org']) {
      const ran = await raftkv(['get', 'k', flag]);
      assert.equal(ran.code, 1);
      assert.match(ran.stderr, /^Error: --(cacert|user|discovery-srv) is not supported yet by raftkv/, flag);
    }
    const harmless = await raftkv(['version', '--insecure-transport', '--keepalive-time', '2s', '--debug']);
    assert.equal(harmless.code, 0);
  },
);

test('RAFTKV_ENDPOINTS beats ETCDCTL_ENDPOINTS, and a flag beats both', { skip }, async () => {
  const environment = { RAFTKV_ENDPOINTS: 'ours:x', ETCDCTL_ENDPOINTS: 'theirs:x' };
  const endpointOf = async (args: string[], given: Record<string, string>): Promise<string> =>
    /endpoint "([^"]*)"/.exec((await raftkv(args, { environment: given })).stderr)?.[1] ?? '';
  assert.equal(await endpointOf(['get', 'k'], environment), 'ours:x');
  assert.equal(await endpointOf(['get', 'k'], { ETCDCTL_ENDPOINTS: 'theirs:x' }), 'theirs:x');
  assert.equal(await endpointOf(['get', 'k', '--endpoints=flag:x'], environment), 'flag:x');
  assert.equal(await endpointOf(['--endpoints', 'flag:x', 'get', 'k'], environment), 'flag:x');
});

function members(...leaders: (bigint | null)[]): MemberView[] {
  return leaders.map((leader, position) => ({
    member: { id: BigInt(position + 1), name: `n${position + 1}`, peerURLs: [], clientURLs: [], isLearner: false },
    endpoint: '',
    error: leader === null ? 'gone' : '',
    status:
      leader === null
        ? null
        : {
            header: { clusterId: 1n, memberId: BigInt(position + 1), revision: 1, term: 1 },
            version: '',
            dbSizeBytes: 0,
            dbSizeInUseBytes: 0,
            leader,
            raftIndex: 0,
            raftTerm: 1,
            raftAppliedIndex: 0,
            errors: [],
            isLearner: false,
          },
  }));
}

test('the verdict on a cluster says what it can still survive', () => {
  assert.deepEqual(verdict(members(1n, 1n, 1n)), {
    line: 'cluster healthy: 3 of 3 members, quorum 2, survives 1 failure',
    serves: true,
  });
  assert.deepEqual(verdict(members(1n, 1n, null)), {
    line: 'cluster degraded: 2 of 3 members, quorum 2, survives no further failure',
    serves: true,
  });
  assert.equal(
    verdict(members(1n, 1n, 1n, 1n, 1n)).line,
    'cluster healthy: 5 of 5 members, quorum 3, survives 2 failures',
  );
  assert.deepEqual(verdict(members(0n, null, null)), {
    line: 'cluster without a leader: 1 of 3 members, quorum 2',
    serves: false,
  });
  assert.equal(verdict(members(0n, 0n, 0n)).serves, false);
});
