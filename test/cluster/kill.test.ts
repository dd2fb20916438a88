import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { firstAcknowledgedWrite } from '../bench/failover.js';
import { assertMembersEqual, assertNothingLost } from './content.js';
import { Cluster, type MemberProcess } from './harness.js';
import { electionTimeoutMs, program, TEST_TIMEOUT_MS } from './program.js';
import { Writers } from './writers.js';

const WRITERS = 8;
const LEADER_KILLS = 4;
/** Three would do on a quiet machine. */
const MAX_ELECTION_TIMEOUTS = 8;

let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start({ program, members: 3, electionTimeoutMs });
});

after(() => cluster.destroy());

async function startAgain(...members: MemberProcess[]): Promise<void> {
  for (const member of members) member.start();
  await cluster.ready();
}

test(
  'no acknowledged write is lost when the leader is killed, and writes go on soon',
  { timeout: TEST_TIMEOUT_MS },
  async (t) => {
    const writers = new Writers(cluster, WRITERS);
    t.after(() => writers.stop());
    const elapsed: number[] = [];
    for (let i = 0; i < LEADER_KILLS; i++) {
      await writers.progress(200);
      const leader = await cluster.leader();
      const others = cluster.members.filter((member) => member !== leader);
      const killedAt = performance.now();
      const killed = leader.kill();
      elapsed.push((await firstAcknowledgedWrite(others, killedAt)) / electionTimeoutMs);
      await killed;
      await writers.progress(50);
      await startAgain(leader);
    }
    await writers.stop();
    t.diagnostic(
      `election timeouts from the kill to the first write: ${elapsed.map((one) => one.toFixed(2)).join(', ')}`,
    );
    t.diagnostic(`${writers.acknowledged.size} of ${writers.sent.size} writes acknowledged`);
    await assertNothingLost(cluster, writers);
    await assertMembersEqual(cluster);
    assert.ok(Math.max(...elapsed) < MAX_ELECTION_TIMEOUTS, `it took ${Math.max(...elapsed)} election timeouts`);
  },
);

test(
  'writes go on while a follower is killed, and it catches up when it is back',
  { timeout: TEST_TIMEOUT_MS },
  async (t) => {
    const writers = new Writers(cluster, WRITERS);
    t.after(() => writers.stop());
    for (const follower of await cluster.followers()) {
      await writers.progress(100);
      await follower.kill();
      await writers.progress(300);
      await startAgain(follower);
    }
    await writers.stop();
    await assertNothingLost(cluster, writers);
    await assertMembersEqual(cluster);
  },
);

test('no acknowledged write is lost when all members are killed at once', { timeout: TEST_TIMEOUT_MS }, async (t) => {
  const writers = new Writers(cluster, WRITERS);
  t.after(() => writers.stop());
  for (let i = 0; i < 2; i++) {
    await writers.progress(300);
    await Promise.all(cluster.members.map((member) => member.kill()));
    await startAgain(...cluster.members);
  }
  await writers.progress(100);
  await writers.stop();
  await assertNothingLost(cluster, writers);
  await assertMembersEqual(cluster);
});
