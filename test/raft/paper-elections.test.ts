import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { handleAppendEntries } from '../../src/raft/rpc/append-entries.js';
import { handleRequestVote, onRequestVoteReply } from '../../src/raft/rpc/request-vote.js';
import { kindOf } from './support/describe.js';
import { append, clusterWith, namesOf, T, terms, vote } from './support/paper.js';

// One test per rule of "In Search of an Understandable Consensus Algorithm", extended version: sections 5.1 and 5.2.

describe('§5.1 terms', () => {
  for (const role of ['follower', 'candidate', 'leader'] as const) {
    test(`a ${role} that hears of a higher term takes it and follows`, async () => {
      const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
      const [n1] = cluster.all;
      assert.ok(n1);
      if (role === 'candidate') await cluster.campaign(n1);
      if (role === 'leader') await cluster.elect(n1);
      const raft = cluster.raft('n1');
      assert.equal(raft.role, role);
      handleAppendEntries(raft, append({ term: 7 }));
      assert.deepEqual([raft.role, raft.currentTerm, raft.votedFor, raft.leaderId], ['follower', 7, null, 2n]);
    });
  }

  test('a request of an old term is refused with the current one, and changes nothing', async () => {
    const cluster = await clusterWith({ n1: [3], n2: [], n3: [] });
    const raft = cluster.raft('n1');
    const heardAt = raft.lastHeardFromLeader;
    await cluster.advance(50);
    assert.deepEqual(handleRequestVote(raft, vote({ term: 2, lastLogTerm: 2, lastLogIndex: 9 })), {
      term: 3,
      voteGranted: false,
    });
    const decision = handleAppendEntries(raft, append({ term: 2, entries: [[1, 2]] }));
    assert.deepEqual([decision?.reply.term, decision?.reply.success], [3, false]);
    assert.deepEqual([raft.currentTerm, raft.leaderId, raft.lastHeardFromLeader], [3, null, heardAt]);
    assert.deepEqual(terms(cluster, 'n1'), [3]);
  });
});

describe('§5.2 elections', () => {
  test('members start as followers, of nobody', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    for (const { up } of cluster.all) assert.deepEqual([up.raft.role, up.raft.leaderId], ['follower', null]);
  });

  test('a leader lets every peer hear from it at each heartbeat interval', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    await cluster.elect(cluster.member('n1'));
    await cluster.settle();
    const before = cluster.sent.length;
    await cluster.run(1000);
    const beats = cluster.sent.slice(before).filter((message) => kindOf(message) === 'heartbeat' && !message.isReply);
    for (const peer of ['n2', 'n3']) {
      const count = beats.filter(({ to }) => to === cluster.member(peer)).length;
      assert.ok(count >= 9 && count <= 11, `${count} heartbeats to ${peer} in ten intervals`);
    }
  });

  test('a follower that hears from its leader never campaigns; in silence it does', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    await cluster.elect(cluster.member('n1'));
    await cluster.run(20 * T);
    assert.equal(cluster.raft('n1').currentTerm, 1);
    cluster.crash(cluster.member('n1'));
    await cluster.run(3 * T);
    assert.ok(['n2', 'n3'].some((name) => cluster.raft(name).role === 'leader'));
  });

  test('a candidate raises its term, votes for itself, resets its timeout and asks everybody else', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    await cluster.campaign(cluster.member('n1'));
    const raft = cluster.raft('n1');
    assert.deepEqual([raft.role, raft.currentTerm, raft.votedFor], ['candidate', 1, 1n]);
    assert.equal(raft.lastHeardFromLeader, cluster.member('n1').now());
    const asked = cluster.network.messages.map(({ rpc, to }) => `${rpc} ${to.id}`);
    assert.deepEqual(asked, ['requestVote 2', 'requestVote 3']);
  });

  for (const size of [1, 2, 3, 4, 5, 6, 7]) {
    test(`a candidate among ${size} wins with the votes of a majority, and not with fewer`, async () => {
      const cluster = await clusterWith(Object.fromEntries(namesOf(size).map((name) => [name, []])));
      const [n1, ...others] = cluster.all;
      assert.ok(n1);
      const needed = Math.floor(size / 2);
      await cluster.campaign(n1);
      for (const voter of others.slice(0, needed)) {
        assert.equal(n1.raft?.role, 'candidate');
        await cluster.deliverAll(({ call }) => call.to === voter && call.rpc === 'requestVote');
      }
      assert.equal(n1.raft?.role, 'leader');
    });
  }

  test('a member votes for at most one candidate in a term, first come, first served', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    const raft = cluster.raft('n1');
    assert.equal(handleRequestVote(raft, vote({ candidateId: 2n })).voteGranted, true);
    assert.equal(handleRequestVote(raft, vote({ candidateId: 3n })).voteGranted, false);
    assert.equal(handleRequestVote(raft, vote({ candidateId: 2n })).voteGranted, true);
    assert.equal(handleRequestVote(raft, vote({ candidateId: 3n, term: 2 })).voteGranted, true);
  });

  for (const term of [1, 2]) {
    test(`a candidate of term 1 follows whoever leads in term ${term}`, async () => {
      const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
      await cluster.campaign(cluster.member('n1'));
      const raft = cluster.raft('n1');
      handleAppendEntries(raft, append({ term }));
      assert.deepEqual([raft.role, raft.currentTerm, raft.leaderId], ['follower', term, 2n]);
    });
  }

  test('a candidate that neither wins nor loses begins another election, in the next term', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    const n1 = cluster.member('n1');
    await cluster.campaign(n1);
    await cluster.campaign(n1);
    assert.deepEqual([n1.raft?.role, n1.raft?.currentTerm], ['candidate', 2]);
  });

  for (const preVote of [false, true]) {
    test(`a ${preVote ? 'pre-vote' : 'vote'} for an earlier campaign does not count for this one`, async () => {
      const cluster = await clusterWith({ n1: [], n2: [], n3: [] }, { preVote });
      const n1 = cluster.member('n1');
      const raft = cluster.raft('n1');
      await cluster.campaign(n1);
      const old = vote({ term: 1, candidateId: 1n, preVote });
      handleAppendEntries(raft, append({ term: 4 }));
      await cluster.drain();
      await cluster.campaign(n1);
      assert.deepEqual([raft.role, raft.currentTerm], preVote ? ['preCandidate', 4] : ['candidate', 5]);
      onRequestVoteReply(raft, 2n, old, { term: 1, voteGranted: true });
      assert.equal(raft.role, preVote ? 'preCandidate' : 'candidate');
      onRequestVoteReply(raft, 2n, { ...old, term: 5 }, { term: preVote ? 4 : 5, voteGranted: true });
      assert.equal(raft.role, preVote ? 'candidate' : 'leader');
      cluster.invariants.isForgiving = true; // n2 has not really voted
      await cluster.drain();
    });
  }

  test('election timeouts are drawn from [T, 2T), anew for each election', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    const n1 = cluster.member('n1');
    n1.draws.push(0, T - 1, 123);
    for (const expected of [T, 2 * T - 1, T + 123]) {
      await cluster.campaign(n1);
      assert.equal(n1.raft?.electionTimeoutMs, expected);
    }
  });

  test('a split vote is resolved: who draws the shortest timeout wins the next term', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [], n4: [] });
    const [n1, n2, n3, n4] = cluster.all;
    assert.ok(n1 && n2 && n3 && n4);
    await cluster.campaign(n1);
    await cluster.campaign(n2);
    await cluster.deliverAll(({ call }) => call.from === n1 && call.to === n3);
    await cluster.deliverAll(({ call }) => call.from === n2 && call.to === n4);
    await cluster.deliverAll();
    assert.deepEqual([n1.raft?.role, n2.raft?.role], ['candidate', 'candidate']);
    await cluster.settle();
    assert.equal(cluster.all.filter(({ raft }) => raft?.role === 'leader').length, 1);
    assert.equal(n1.raft?.currentTerm, 2);
  });
});
