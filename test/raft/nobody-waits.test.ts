import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_APPLY_BATCH } from '../../src/raft/activities/applier.js';
import { MAX_INFLIGHT_APPENDS } from '../../src/raft/progress.js';
import { MAX_READ_ROUNDS } from '../../src/raft/read-rounds.js';
import { Cluster } from './support/cluster.js';
import { kindOf } from './support/describe.js';

// No lock is held while somebody else takes their time: a state machine, a disk, a peer.

async function clusterLedBy(name: string, size = 3, options = {}): Promise<Cluster> {
  const cluster = new Cluster(
    Array.from({ length: size }, (_, position) => `n${position + 1}`),
    options,
  );
  await cluster.start();
  await cluster.elect(cluster.member(name));
  await cluster.settle();
  return cluster;
}

test('a state machine whose apply never ends stops neither replication nor heartbeats nor elections', async () => {
  const cluster = await clusterLedBy('n1');
  for (const { volume } of cluster.all) volume.applying.isHeld = true;
  for (let count = 0; count < 20; count++) {
    cluster.member('n1').up.propose(Buffer.from(`c${count}`), Infinity, () => {});
    await cluster.run(10);
  }
  await cluster.run(200);
  for (const { name, up } of cluster.all) assert.deepEqual([up.raft.commitIndex, up.raft.lastApplied], [21, 1], name);

  await cluster.run(10_000);
  assert.deepEqual([cluster.raft('n1').role, cluster.raft('n1').currentTerm], ['leader', 1], 'heartbeats went on');

  cluster.crash(cluster.member('n1'));
  await cluster.run(5000);
  const successor = cluster.all.find(({ raft }) => raft?.role === 'leader');
  assert.ok(successor, 'an election was held');
  successor.up.propose(Buffer.from('of the new term'), Infinity, () => {});
  await cluster.run(200);
  assert.deepEqual([successor.up.raft.commitIndex, successor.up.raft.lastApplied], [23, 1]);

  for (const { volume } of cluster.all) volume.applying.release();
  await cluster.start(cluster.member('n1'));
  await cluster.settle();
  for (const { applied } of cluster.all) assert.equal(applied.length, 21);
});

test('the applier hands over bounded batches, in order', async () => {
  const cluster = await clusterLedBy('n1', 1);
  const { machine } = cluster.member('n1');
  assert.ok(machine);
  const sizes: number[] = [];
  const apply = machine.apply.bind(machine);
  machine.apply = (entries) => {
    sizes.push(entries.length);
    return apply(entries);
  };
  for (let count = 0; count < 2 * MAX_APPLY_BATCH + 5; count++)
    cluster.member('n1').up.propose(Buffer.from(`c${count}`), Infinity, () => {});
  await cluster.settle();
  assert.deepEqual(sizes, [MAX_APPLY_BATCH, MAX_APPLY_BATCH, 5]);
});

test('a peer that answers nothing delays no commit, and is not buried in messages', async () => {
  const cluster = await clusterLedBy('n1', 3, { maxAppendBytes: 1 });
  const [n1, n2, n3] = cluster.all;
  assert.ok(n1 && n2 && n3);
  const silent = ({ call }: { call: { to: unknown } }): boolean => call.to === n3;
  for (let count = 0; count < 100; count++) {
    n1.up.propose(Buffer.from(`c${count}`), Infinity, () => {});
    await cluster.drain();
    await cluster.deliverAll((message) => !silent(message));
    assert.equal(n1.raft?.commitIndex, count + 2, 'committed by n1 and n2, in no time');
  }
  const waiting = cluster.network.messages.filter((message) => silent(message) && kindOf(message) === 'append');
  assert.equal(waiting.length, MAX_INFLIGHT_APPENDS);
});

test('a follower whose disk stands still is heard all the same, and the leader leads on', async () => {
  const cluster = await clusterLedBy('n1');
  cluster.crash(cluster.member('n3'));
  cluster.member('n2').disk.isHolding = true;
  cluster.member('n1').up.propose(Buffer.from('x'), Infinity, () => {});
  await cluster.run(10_000);
  assert.deepEqual([cluster.raft('n1').role, cluster.raft('n1').commitIndex], ['leader', 1]);
  cluster.member('n2').disk.isHolding = false;
  cluster.member('n2').disk.complete();
  await cluster.run(2000);
  assert.equal(cluster.raft('n1').commitIndex, 2);
});

test('reads without number share a handful of rounds', async () => {
  const cluster = await clusterLedBy('n1');
  let answered = 0;
  for (let count = 0; count < 1000; count++) {
    cluster.member('n1').up.readIndex(Infinity, () => answered++);
    await cluster.drain();
  }
  const beats = cluster.network.messages.filter((message) => message.to === cluster.member('n2'));
  assert.equal(beats.length, MAX_READ_ROUNDS);
  await cluster.deliverAll();
  assert.equal(answered, 1000);
});

test('proposals of one turn share one write, one message per peer', async () => {
  const cluster = await clusterLedBy('n1');
  const { disk, up } = cluster.member('n1');
  disk.isHolding = true;
  for (let count = 0; count < 50; count++) up.propose(Buffer.from(`c${count}`), Infinity, () => {});
  await cluster.drain();
  assert.equal(disk.pending.length, 1);
  assert.equal(cluster.network.messages.length, 2);
});

test('reads that no leader can confirm end with their deadlines, also at a leader that may not answer yet', async () => {
  const cluster = new Cluster(['n1', 'n2', 'n3']);
  await cluster.start();
  await cluster.elect(cluster.member('n1'));
  let answer: number | null | undefined;
  cluster.member('n1').up.readIndex(cluster.member('n1').now() + 200, (index) => (answer = index));
  await cluster.advance(300);
  assert.equal(answer, null);
});
