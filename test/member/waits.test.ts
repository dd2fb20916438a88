import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandKind } from '../../src/kv/commands.js';
import { FLUSH_INTERVAL_MS } from '../../src/member/flusher.js';
import { isPublished } from '../../src/member/publisher.js';
import { LONG_MS, memberHome, peers, until } from './support.js';

const TIMEOUT = { timeout: 30_000 };
/** A PutRequest with key `k`. */
const PUT = Buffer.from([0x0a, 1, 0x6b]);
const CLUSTER = [1n, 2n, 3n];

function codeOf(error: unknown): string | undefined {
  return (error as { code: string } | null)?.code;
}

test('a request is told that its time is over though the disk has stood still for longer', TIMEOUT, async (t) => {
  const { member, disk, clock } = await (await memberHome(t, [1n])).start();
  await until(() => isPublished(member));
  await new Promise((done) => member.propose(CommandKind.put, PUT, done));
  disk.mood = 'stuck';
  clock.putForward(FLUSH_INTERVAL_MS);
  await until(() => disk.stuckWrites > 0); // the flusher waits
  const outcome = new Promise((done) => member.propose(CommandKind.put, PUT, done));
  clock.putForward(LONG_MS);
  assert.equal(codeOf(await outcome), 'MEMBER_TIMEOUT');
  disk.mood = 'well';
  await member.stop();
});

test('a transfer that the target does not follow in time ends with a timeout', TIMEOUT, async (t) => {
  const transport = peers({
    requestVote: async (_peer, { term, preVote }) => ({ term: preVote ? term - 1 : term, voteGranted: true }),
    appendEntries: async (_peer, { term }) => ({ term, success: true, hintIndex: 0, hintTerm: 0 }),
  });
  const { member } = await (await memberHome(t, CLUSTER)).start(transport);
  await until(() => isPublished(member));
  await assert.rejects(member.transferLeadership(2n), { code: 'MEMBER_TIMEOUT' });
  await member.stop();
});
