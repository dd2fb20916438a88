import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandKind } from '../../src/kv/commands.js';
import { encodePutRequest } from '../../src/kv/wire/encode.js';
import { MemberError } from '../../src/member/errors.js';
import { MAX_PENDING_WRITES } from '../../src/member/member.js';
import { memberHome } from './support.js';

test('a member without a leader holds a bounded number of writes and refuses more', { timeout: 60_000 }, async (t) => {
  const home = await memberHome(t, [1n, 2n, 3n]);
  const { member } = await home.start();
  const request = encodePutRequest({ key: 'k' });
  const codes = new Map<string, number>();
  const count = (error: Error | null) => {
    const code = error instanceof MemberError ? error.code : 'none';
    codes.set(code, (codes.get(code) ?? 0) + 1);
  };
  for (let i = 0; i < MAX_PENDING_WRITES + 1000; i++) member.propose(CommandKind.put, request, count);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok((codes.get('MEMBER_TOO_MANY_REQUESTS') ?? 0) >= 1000, JSON.stringify([...codes]));
  await member.stop();
  assert.equal(
    [...codes.values()].reduce((a, b) => a + b),
    MAX_PENDING_WRITES + 1000,
    'everybody was answered once',
  );
});
