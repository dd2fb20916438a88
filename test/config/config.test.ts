import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { loadConfig, type LoadedConfig } from '../../src/config/config.js';
import { prepareDataDir } from '../../src/config/data-dir.js';
import { ConfigError } from '../../src/config/errors.js';
import { options, optionKeys } from '../../src/config/options.js';

const folder = mkdtempSync(join(tmpdir(), 'raftkv-config-'));
after(() => rmSync(folder, { recursive: true }));

function load(args: string[], environment: Record<string, string> = {}): Promise<LoadedConfig> {
  return loadConfig({ args, environment, stderrIsTerminal: false });
}

let files = 0;
function file(content: string): string {
  files += 1;
  const path = join(folder, `${files}.yaml`);
  writeFileSync(path, content);
  return path;
}

/** The message of the refusal: one line, without a stack. */
async function refusal(args: string[], environment: Record<string, string> = {}): Promise<string> {
  try {
    await load(args, environment);
  } catch (thrown) {
    assert.ok(thrown instanceof ConfigError, String(thrown));
    assert.doesNotMatch(thrown.message, /\n/);
    return thrown.message;
  }
  assert.fail(`accepted: ${args.join(' ')}`);
}

test('without flags the configuration is a cluster of one on etcd’s ports', async () => {
  const { config, warnings } = await load([]);
  assert.equal(config.name, 'default');
  assert.equal(config.dataDir, 'default.raftkv');
  assert.deepEqual(
    config.listenClientUrls.map(({ url }) => url),
    ['http://localhost:2379'],
  );
  assert.deepEqual(
    config.advertiseClientUrls.map(({ url }) => url),
    ['http://localhost:2379'],
  );
  assert.equal(config.initialCluster.length, 1);
  assert.deepEqual(config.initialCluster[0]?.peerURLs, ['http://localhost:2380']);
  assert.equal(config.memberId, config.initialCluster[0]?.id);
  assert.equal(config.heartbeatIntervalMs, 100);
  assert.equal(config.electionTimeoutMs, 1000);
  assert.equal(config.maxRequestBytes, 1.5 * 1024 * 1024);
  assert.equal(config.preVote, true);
  assert.deepEqual(warnings, []);
});

test('a flag beats the environment, which beats the file, which beats the default, key by key', async () => {
  const path = file('name: from-file\nheartbeat-interval: 20\nelection-timeout: 400ms\nsnapshot-count: 7\n');
  const { config } = await load(['--config-file', path, '--name=from-flag'], {
    RAFTKV_NAME: 'from-environment',
    RAFTKV_HEARTBEAT_INTERVAL: '30',
  });
  assert.equal(config.name, 'from-flag');
  assert.equal(config.heartbeatIntervalMs, 30);
  assert.equal(config.electionTimeoutMs, 400);
  assert.equal(config.snapshotCount, 7);
  assert.equal(config.snapshotCatchupEntries, 5000);
});

test('RAFTKV_CONFIG_FILE names the file too, and JSON is as good as YAML', async () => {
  const path = file('{"name": "j", "listen-client-urls": ["http://127.0.0.1:1111", "http://[::1]:1111"]}');
  const { config } = await load([], { RAFTKV_CONFIG_FILE: path });
  assert.equal(config.name, 'j');
  assert.deepEqual(
    config.listenClientUrls.map(({ host, port }) => [host, port]),
    [
      ['127.0.0.1', 1111],
      ['::1', 1111],
    ],
  );
});

test('a file may write the initial cluster as a section', async () => {
  const path = file('name: a\nlisten-peer-urls: http://h1:1\ninitial-cluster:\n  a: http://h1:1\n  b: http://h2:1\n');
  const { config } = await load(['--config-file', path]);
  assert.deepEqual(config.initialCluster.map(({ name }) => name).sort(), ['a', 'b']);
});

test('flags are read as Go reads them', async () => {
  for (const args of [
    ['--name', 'n'],
    ['--name=n'],
    ['-name', 'n'],
    ['-name=n'],
    ['--name', 'x', '--pre-vote', '--name', 'n'],
  ]) {
    assert.equal((await load(args)).config.name, 'n', args.join(' '));
  }
  assert.equal((await load(['--pre-vote=false'])).config.preVote, false);
  assert.match(await refusal(['--pre-vote', 'false']), /"false" is no flag/);
  assert.match(await refusal(['--name']), /--name needs a value/);
  assert.match(await refusal(['stray']), /"stray" is no flag/);
});

test('a wildcard to listen on is advertised as localhost, and other machines in the cluster make that odd', async () => {
  const { config, warnings } = await load([
    '--listen-client-urls=http://0.0.0.0:2379',
    '--listen-peer-urls=http://0.0.0.0:2380',
    '--initial-advertise-peer-urls=http://h1:2380',
    '--initial-cluster=default=http://h1:2380,b=http://h2:2380',
  ]);
  assert.deepEqual(
    config.advertiseClientUrls.map(({ url }) => url),
    ['http://localhost:2379'],
  );
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^--advertise-client-urls http:\/\/localhost:2379: reaches this machine only/);
});

test('each impossible configuration is refused in one line that says what to do', async () => {
  const cases: [string[], RegExp][] = [
    [['--nmae', 'x'], /^unknown flag --nmae; did you mean --name\?$/],
    [['--cert-file', '/x'], /^--cert-file is not supported yet by raftkv \d+\.\d+\.\d+: .*; remove it$/],
    [['--auto-tls'], /^--auto-tls is not supported yet/],
    [['--quota-backend-bytes=0'], /^--quota-backend-bytes is not supported yet/],
    [['--election-timeout=400'], /400 ms is too short for --heartbeat-interval 100 ms; .*500 ms/],
    [['--election-timeout=51s'], /--election-timeout: expected a duration such as 100 or 100ms, .*50s, found "51s"/],
    [['--heartbeat-interval=soon'], /--heartbeat-interval: expected a duration/],
    [['--initial-cluster=a=http://h:1'], /--name default is not in --initial-cluster \(a\)/],
    [['--initial-cluster=default=http://h:1'], /has default=http:\/\/h:1, but --initial-advertise-peer-urls is/],
    [['--initial-cluster=a=http://h:1,a=http://h:2'], /a is listed twice/],
    [['--initial-cluster=a=http://h:1,b=http://h:1'], /a and b both have http:\/\/h:1/],
    [['--initial-cluster=http://h:1'], /expected name=http:\/\/host:port entries/],
    [['--initial-cluster-state=joining'], /expected new or existing, found "joining"/],
    [['--listen-client-urls=localhost:2379'], /the scheme is missing/],
    [['--listen-client-urls=http://localhost'], /the port is missing/],
    [['--listen-client-urls=http://localhost:99999'], /between 1 and 65535/],
    [['--listen-client-urls=http://localhost:1/x'], /remove the path/],
    [['--listen-client-urls=https://localhost:1'], /TLS is not supported yet/],
    [['--listen-client-urls=unix:///tmp/x'], /unix sockets are not supported yet/],
    [['--listen-client-urls=http://a:1,http://a:1'], /listed twice/],
    [['--listen-client-urls=http://a:1,,http://b:1'], /is empty/],
    [['--listen-client-urls=http://localhost:2380'], /same port; give each its own/],
    [['--max-request-bytes=10'], /--max-request-bytes: expected a whole number from 1024 to/],
    [['--max-request-bytes=1e6'], /found "1e6"/],
    [['--max-txn-ops=0'], /--max-txn-ops: expected a whole number from 1/],
    [['--pre-vote=maybe'], /--pre-vote: expected true or false, found "maybe"/],
    [['--name=a b'], /--name: expected a name without spaces/],
    [['--name='], /--name: expected a name/],
    [['--log-level=loud'], /--log-level: expected debug or info/],
    [['--config-file=/no/such/file'], /cannot read config file \/no\/such\/file/],
  ];
  for (const [args, expected] of cases) assert.match(await refusal(args), expected, args.join(' '));
});

test('a mistake in a file is told with its line', async () => {
  const cases: [string, RegExp][] = [
    ['name: a\n\nnmae: b\n', /yaml:3: unknown key "nmae"; did you mean name\?$/],
    ['name: a\nname: b\n', /yaml:2: this key is there twice/],
    ['name: [a\n', /yaml:\d: no valid YAML or JSON/],
    ['- name\n', /expected lines such as "name: n1"/],
    ['name: a\nsnapshot-count: many\n', /yaml:2: snapshot-count: expected a whole number/],
    ['name:\n  first: a\n', /yaml:1: name: expected one value, found a section/],
    ['\ncert-file: /x\n', /yaml:2: cert-file is not supported yet/],
    ['client-transport-security:\n  cert-file: /x\n', /yaml:1: client-transport-security is not supported yet/],
  ];
  for (const [content, expected] of cases) {
    assert.match(await refusal(['--config-file', file(content)]), expected, content);
  }
});

test('etcd’s sample file with nothing switched on is accepted, and its numbers of nanoseconds too', async () => {
  const path = file(
    'name:\nclient-transport-security:\n  cert-file:\n  client-cert-auth: false\nproxy: "off"\n' +
      'grpc-keepalive-interval: 7200000000000\n',
  );
  const { config, warnings } = await load(['--config-file', path]);
  assert.equal(config.name, 'default');
  assert.equal(config.grpcKeepaliveIntervalMs, 7_200_000);
  assert.equal(warnings.length, 2);
});

test('names of the environment that nobody knows only warn, and those of Kubernetes and the client do not', async () => {
  const { warnings } = await load([], {
    RAFTKV_SERVICE_HOST: '10.0.0.1',
    RAFTKV_PORT_2379_TCP_ADDR: '10.0.0.1',
    RAFTKV_ENDPOINTS: 'h:1',
    RAFTKV_NAMES: 'x',
    ETCD_NAME: 'y',
    RAFTKV_NAME: '',
  });
  assert.deepEqual(warnings, ['environment variable RAFTKV_NAMES is unknown; did you mean RAFTKV_NAME?']);
});

test('asking for security through the environment is refused, never ignored', async () => {
  assert.match(await refusal([], { RAFTKV_CERT_FILE: '/x' }), /^RAFTKV_CERT_FILE is not supported yet/);
});

test('flags of etcd that change nothing here are accepted with a warning, and --logger without one', async () => {
  const { warnings } = await load(['--logger=zap', '--max-wals', '5', '--strict-reconfig-check', '--proxy=off']);
  assert.deepEqual(warnings, [
    '--max-wals has no effect in raftkv; remove it',
    '--strict-reconfig-check is not needed: members cannot be added or removed; remove it',
    '--proxy is not needed: raftkv has no proxy mode; remove it',
  ]);
});

test('whatever is written, the answer is a configuration or a refusal in one line', async () => {
  const words = fc.oneof(
    fc.constantFrom('--', '-', '--=', '--name', '--name=', '--pre-vote', '--config-file', '-x', '--cert-file', '=', ''),
    fc.constantFrom(...optionKeys.map((key) => `--${options[key].flag}`)),
    fc
      .tuple(fc.constantFrom(...optionKeys.map((key) => options[key].flag)), fc.string())
      .map((pair) => `--${pair.join('=')}`),
    fc.constantFrom('http://a:1', 'http://[::1]:1', 'a=http://b:1', '100', '5s', 'new', 'true', 'default'),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(words, { maxLength: 5 }), async (args) => {
      try {
        await load(args);
      } catch (thrown) {
        assert.ok(thrown instanceof ConfigError, String(thrown));
      }
    }),
  );
});

test('every default is accepted by its own check, and no flag is there twice', () => {
  const flags = optionKeys.map((key) => options[key].flag);
  assert.equal(new Set(flags).size, flags.length);
  for (const key of optionKeys) {
    const { flag, kind, defaultText } = options[key];
    if (defaultText !== null) assert.doesNotThrow(() => kind.parse(defaultText, flag), flag);
  }
});

test('a data directory that is a file, or lies below one, is refused', () => {
  const path = file('not a folder');
  assert.throws(() => prepareDataDir(path), /is a file; name a folder/);
  assert.throws(() => prepareDataDir(join(path, 'below')), /a file stands in its path/);
  prepareDataDir(join(folder, 'made', 'with', 'parents'));
});
