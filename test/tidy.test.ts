import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Who may import whom (docs/architecture.md). A floor may always import itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  raft: ['lib'],
  kv: ['lib'],
  storage: ['raft', 'kv', 'lib'],
  transport: ['raft', 'lib'],
  member: ['storage', 'raft', 'kv', 'lib'],
  api: ['member', 'kv', 'lib'],
  client: ['member', 'lib'],
  config: ['lib'],
  cli: ['client', 'config', 'lib', 'daemon.ts'],
};

/** Of these floors, storage may only know the ports of what is above it in meaning, never its rules. */
const PORTS_ONLY: readonly (readonly [string, string, RegExp])[] = [
  ['storage', 'raft', /^raft\/(ports|messages|entry-codec|errors)\.js$/],
  ['storage', 'kv', /^kv\/ports\.js$/],
  ['transport', 'raft', /^raft\/(ports|messages|entry-codec|errors)\.js$/],
];

/** Packages that a floor may not load. */
const FORBIDDEN_PACKAGES: Readonly<Record<string, RegExp>> = {
  raft: /^(@grpc|level|classic-level|pino|yargs|zod|node:(?!zlib))/,
  kv: /^(@grpc|level|classic-level|pino|yargs|zod|node:)/,
  member: /^(@grpc|level|classic-level|pino|yargs|zod|node:)/,
  storage: /^(@grpc|pino|yargs|zod)/,
  transport: /^(level|classic-level|pino|yargs|zod)/,
};

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(root, folder, file));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
}

function floorOf(path: string): string {
  return path.split(sep)[0] ?? '';
}

test('imports run only downward', () => {
  const wrong: string[] = [];
  for (const file of sources('src')) {
    const from = relative(join(root, 'src'), file);
    const allowed = MAY_IMPORT[floorOf(from)];
    if (!allowed) continue; // daemon.ts, index.ts and the like stand above all floors
    for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
      const to = relative(join(root, 'src'), resolve(dirname(file), specifier));
      const floor = floorOf(to).replace(/\.js$/, '.ts');
      if (floor !== floorOf(from) && !allowed.includes(floor)) wrong.push(`${from} imports ${to}`);
      for (const [above, below, pattern] of PORTS_ONLY) {
        if (floorOf(from) === above && floor === below && !pattern.test(to.split(sep).join('/')))
          wrong.push(`${from} imports ${to}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test('no floor loads a package that it must not know', () => {
  const wrong: string[] = [];
  for (const [floor, forbidden] of Object.entries(FORBIDDEN_PACKAGES)) {
    for (const file of sources(join('src', floor))) {
      for (const name of importsOf(file))
        if (forbidden.test(name)) wrong.push(`${relative(root, file)} imports ${name}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('imports make no circles', () => {
  const graph = new Map(
    sources('src').map((file) => [
      file,
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => resolve(dirname(file), name).replace(/\.js$/, '.ts')),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `circle: ${[...path, file].map((name) => relative(root, name)).join(' -> ')}`);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});

test('a source file fits in a few screens', () => {
  const long = sources('src').filter((file) => readFileSync(file, 'utf8').split('\n').length > 450);
  assert.deepEqual(
    long.map((file) => relative(root, file)),
    [],
  );
});

test('nothing unfinished is left behind', () => {
  const marks =
    /\b(TODO|FIXME|XXX|HACK)\b|eslint-disable|@ts-(ignore|nocheck|expect-error)|\b(test|it|describe|suite)\.(skip|only|todo)\(/;
  const own = fileURLToPath(import.meta.url);
  const places = ['src', 'test', 'bin', 'examples'].filter((folder) => existsSync(join(root, folder)));
  const files = places.flatMap((folder) =>
    folder === 'bin' ? [join(root, 'bin', 'raftkv')].filter(existsSync) : sources(folder),
  );
  const wrong = files.filter((file) => file !== own && marks.test(readFileSync(file, 'utf8')));
  assert.deepEqual(
    wrong.map((file) => relative(root, file)),
    [],
  );
});

test('every error code is documented, and every documented code exists', () => {
  const codes = new Set<string>();
  for (const file of sources('src')) {
    const text = readFileSync(file, 'utf8');
    for (const match of text.matchAll(/'((?:RAFT|KV|MEMBER|STORAGE|TRANSPORT|CONFIG|CLIENT|API|LISTEN)_[A-Z_]+)'/g))
      codes.add(match[1] ?? '');
  }
  const documented = new Set(
    [...readFileSync(join(root, 'docs', 'errors.md'), 'utf8').matchAll(/^\| `([A-Z_]+)`/gm)].map(
      (match) => match[1] ?? '',
    ),
  );
  assert.deepEqual([...codes].sort(), [...documented].sort());
});

test('the lock file names no host', () => {
  assert.doesNotMatch(readFileSync(join(root, 'package-lock.json'), 'utf8'), /"resolved": *"https?:/);
});
