import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogIndex, Term } from '../../src/raft/messages.js';
import { defaultRaftOptions } from '../../src/raft/options.js';
import { handleAppendEntries } from '../../src/raft/rpc/append-entries.js';
import { handleRequestVote } from '../../src/raft/rpc/request-vote.js';
import { kindOf } from './support/describe.js';
import { append, clusterWith, restarted, T, terms, vote } from './support/paper.js';

// One test per rule of "In Search of an Understandable Consensus Algorithm", extended version: sections 5.4 to 8.

describe('§5.4 safety', () => {
  const candidates: readonly { own: readonly Term[]; last: readonly [LogIndex, Term]; granted: boolean }[] = [
    { own: [1], last: [1, 1], granted: true },
    { own: [1], last: [2, 1], granted: true },
    { own: [1, 1], last: [1, 1], granted: false },
    { own: [1], last: [1, 2], granted: true },
    { own: [1, 1], last: [1, 2], granted: true },
    { own: [2], last: [1, 1], granted: false },
    { own: [2], last: [2, 1], granted: false },
    { own: [1, 2], last: [3, 1], granted: false },
    { own: [], last: [0, 0], granted: true },
  ];
  for (const { own, last, granted } of candidates) {
    const title = `§5.4.1 who has ${own.join(' ') || 'nothing'} ${granted ? 'votes' : 'does not vote'} for a log that ends in ${last.join('@')}`;
    test(title, async () => {
      const cluster = await clusterWith({ n1: own, n2: [], n3: [] });
      const raft = cluster.raft('n1');
      const reply = handleRequestVote(raft, vote({ term: 3, lastLogIndex: last[0], lastLogTerm: last[1] }));
      assert.deepEqual(reply, { term: 3, voteGranted: granted });
      assert.equal(raft.votedFor, granted ? 2n : null);
    });
  }

  test('§5.4.2 copies of an entry of an earlier term do not commit it', async () => {
    const cluster = await clusterWith({ n1: [1, 2], n2: [1], n3: [1] }, { maxAppendBytes: 1 });
    await cluster.elect(cluster.member('n1'));
    const isAppend = ({ call }: { call: { rpc: string } }): boolean => call.rpc === 'appendEntries';
    for (let step = 0; step < 4; step++) {
      const message = cluster.network.messages.find((each) => isAppend(each) && each.call.to === cluster.member('n2'));
      assert.ok(message);
      await cluster.deliver(message);
    }
    assert.equal(cluster.raft('n1').progress.get(2n)?.matchIndex, 2);
    assert.equal(cluster.raft('n1').commitIndex, 0, 'a majority has entry 2, of term 2');
    await cluster.settle();
    assert.equal(cluster.raft('n1').commitIndex, 3);
  });
});

describe('§5.5 crashes', () => {
  test('the same AppendEntries twice does no more than once', async () => {
    const cluster = await clusterWith({ n1: [1], n2: [], n3: [] });
    cluster.invariants.isForgiving = true; // no leader has sent this
    const args = append({ prevLogIndex: 1, prevLogTerm: 1, entries: [[2, 1]], leaderCommit: 2 });
    const first = handleAppendEntries(cluster.raft('n1'), args);
    const second = handleAppendEntries(cluster.raft('n1'), args);
    assert.deepEqual(first?.reply, second?.reply);
    await cluster.drain();
    assert.deepEqual(terms(cluster, 'n1'), [1, 1]);
    assert.deepEqual(cluster.member('n1').applied, ['1@1', '2@1']);
  });

  test('a follower that was down is brought up to date when it is back', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    await cluster.elect(cluster.member('n1'));
    await cluster.settle();
    cluster.crash(cluster.member('n3'));
    for (let count = 0; count < 50; count++) {
      cluster.member('n1').up.propose(Buffer.from(`c${count}`), Infinity, () => {});
      await cluster.run(10);
    }
    await cluster.start(cluster.member('n3'));
    await cluster.settle();
    assert.deepEqual(cluster.member('n3').applied, cluster.member('n1').applied);
    assert.equal(cluster.member('n3').applied.length, 50);
  });
});

describe('§5.6 timing', () => {
  test('a heartbeat may be lost nine times before anybody campaigns', () => {
    assert.ok(defaultRaftOptions.heartbeatIntervalMs * 10 <= defaultRaftOptions.electionTimeoutMs);
  });
});

test('§5.6 a member that stood still reads what has come meanwhile before it judges its leader (N05)', async () => {
  const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
  const [n1, n2] = cluster.all;
  assert.ok(n1 && n2);
  await cluster.elect(n1);
  await cluster.settle();
  await cluster.advance(100, [n1]); // a heartbeat is on its way
  await cluster.pause(n2, 5 * T);
  assert.equal(n2.raft?.role, 'follower', 'all timers have fired, nothing was read yet');
  await cluster.deliverAll();
  await cluster.run(5 * T);
  assert.deepEqual([n1.raft?.role, n1.raft?.currentTerm], ['leader', 1]);
});

describe('§7 log compaction', () => {
  test('a log that has grown by snapshotCount applied entries is cut, and keeps some for slow followers', async () => {
    const cluster = await clusterWith({ n1: [] }, { snapshotCount: 10, snapshotCatchupEntries: 4 });
    await cluster.elect(cluster.member('n1'));
    for (let count = 0; count < 40; count++)
      cluster.member('n1').up.propose(Buffer.from(`c${count}`), Infinity, () => {});
    await cluster.settle();
    const { log, lastApplied } = cluster.raft('n1');
    assert.equal(log.marker.index, lastApplied - 4);
    assert.equal(cluster.member('n1').disk.snapshot.index, log.marker.index);
    assert.ok(
      cluster.member('n1').volume.durable.index >= log.marker.index,
      'nothing is forgotten before it is durable',
    );
    await cluster.start(...restarted(cluster, 'n1'));
    await cluster.settle();
    assert.equal(cluster.member('n1').applied.length, 40);
  });

  test('a follower that needs what is compacted is sent a snapshot in chunks, then the rest of the log', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] }, { snapshotCount: 10, snapshotCatchupEntries: 0 });
    for (const { volume } of cluster.all) volume.chunkBytes = 50;
    await cluster.elect(cluster.member('n1'));
    await cluster.settle();
    cluster.isolate(cluster.member('n3'));
    for (let count = 0; count < 40; count++)
      cluster.member('n1').up.propose(Buffer.from(`c${count}`), Infinity, () => {});
    await cluster.run(500);
    cluster.heal();
    cluster.member('n1').up.propose(Buffer.from('last'), Infinity, () => {});
    await cluster.settle();
    assert.equal(cluster.member('n3').applied.length, 41);
    assert.ok(cluster.sent.filter((message) => kindOf(message) === 'snapshot' && !message.isReply).length > 3);
  });
});

describe('§8 clients', () => {
  test('a new leader begins its term with an entry of its own that says nothing', async () => {
    const cluster = await clusterWith({ n1: [1, 1], n2: [1], n3: [] });
    await cluster.elect(cluster.member('n1'));
    const { log } = cluster.raft('n1');
    assert.deepEqual([log.lastTerm, log.at(3).payload.length], [2, 0]);
  });

  test('whoever is asked, a command reaches the leader', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [] });
    await cluster.elect(cluster.member('n2'));
    await cluster.settle();
    for (const { name, up } of cluster.all) up.propose(Buffer.from(`by ${name}`), Infinity, () => {});
    await cluster.settle();
    for (const { applied } of cluster.all) assert.deepEqual([...applied].sort(), ['by n1', 'by n2', 'by n3']);
  });

  test('a read is answered when a majority has said again who leads, and with nothing less', async () => {
    const cluster = await clusterWith({ n1: [], n2: [], n3: [], n4: [], n5: [] });
    await cluster.elect(cluster.member('n1'));
    await cluster.settle();
    let answer: LogIndex | null | undefined;
    cluster.member('n1').up.readIndex(Infinity, (index) => (answer = index));
    await cluster.drain();
    assert.equal(answer, undefined);
    await cluster.deliverAll(({ call }) => call.to === cluster.member('n2'));
    assert.equal(answer, undefined);
    await cluster.deliverAll(({ call }) => call.to === cluster.member('n3'));
    assert.equal(answer, 1);
  });
});
