import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LimitedLog } from '../../src/transport/limited-log.js';
import { recordingLogger, type LogLine } from './log-lines.js';

test('the first warning of a kind is logged at once, then one in ten seconds, with a count of those left out', () => {
  const lines: LogLine[] = [];
  let nowMs = 0;
  const log = new LimitedLog(recordingLogger(lines), () => nowMs);
  log.warn('a', { n: 1 }, 'refused');
  log.warn('a', { n: 2 }, 'refused');
  log.warn('b', { n: 3 }, 'refused');
  nowMs = 9_999;
  log.warn('a', { n: 4 }, 'refused');
  nowMs = 10_000;
  log.warn('a', { n: 5 }, 'refused');
  nowMs = 30_000;
  log.warn('a', { n: 6 }, 'refused');
  assert.deepEqual(
    lines.map(({ fields }) => fields),
    [{ n: 1 }, { n: 3 }, { n: 5, suppressed: 2 }, { n: 6 }],
  );
});

test('a caller that invents kinds makes it forget the oldest, not grow', () => {
  const lines: LogLine[] = [];
  const log = new LimitedLog(recordingLogger(lines), () => 0);
  for (let kind = 0; kind < 101; kind++) log.warn(String(kind), { kind }, 'refused');
  log.warn('100', {}, 'refused');
  assert.equal(lines.length, 101);
  log.warn('0', {}, 'refused');
  assert.equal(lines.length, 102);
});
