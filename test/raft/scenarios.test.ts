import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runScenario } from './support/scenario.js';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'scenarios');
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.txt'))
  .sort();
/** Set by `npm run scenarios:rewrite`: what is seen becomes what is expected, for a human to read in the diff. */
const isRewriting = process.env['REWRITE_SCENARIOS'] === '1';

for (const file of files) {
  test(`scenario ${file.replace('.txt', '')}`, async () => {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    const outcome = await runScenario(text);
    if (isRewriting) {
      writeFileSync(path, outcome.text);
      return;
    }
    for (const { step, expected, seen } of outcome.differences)
      assert.deepEqual(seen, expected, `step ${step} of ${file}`);
    assert.equal(outcome.text, text, `${file} is not laid out as a rewrite would write it`);
  });
}

/** Rows of the fault catalogue that concern consensus. C32 to C39 are membership changes, which this version does not have. */
const ROWS = [...numbers(1, 31), ...numbers(40, 49)].map((number) => `c${String(number).padStart(2, '0')}`);

test('every row of the catalogue of consensus faults has a scenario', () => {
  const missing = ROWS.filter((row) => !files.some((file) => file.startsWith(`${row}-`)));
  assert.deepEqual(missing, []);
});

test('every scenario is named after a row of the catalogue or a figure of the paper', () => {
  const strays = files.filter((file) => !file.startsWith('figure-') && !ROWS.some((row) => file.startsWith(`${row}-`)));
  assert.deepEqual(strays, []);
});

function numbers(from: number, through: number): number[] {
  return Array.from({ length: through - from + 1 }, (_, offset) => from + offset);
}
