import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandKind } from '../../src/kv/commands.js';
import type { ForwardProposalsArgs } from '../../src/raft/messages.js';
import { ELECTION_TIMEOUT_MS, memberHome, peers, until } from './support.js';

const TIMEOUT = { timeout: 30_000 };
/** A PutRequest with key `k`. */
const PUT = Buffer.from([0x0a, 1, 0x6b]);
const CLUSTER = [1n, 2n, 3n];

test('a write whose client has given up before a leader is known is never sent to it', TIMEOUT, async (t) => {
  const forwarded: ForwardProposalsArgs[] = [];
  const transport = peers({
    forwardProposals: async (_peer, args) => {
      forwarded.push(args);
      return null;
    },
  });
  const { member } = await (await memberHome(t, CLUSTER)).start(transport);
  const impatient = Buffer.from([0x0a, 1, 0x61]);
  member.propose(CommandKind.put, impatient, () => {}, ELECTION_TIMEOUT_MS / 2);
  member.propose(CommandKind.put, PUT, () => {});
  await new Promise((resume) => setTimeout(resume, ELECTION_TIMEOUT_MS));
  const { term } = member;
  await member.peerHandler.appendEntries({
    term: term + 1,
    leaderId: 2n,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [],
    leaderCommit: 0,
    round: 0,
  });
  await until(() => forwarded.length > 0);
  const payloads = forwarded.flatMap(({ proposals }) => proposals.map(({ payload }) => payload.subarray(14)));
  assert.ok(payloads.some((payload) => payload.equals(PUT)));
  assert.ok(!payloads.some((payload) => payload.equals(impatient)));
  await member.stop();
});
