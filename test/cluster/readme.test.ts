import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Cluster } from './harness.js';
import { electionTimeoutMs } from './program.js';

const run = promisify(execFile);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Commands of the README that other tests run, or that need an engine this test must not assume. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'npm ci && npm start': 'dev.test.ts runs what npm start runs after its build',
  'npm ci && npm test': 'this very run',
  'docker compose up --build --wait': 'needs a container engine',
  'docker compose exec raftkv1 raftkv status': 'needs a container engine',
};

const commands = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^\$ (.+)$/gm)].map(
  (match) => match[1] ?? '',
);
let cluster: Cluster;
let endpoints: string;

before(async () => {
  cluster = await Cluster.start({ program: 'raftkv', members: 3, electionTimeoutMs });
  endpoints = cluster.members.map((member) => `127.0.0.1:${member.clientPort}`).join();
});

after(() => cluster.destroy());

function shell(command: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, RAFTKV_ENDPOINTS: endpoints, ETCDCTL_API: '3' };
  return run('sh', ['-c', command], { cwd: root, env, timeout: 30_000 });
}

test('the README has commands', () => assert.ok(commands.length >= 5, commands.join('\n')));

for (const command of commands) {
  if (command in RUN_ELSEWHERE) continue;
  test(`README: ${command}`, async (t) => {
    if (command.startsWith('etcdctl') && !(await isInstalled('etcdctl'))) {
      t.skip('etcdctl is not installed');
      return;
    }
    const { stdout } = await shell(command.replace('localhost:2379', endpoints));
    if (!command.startsWith('export ')) assert.notEqual(stdout.trim(), '');
  });
}

for (const example of readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.ts'))) {
  test(`examples/${example} runs as it stands`, async () => {
    const { stdout } = await shell(`npx tsx examples/${example}`);
    assert.match(stdout, example === 'counter.ts' ? /^100 of 100 counted/ : /./);
  });
}

async function isInstalled(program: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}
