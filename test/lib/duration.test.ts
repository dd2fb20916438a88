import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatGoDuration, parseGoDuration } from '../../src/lib/duration.js';

test('durations are read and written as Go does it', () => {
  assert.equal(parseGoDuration('1h30m'), 5_400_000);
  assert.equal(parseGoDuration('1.5s'), 1500);
  assert.equal(parseGoDuration('0'), 0);
  for (const wrong of ['', '5', 's', '5 s', '1x', '1s2']) assert.equal(parseGoDuration(wrong), null, wrong);
  assert.equal(formatGoDuration(1.474133), '1.474133ms');
  assert.equal(formatGoDuration(5001.202812), '5.001202812s');
  assert.equal(formatGoDuration(0.5), '500µs');
  assert.equal(formatGoDuration(123_500), '2m3.5s');
  assert.equal(formatGoDuration(0), '0s');
});
