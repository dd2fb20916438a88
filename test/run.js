// Runs every *.test.ts below the folders or files given, each file in a process of its own:
//   node test/run.js [--concurrency=N] raft kv cluster/kill.test.ts
// Node 20's own runner finds neither TypeScript files nor glob patterns.
import { spawnSync } from 'node:child_process';
import console from 'node:console';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const places = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

function testsIn(place) {
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
    .map((file) => join(place, file));
}

const files = places.flatMap((place) => testsIn(join(root, place)));
if (files.length === 0) {
  console.error(`no test found in ${places.join(', ')}`);
  process.exit(1);
}
const flags = options.map((option) => option.replace('--concurrency', '--test-concurrency'));
const { status } = spawnSync(process.execPath, ['--import', 'tsx', '--test', ...flags, ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
