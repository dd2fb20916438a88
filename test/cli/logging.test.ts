import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatLine, openLogger } from '../../src/cli/logging.js';

const line = { time: '2026-11-22T10:42:07.123Z', member: 'n1', msg: 'became leader' };

test('a readable line has the time, the level, the member, what happened and its fields', () => {
  assert.equal(
    formatLine({ ...line, level: 'info', term: 3, peer: 'n2', urls: ['a', 'b'], detail: 'two words' }),
    '10:42:07.123 INFO  n1 became leader  term=3 peer=n2 urls=["a","b"] detail="two words"\n',
  );
});

test('an error is told in the line; its stack follows only where somebody must act', () => {
  const err = { message: 'disk full', stack: 'Error: disk full\n    at somewhere' };
  assert.equal(formatLine({ ...line, level: 'warn', err }), '10:42:07.123 WARN  n1 became leader  err="disk full"\n');
  assert.match(formatLine({ ...line, level: 'fatal', err }), /err="disk full"\nError: disk full\n {4}at somewhere\n$/);
});

test('JSON lines have ISO time, the level as text and 64-bit ids whole; files are appended to', () => {
  const folder = mkdtempSync(join(tmpdir(), 'raftkv-logging-'));
  try {
    const path = join(folder, 'below', 'a.log');
    for (const round of [1, 2]) {
      const logger = openLogger({ name: 'n1', logLevel: 'info', logFormat: 'json', logOutputs: [path] });
      logger.debug({}, 'not asked for');
      logger.child({ floor: 'raft' }).warn({ round, id: 18446744073709551615n }, 'something');
    }
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    assert.equal(lines.length, 2);
    assert.match(
      lines[1] ?? '',
      /^\{"level":"warn","time":"\d{4}-[^"]+Z","member":"n1","floor":"raft","round":2,"id":18446744073709551615,"msg":"something"\}$/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a log file that cannot be written is a mistake in the configuration', () => {
  assert.throws(
    () => openLogger({ name: 'n1', logLevel: 'info', logFormat: 'json', logOutputs: ['/dev/null/x'] }),
    /^ConfigError: --log-outputs \/dev\/null\/x: /,
  );
});
