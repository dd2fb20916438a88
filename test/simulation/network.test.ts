import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppendEntriesArgs } from '../../src/raft/messages.js';
import { makeEntry } from '../../src/raft/entry-codec.js';
import type { PeerHandler } from '../../src/raft/ports.js';
import { FaultCounts } from './fault-counts.js';
import { Links, type NetworkFaults, perfectNetwork } from './links.js';
import { Machine } from './machine.js';
import { Network } from './network.js';
import { SeededRandom } from './random.js';
import { Scheduler } from './scheduler.js';

const args = { term: 3, candidateId: 1n, lastLogIndex: 9, lastLogTerm: 2, preVote: false, leadershipTransfer: false };

/** Two machines; the second counts what it hears and grants every vote. */
function pair(faults: NetworkFaults = perfectNetwork, seed = 1n) {
  const random = new SeededRandom(seed);
  const scheduler = new Scheduler({ random: random.fork('scheduler') });
  const links = new Links(2, random.fork('network'), faults);
  const counts = new FaultCounts();
  const network = new Network({ scheduler, links, counts, rpcTimeoutMs: 1_000 });
  const [asker, voter] = [new Machine(0, 'asker'), new Machine(1, 'voter')];
  asker.start();
  voter.start();
  const heard: number[] = [];
  const refuse = async () => assert.fail('unexpected RPC');
  const handler: PeerHandler = {
    requestVote: async ({ term }) => {
      heard.push(term);
      return { term, voteGranted: true };
    },
    appendEntries: refuse,
    installSnapshot: refuse,
    timeoutNow: refuse,
    forwardProposals: refuse,
    readIndex: refuse,
  };
  network.attach(1n, asker, null);
  network.attach(2n, voter, handler);
  return { scheduler, links, counts, network, asker, voter, handler, heard, transport: network.transport(asker) };
}

test('a request is answered', async () => {
  const { scheduler, transport } = pair();
  const reply = transport.requestVote(2n, args);
  await scheduler.run(10_000);
  assert.deepEqual(await reply, { term: 3, voteGranted: true });
});

test('a request over a cut link, and a reply over one, end in null after the timeout', async () => {
  for (const [from, to, heardCount] of [
    [0, 1, 0],
    [1, 0, 1],
  ] as const) {
    const { scheduler, links, transport, heard } = pair();
    links.cut(from, to);
    const reply = transport.requestVote(2n, args);
    await scheduler.run(10_000);
    assert.equal(await reply, null);
    assert.equal(heard.length, heardCount);
    assert.equal(scheduler.nowMs >= 1_000, true);
  }
});

test('a split cuts exactly the links between the sides', () => {
  const links = new Links(4, new SeededRandom(1n), perfectNetwork);
  links.split([0, 1]);
  for (const [from, to, isCut] of [
    [0, 1, false],
    [1, 0, false],
    [2, 3, false],
    [0, 2, true],
    [3, 1, true],
  ] as const) {
    assert.equal(links.isCut(from, to), isCut, `${from} to ${to}`);
  }
  links.mendAll();
  assert.equal(links.isCut(0, 2), false);
});

test('a doubled request is handled twice and answered once', async () => {
  const { scheduler, counts, transport, heard } = pair({ ...perfectNetwork, duplication: 1 });
  let answers = 0;
  void transport.requestVote(2n, args).then(() => answers++);
  await scheduler.run(600_000);
  assert.equal(heard.length, 2);
  assert.equal(answers, 1);
  assert.ok(counts.of('message doubled') >= 2);
});

test('about as many messages are lost as asked for', async () => {
  const { scheduler, transport, heard } = pair({ ...perfectNetwork, loss: 0.3 });
  for (let term = 3; term < 2_003; term++) void transport.requestVote(2n, { ...args, term });
  await scheduler.run(10_000);
  assert.ok(heard.length > 1_300 && heard.length < 1_500, `${heard.length} of 2000 arrived`);
});

test('messages overtake each other', async () => {
  const { scheduler, transport, heard } = pair({ ...perfectNetwork, meanDelayMs: 20 });
  for (let term = 3; term < 53; term++) void transport.requestVote(2n, { ...args, term });
  await scheduler.run(10_000);
  assert.equal(heard.length, 50);
  assert.notDeepEqual(
    heard,
    [...heard].sort((a, b) => a - b),
  );
});

test('a clogged link holds everything back until it opens', async () => {
  const { scheduler, links, transport, heard } = pair();
  links.clog(0, 1, 500);
  void transport.requestVote(2n, args);
  await scheduler.run(499);
  assert.equal(heard.length, 0);
  await scheduler.run(510);
  assert.equal(heard.length, 1);
});

test('a machine that is down answers nothing; the next process on it hears what comes later', async () => {
  const { scheduler, network, voter, handler, heard, transport } = pair();
  voter.crash();
  network.attach(2n, voter, null);
  const reply = transport.requestVote(2n, args);
  await scheduler.run(2_000);
  assert.equal(await reply, null);
  voter.start();
  network.attach(2n, voter, handler);
  const second = transport.requestVote(2n, args);
  await scheduler.run(4_000);
  assert.deepEqual(await second, { term: 3, voteGranted: true });
  assert.equal(heard.length, 1);
});

test('a message on its way when a process dies is heard by the next process, never by the dead one', async () => {
  const { scheduler, links, network, voter, handler, heard, transport } = pair();
  links.clog(0, 1, 500);
  void transport.requestVote(2n, args);
  scheduler.after(100, 'restart', () => {
    voter.crash();
    network.attach(2n, voter, null);
    voter.start();
    network.attach(2n, voter, { ...handler, requestVote: async () => ({ term: 9, voteGranted: false }) });
  });
  await scheduler.run(2_000);
  assert.deepEqual(heard, []);
});

test('a reply to an earlier life of the caller is dropped', async () => {
  const { scheduler, asker, transport, heard } = pair();
  void transport.requestVote(2n, args).then(() => assert.fail('the dead heard an answer'));
  scheduler.after(0.01, 'crash', () => {
    asker.crash();
    asker.start();
  });
  await scheduler.run(5_000);
  assert.equal(heard.length, 1);
});

test('the receiver gets bytes of its own', async () => {
  const { scheduler, handler, transport } = pair();
  const entry = makeEntry(1, 3, Buffer.from('payload'));
  const sent: AppendEntriesArgs = {
    term: 3,
    leaderId: 1n,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [entry],
    leaderCommit: 0,
    round: 1,
  };
  handler.appendEntries = async (received) => {
    assert.deepEqual(received.entries[0]?.record, entry.record);
    assert.notEqual(received.entries[0]?.record.buffer, entry.record.buffer);
    return { term: 3, success: true, hintIndex: 0, hintTerm: 0 };
  };
  const reply = transport.appendEntries(2n, sent);
  await scheduler.run(5_000);
  assert.equal((await reply)?.success, true);
});
