import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mistakes } from './index.js';
import { MAX_SEEDS, find, isProven } from './table.js';

test('at least twenty mistakes are known', () => {
  assert.ok(new Set(mistakes.map(({ name }) => name)).size >= 20);
});

for (const mistake of mistakes) {
  test(`the simulator finds a member that ${mistake.name} (${mistake.row})`, async (context) => {
    const finding = await find(mistake);
    context.diagnostic(`${finding.seeds} seeds, ${finding.message.split('\n')[0]}`);
    assert.ok(finding.seeds !== null, `not found in ${MAX_SEEDS} seeds`);
    assert.ok(
      isProven(mistake, finding),
      `seen by ${finding.invariant}, expected ${mistake.seenBy.join()}: ${finding.message}`,
    );
  });
}
