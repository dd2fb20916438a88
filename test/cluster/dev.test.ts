import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { methods } from '../wire/etcd-messages.js';
import { callOnce } from './harness.js';
import { TEST_TIMEOUT_MS } from './program.js';

const raftkv = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bin', 'raftkv');
/** Clients and peers of the three members that `npm start` runs. */
const CLIENT_PORTS = [2379, 22379, 32379];
const PORTS = [...CLIENT_PORTS, ...CLIENT_PORTS.map((port) => port + 1)];

const isTaken = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => resolve((socket.destroy(), true)));
    socket.once('error', () => resolve(false));
  });

test(
  'raftkv dev runs three members on the usual ports and ends with all of them',
  { timeout: TEST_TIMEOUT_MS },
  async (t) => {
    const taken = await Promise.all(PORTS.map(isTaken));
    if (taken.includes(true)) {
      t.skip('the default ports are taken');
      return;
    }
    const directory = mkdtempSync(join(tmpdir(), 'raftkv-dev-'));
    const child = spawn(process.execPath, [raftkv, 'dev'], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    try {
      const deadline = performance.now() + 30_000;
      const serves = (port: number) =>
        callOnce(port, methods.put, { key: 'dev', value: String(port) }, 2_000).then(
          () => true,
          () => false,
        );
      for (const port of CLIENT_PORTS) {
        while (!(await serves(port))) {
          assert.ok(performance.now() < deadline, `port ${port} does not serve; output:\n${output}`);
          await sleep(50);
        }
      }
      child.kill('SIGTERM');
      assert.equal(await ended, 0, output);
      assert.deepEqual(
        await Promise.all(PORTS.map(isTaken)),
        PORTS.map(() => false),
      );
    } finally {
      child.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
