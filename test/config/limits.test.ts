import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options } from '../../src/config/options.js';
import { CommandKind, encodeCommand } from '../../src/kv/commands.js';
import { makeEntry } from '../../src/raft/entry-codec.js';
import { MAX_MESSAGE_BYTES } from '../../src/transport/limits.js';
import { encodeCall } from '../../src/transport/stream-codec.js';

test('the largest write that can be allowed fits into one message between members', () => {
  const { kind } = options.maxRequestBytes;
  const isAllowed = (bytes: number) => {
    try {
      return kind.parse(String(bytes), '--max-request-bytes') === bytes;
    } catch {
      return false;
    }
  };
  let [most, refused] = [1024, 2 ** 40];
  assert.ok(isAllowed(most) && !isAllowed(refused));
  while (refused - most > 1) {
    const middle = Math.floor((most + refused) / 2);
    if (isAllowed(middle)) most = middle;
    else refused = middle;
  }
  const payload = encodeCommand(CommandKind.put, 1, 1, Buffer.alloc(most));
  const entries = [makeEntry(1, 1, payload)];
  const args = { term: 1, leaderId: 1n, prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 0, round: 0 };
  assert.ok(encodeCall(1, 'appendEntries', args).length <= MAX_MESSAGE_BYTES);
  const forwarded = { term: 1, originId: 1n, bootId: 1, proposals: [{ sequence: 1, payload }] };
  assert.ok(encodeCall(1, 'forwardProposals', forwarded).length <= MAX_MESSAGE_BYTES);
});
