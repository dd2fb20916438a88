import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransferError } from '../../src/raft/errors.js';
import type { ProposalOutcome } from '../../src/raft/outbox.js';
import { Cluster } from './support/cluster.js';
import type { Message } from './support/network.js';

async function clusterLedBy(name: string, names: readonly string[]): Promise<Cluster> {
  const cluster = new Cluster(names);
  await cluster.start();
  await cluster.elect(cluster.member(name));
  await cluster.settle();
  return cluster;
}

test('a transfer without a target goes to the peer that has most of the log', async () => {
  const cluster = await clusterLedBy('n1', ['n1', 'n2', 'n3']);
  cluster.isolate(cluster.member('n2'));
  cluster.member('n1').up.propose(Buffer.from('x'), Infinity, () => {});
  await cluster.run(100);
  cluster.heal();
  const done = cluster.member('n1').up.transferLeadership();
  await cluster.settle();
  await done;
  assert.equal(cluster.raft('n3').role, 'leader');
});

test('among equal logs a transfer goes to the peer that was heard last', async () => {
  const cluster = await clusterLedBy('n1', ['n1', 'n2', 'n3']);
  cluster.isolate(cluster.member('n2'));
  await cluster.run(200);
  const done = cluster.member('n1').up.transferLeadership();
  await cluster.settle();
  await done;
  assert.equal(cluster.raft('n3').role, 'leader');
});

test('a transfer is rejected by a follower, by a member alone, and by one that has stopped', async () => {
  const cluster = await clusterLedBy('n1', ['n1', 'n2', 'n3']);
  await assert.rejects(
    cluster.member('n2').up.transferLeadership(),
    new TransferError('this member is not the leader'),
  );
  await assert.rejects(cluster.member('n2').up.transferLeadership(3n), TransferError);
  cluster.raft('n1').stop();
  await assert.rejects(cluster.member('n1').up.transferLeadership(2n), TransferError);

  const single = await clusterLedBy('n1', ['n1']);
  await assert.rejects(
    single.member('n1').up.transferLeadership(),
    new TransferError('there is no other member to lead'),
  );
});

test('a member that stops lets go of everybody who waits for it, once', async () => {
  const cluster = await clusterLedBy('n1', ['n1', 'n2', 'n3']);
  cluster.isolate(cluster.member('n1'));
  const outcomes: ProposalOutcome[] = [];
  const reads: (number | null)[] = [];
  const { up } = cluster.member('n1');
  const transfer = up.transferLeadership(2n);
  await cluster.drain();
  up.propose(Buffer.from('waits for the end of the transfer'), Infinity, (outcome) => outcomes.push(outcome));
  up.readIndex(Infinity, (index) => reads.push(index));
  await cluster.drain();
  assert.deepEqual([outcomes.length, reads.length], [0, 0]);
  up.raft.stop();
  await transfer;
  await cluster.drain();
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['refused'],
  );
  assert.deepEqual([...reads], [null]);
  up.propose(Buffer.from('too late'), Infinity, (outcome) => outcomes.push(outcome));
  up.readIndex(Infinity, (index) => reads.push(index));
  assert.deepEqual([outcomes.length, reads.length], [2, 2]);
});

test('a member that stops while it puts a snapshot in place answers the last chunk with silence', async () => {
  const cluster = new Cluster(['n1', 'n2', 'n3']);
  for (const name of ['n1', 'n2']) cluster.drawLog(cluster.member(name), [1], { index: 3, term: 1 });
  await cluster.start();
  const lagging = cluster.member('n3');
  await cluster.elect(cluster.member('n1'));
  lagging.volume.applying.isHeld = true;
  await cluster.deliverAll(({ rpc, isReply, to }) => !(rpc === 'installSnapshot' && !isReply && to === lagging));
  const chunk = cluster.network.messages.find(({ rpc }) => rpc === 'installSnapshot');
  assert.ok(chunk);
  await cluster.deliver(chunk);
  assert.ok(lagging.up.raft.pendingInstall, 'the installation is under way');
  assert.equal(cluster.network.openCallsTo(lagging, 'installSnapshot'), 1);
  lagging.up.raft.stop();
  await cluster.drain();
  assert.equal(cluster.network.openCallsTo(lagging, 'installSnapshot'), 0);
});

test('what a client is told by way of a broken disk is silence, and the member stops', async () => {
  const cluster = await clusterLedBy('n1', ['n1', 'n2', 'n3']);
  const { disk, up } = cluster.member('n1');
  disk.isBroken = true;
  up.propose(Buffer.from('x'), Infinity, () => {});
  await cluster.drain();
  assert.ok(up.raft.stopped);
  assert.match(String(up.raft.failure), /disk is broken/);
});

test('two copies of a chunk that arrive in one turn are written once', async () => {
  const cluster = new Cluster(['n1', 'n2', 'n3']);
  for (const name of ['n1', 'n2']) cluster.drawLog(cluster.member(name), [1], { index: 3, term: 1 });
  for (const { volume } of cluster.all) volume.chunkBytes = 20;
  await cluster.start();
  await cluster.elect(cluster.member('n1'));
  const chunks = (): Message[] =>
    cluster.network.messages.filter(({ rpc, isReply }) => rpc === 'installSnapshot' && !isReply);
  for (let passed = 0; passed < 2000; passed += 100) {
    await cluster.deliverAll((message) => !chunks().includes(message));
    for (const message of chunks()) cluster.network.duplicate(message);
    for (const message of chunks()) cluster.network.deliver(message);
    await cluster.advance(100);
  }
  assert.deepEqual(cluster.member('n3').applied, ['(through 3)', '4@1']);
});
