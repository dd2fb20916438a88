import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogIndex, Term } from '../../src/raft/messages.js';
import { handleAppendEntries } from '../../src/raft/rpc/append-entries.js';
import { kindOf } from './support/describe.js';
import { append, clusterWith, namesOf, restarted, terms } from './support/paper.js';

// One test per rule of "In Search of an Understandable Consensus Algorithm", extended version: section 5.3.

describe('§5.3 log replication', () => {
  test('a leader appends a command and sends it to everybody at once', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    await cluster.elect(cluster.member('n1'));
    await cluster.settle();
    cluster.member('n1').up.propose(Buffer.from('x'), Infinity, () => {});
    await cluster.drain();
    assert.deepEqual(terms(cluster, 'n1'), [1, 1]);
    const to = cluster.network.messages
      .filter((message) => kindOf(message) === 'append')
      .map((message) => message.to.id);
    assert.deepEqual(to, [2n, 3n]);
  });

  for (const size of [1, 2, 3, 4, 5]) {
    test(`a leader among ${size} commits an entry when a majority holds it`, async () => {
      const cluster = await clusterWith(Object.fromEntries(namesOf(size).map((name) => [name, []])));
      const [n1, ...others] = cluster.all;
      assert.ok(n1);
      await cluster.elect(n1);
      await cluster.settle();
      n1.up.propose(Buffer.from('x'), Infinity, () => {});
      await cluster.drain();
      for (const follower of others.slice(0, Math.floor(size / 2))) {
        assert.equal(n1.raft?.commitIndex, 1);
        await cluster.deliverAll(({ call }) => call.to === follower);
      }
      assert.equal(n1.raft?.commitIndex, 2);
    });
  }

  for (const earlier of [[1], [1, 1], [1, 2], [1, 2, 2, 4]]) {
    test(`with an entry everything before it is committed: ${earlier.join(' ')}`, async () => {
      const cluster = await clusterWith({ n1: earlier, n2: earlier, n3: [] });
      await cluster.elect(cluster.member('n1'));
      await cluster.settle();
      for (const { name, up, applied } of cluster.all) {
        assert.equal(up.raft.commitIndex, earlier.length + 1, name);
        assert.deepEqual(
          applied,
          earlier.map((term, position) => `${position + 1}@${term}`),
          name,
        );
      }
    });
  }

  test('followers hear of the commit index with a later message, and apply in log order', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    const [n1, n2] = cluster.all;
    assert.ok(n1 && n2);
    await cluster.elect(n1);
    await cluster.settle();
    for (const command of ['x', 'y', 'z']) n1.up.propose(Buffer.from(command), Infinity, () => {});
    await cluster.drain();
    await cluster.deliverAll();
    assert.deepEqual([n1.raft?.commitIndex, n2.raft?.commitIndex], [4, 1]);
    await cluster.run(200);
    assert.equal(n2.raft?.commitIndex, 4);
    assert.deepEqual(n2.applied, ['x', 'y', 'z']);
  });

  const checks: readonly { prev: readonly [LogIndex, Term]; success: boolean; hint?: readonly [LogIndex, Term] }[] = [
    { prev: [0, 0], success: true },
    { prev: [1, 1], success: true },
    { prev: [2, 2], success: true },
    { prev: [1, 2], success: false, hint: [1, 1] },
    { prev: [2, 1], success: false, hint: [1, 1] },
    { prev: [3, 3], success: false, hint: [2, 2] },
    { prev: [3, 1], success: false, hint: [1, 1] },
  ];
  for (const { prev, success, hint } of checks) {
    test(`a follower with 1 2 ${success ? 'accepts' : 'refuses'} what follows ${prev.join('@')}`, async () => {
      const cluster = await clusterWith({ n1: [1, 2], n2: [], n3: [] });
      const decision = handleAppendEntries(
        cluster.raft('n1'),
        append({ term: 3, prevLogIndex: prev[0], prevLogTerm: prev[1] }),
      );
      assert.equal(decision?.reply.success, success);
      if (hint) assert.deepEqual([decision?.reply.hintIndex, decision?.reply.hintTerm], hint);
    });
  }

  const appends: readonly {
    log: readonly Term[];
    prev: readonly [LogIndex, Term];
    entries: readonly [LogIndex, Term][];
    becomes: readonly Term[];
  }[] = [
    { log: [1, 2], prev: [2, 2], entries: [[3, 3]], becomes: [1, 2, 3] },
    {
      log: [1, 2],
      prev: [1, 1],
      entries: [
        [2, 3],
        [3, 4],
      ],
      becomes: [1, 3, 4],
    },
    { log: [1, 2], prev: [0, 0], entries: [[1, 1]], becomes: [1, 2] },
    { log: [1, 2], prev: [0, 0], entries: [[1, 3]], becomes: [3] },
    { log: [1, 1, 1], prev: [1, 1], entries: [[2, 1]], becomes: [1, 1, 1] },
    {
      log: [1, 1, 2, 2],
      prev: [1, 1],
      entries: [
        [2, 1],
        [3, 2],
        [4, 3],
      ],
      becomes: [1, 1, 2, 3],
    },
  ];
  for (const { log, prev, entries, becomes } of appends) {
    const sent = entries.map((entry) => entry.join('@')).join(' ');
    test(`a log ${log.join(' ')} that is sent ${sent} becomes ${becomes.join(' ')}`, async () => {
      const cluster = await clusterWith({ n1: log, n2: [], n3: [] });
      const decision = handleAppendEntries(
        cluster.raft('n1'),
        append({ term: 4, prevLogIndex: prev[0], prevLogTerm: prev[1], entries }),
      );
      assert.equal(decision?.reply.success, true);
      assert.deepEqual(terms(cluster, 'n1'), becomes);
      await cluster.drain();
      assert.deepEqual(
        cluster.member('n1').disk.entries.map((entry) => entry.term),
        becomes,
      );
    });
  }

  const figure7: { readonly [name: string]: readonly Term[] } = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };
  for (const [name, log] of Object.entries(figure7)) {
    test(`Figure 7: the leader brings follower (${name}) in line with its own log`, async () => {
      const leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
      const cluster = await clusterWith({ leader, follower: log, voter: [] });
      cluster.member('leader').disk.hardState = { currentTerm: 7, votedFor: null };
      await cluster.start(...restarted(cluster, 'leader'));
      // (d) would not vote for it: the third member must.
      await cluster.elect(cluster.member('leader'));
      await cluster.settle();
      assert.deepEqual(terms(cluster, 'follower'), [...leader, 8]);
      assert.deepEqual(terms(cluster, 'voter'), [...leader, 8]);
    });
  }
});
