import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandKind } from '../../src/kv/commands.js';
import { isPublished } from '../../src/member/publisher.js';
import type { ReadIndexReply } from '../../src/raft/messages.js';
import { memberHome, peers, until } from './support.js';

const TIMEOUT = { timeout: 30_000 };
/** A PutRequest with key `k`. */
const PUT = Buffer.from([0x0a, 1, 0x6b]);
const CLUSTER = [1n, 2n, 3n];

const heartbeat = {
  term: 1,
  leaderId: 2n,
  prevLogIndex: 0,
  prevLogTerm: 0,
  entries: [],
  leaderCommit: 0,
  round: 0,
};

test('a member that has stopped may be stopped again', TIMEOUT, async (t) => {
  const { member } = await (await memberHome(t, [1n])).start();
  await Promise.all([member.stop(), member.stop()]);
  await member.stop();
});

test('a member whose disk fails while it stops says so, and lets go of its data', TIMEOUT, async (t) => {
  const home = await memberHome(t, [1n]);
  const { member, disk } = await home.start();
  await until(() => isPublished(member));
  disk.mood = 'failing';
  await assert.rejects(member.stop(), /EIO/);
  const again = await home.start();
  await again.member.stop();
});

test('a member that fails answers everybody who waits for it', TIMEOUT, async (t) => {
  const { member, disk, failures } = await (await memberHome(t, [1n])).start();
  await until(() => isPublished(member));
  disk.mood = 'failing';
  const error = await new Promise((done) => member.propose(CommandKind.put, PUT, done));
  assert.equal((error as { code: string } | null)?.code, 'MEMBER_STOPPED');
  assert.equal(failures.length, 1);
  await member.stop();
});

test('a read that is confirmed when the member has stopped is answered', TIMEOUT, async (t) => {
  let confirm: ((reply: ReadIndexReply) => void) | null = null;
  const transport = peers({ readIndex: () => new Promise((resolve) => (confirm = resolve)) });
  const { member } = await (await memberHome(t, CLUSTER)).start(transport);
  await member.peerHandler.appendEntries(heartbeat);
  const read = new Promise((done) => member.linearizableRead(done));
  await until(() => confirm !== null);
  await member.stop();
  (confirm as unknown as (reply: ReadIndexReply) => void)({ term: 1, readIndex: 100 });
  assert.equal(((await read) as { code: string } | null)?.code, 'MEMBER_STOPPED');
});
