import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/config.js';
import { clusterIdOf, identifyCluster, memberIdOf } from '../../src/config/identity.js';

test('a member’s id comes from its peer URLs and the token, as etcd 3.4.23 computed it', () => {
  assert.equal(memberIdOf(['http://127.0.0.1:24380'], 'etcd-cluster'), 13049071153751544597n);
  assert.equal(clusterIdOf([13049071153751544597n]), 6001611773266757492n);
  // What every etcd with default flags has had for years.
  assert.equal(memberIdOf(['http://localhost:2380'], 'etcd-cluster').toString(16), '8e9e05c52164694d');
  assert.equal(clusterIdOf([0x8e9e05c52164694dn]).toString(16), 'cdf818194e3a8c32');
});

test('the order in which members or URLs are written does not matter', () => {
  assert.equal(memberIdOf(['http://b:1', 'http://a:1'], 't'), memberIdOf(['http://a:1', 'http://b:1'], 't'));
  const one = { name: 'one', peerURLs: ['http://a:1'] };
  const two = { name: 'two', peerURLs: ['http://b:1'] };
  assert.deepEqual(identifyCluster([one, two], 't'), identifyCluster([two, one], 't'));
});

test('another token gives other ids', () => {
  assert.notEqual(memberIdOf(['http://a:1'], 't1'), memberIdOf(['http://a:1'], 't2'));
});

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const hasEtcd = spawnSync('etcd', ['--version']).status === 0 && spawnSync('etcdctl', ['version']).status === 0;

test('an etcd with the same flags has the same ids', { skip: hasEtcd ? false : 'etcd is not installed' }, async () => {
  const [client, peer, other] = (await freePorts(3)) as [number, number, number];
  const folder = mkdtempSync(join(tmpdir(), 'raftkv-identity-'));
  const args = [
    '--name=a',
    `--data-dir=${folder}`,
    `--listen-client-urls=http://127.0.0.1:${client}`,
    `--advertise-client-urls=http://127.0.0.1:${client}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
    // b never comes: what is compared is what a computes of itself before there is a leader.
    `--initial-cluster=a=http://127.0.0.1:${peer},b=http://127.0.0.1:${other}`,
    '--initial-cluster-token=the-same',
  ];
  const etcd = spawn('etcd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    let log = '';
    const seen = await new Promise<{ member: string; cluster: string }>((resolve, reject) => {
      etcd.once('exit', () => reject(new Error(`etcd stopped:\n${log}`)));
      etcd.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        log += chunk;
        const found = /starting member ([0-9a-f]+) in cluster ([0-9a-f]+)/.exec(log);
        if (found !== null) resolve({ member: found[1] ?? '', cluster: found[2] ?? '' });
      });
    });
    const { config } = await loadConfig({ args, environment: {}, stderrIsTerminal: false });
    assert.deepEqual(
      { member: config.memberId.toString(16), cluster: config.clusterId.toString(16) },
      { member: seen.member, cluster: seen.cluster },
    );
  } finally {
    etcd.removeAllListeners('exit');
    const gone = new Promise((resolve) => etcd.once('exit', resolve));
    etcd.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true });
  }
});
