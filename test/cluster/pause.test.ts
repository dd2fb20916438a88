import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { methods } from '../wire/etcd-messages.js';
import { GrpcConnection, messagesOf } from '../wire/grpc-connection.js';
import { decode, encode, type Decoded } from '../wire/protobuf.js';
import { firstAcknowledgedWrite } from '../bench/failover.js';
import { assertMembersEqual, assertNothingLost } from './content.js';
import { callOnce, Cluster } from './harness.js';
import { electionTimeoutMs, program, TEST_TIMEOUT_MS } from './program.js';
import { Writers } from './writers.js';

let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start({ program, members: 3, electionTimeoutMs });
});

after(() => cluster.destroy());

test(
  'a leader that stood still for longer than the election timeout has lost nothing and does no harm',
  { timeout: TEST_TIMEOUT_MS },
  async (t) => {
    const writers = new Writers(cluster, 8);
    t.after(() => writers.stop());
    for (let i = 0; i < 3; i++) {
      await writers.progress(200);
      const leader = await cluster.leader();
      const others = cluster.members.filter((member) => member !== leader);
      leader.pause();
      await firstAcknowledgedWrite(others, performance.now());
      await sleep(electionTimeoutMs);
      leader.resume();
      await cluster.ready();
    }
    await writers.progress(200);
    await writers.stop();
    await assertNothingLost(cluster, writers);
    await assertMembersEqual(cluster);
  },
);

test(
  'a leader that wakes up does not answer a linearizable read from its past',
  { timeout: TEST_TIMEOUT_MS },
  async () => {
    for (let i = 0; i < 3; i++) {
      const leader = await cluster.leader();
      const others = cluster.members.filter((member) => member !== leader);
      const connection = await GrpcConnection.open('127.0.0.1', leader.clientPort);
      await callOnce(leader.clientPort, methods.put, { key: 'seen', value: `before pause ${i}` });
      leader.pause();
      await firstAcknowledgedWrite(others, performance.now());
      await callOnce(others[0]?.clientPort ?? 0, methods.put, { key: 'seen', value: `during pause ${i}` });
      // The reads wait in the socket: they are the first thing the member sees when it wakes.
      const reads = Array.from({ length: 20 }, () =>
        connection.call(methods.range.path, encode(methods.range.request, { key: 'seen' })),
      );
      leader.resume();
      for (const reply of await Promise.all(reads)) {
        if (reply.status !== 0) continue; // it may refuse; it may not be wrong
        const [message = Buffer.alloc(0)] = messagesOf(reply.body);
        const [kv] = (decode(methods.range.response, message)['kvs'] ?? []) as Decoded[];
        assert.equal(String((kv?.['value'] ?? '') as Buffer), `during pause ${i}`);
      }
      connection.close();
      await cluster.ready();
    }
  },
);
