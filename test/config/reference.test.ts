import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig, type ServerConfig } from '../../src/config/config.js';
import { options, optionKeys } from '../../src/config/options.js';
import { exampleFile, optionReference, serverHelp } from '../../src/config/reference.js';

const folder = fileURLToPath(new URL('../../config/', import.meta.url));
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

async function load(...args: string[]): Promise<ServerConfig> {
  const { config, warnings } = await loadConfig({ args, environment: {}, stderrIsTerminal: false });
  assert.deepEqual(warnings, []);
  return config;
}

test('config/README.md carries the table of options as the code has them', () => {
  assert.ok(
    read('README.md').endsWith(optionReference()),
    `replace the table of config/README.md by:\n${optionReference()}`,
  );
});

test('config/raftkv.example.yaml is what the code makes of its options', () => {
  assert.equal(read('raftkv.example.yaml'), exampleFile());
});

test('the example file with every key uncommented is accepted and changes nothing', async () => {
  const uncommented = exampleFile()
    .split('\n')
    .filter((line) => /^# [a-z-]+: /.test(line))
    .map((line) => line.slice(2));
  assert.equal(uncommented.length, optionKeys.length);
  const scratch = mkdtempSync(join(tmpdir(), 'raftkv-example-'));
  try {
    const path = join(scratch, 'all.yaml');
    writeFileSync(path, uncommented.join('\n'));
    assert.deepEqual(await load('--config-file', path), await load());
  } finally {
    rmSync(scratch, { recursive: true });
  }
});

test('the three files of config/ describe the same cluster of three', async () => {
  const members = await Promise.all(
    ['n1', 'n2', 'n3'].map((name) => load('--config-file', join(folder, `${name}.yaml`))),
  );
  assert.deepEqual(
    members.map(({ name }) => name),
    ['n1', 'n2', 'n3'],
  );
  assert.equal(new Set(members.map(({ clusterId }) => clusterId)).size, 1);
  assert.equal(new Set(members.map(({ memberId }) => memberId)).size, 3);
  assert.deepEqual(
    members.map(({ listenClientUrls }) => listenClientUrls[0]?.port),
    [2379, 22379, 32379],
  );
});

test('the help names every flag', () => {
  const help = serverHelp();
  for (const key of optionKeys) assert.ok(help.includes(`--${options[key].flag} `), options[key].flag);
});
