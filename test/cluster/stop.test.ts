import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { methods } from '../wire/etcd-messages.js';
import { assertMembersEqual, assertNothingLost, contentOf } from './content.js';
import { callOnce, Cluster, MemberProcess } from './harness.js';
import { electionTimeoutMs, program, TEST_TIMEOUT_MS } from './program.js';
import { Writers } from './writers.js';

let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start({ program, members: 3, electionTimeoutMs });
});

after(() => cluster.destroy());

/** etcd ends itself by the signal it was sent. */
const ORDERLY = program === 'etcd' ? 'SIGTERM' : 0;

test(
  'a rolling restart under load: each member ends with code 0 on SIGTERM, and no write is lost',
  { timeout: TEST_TIMEOUT_MS },
  async (t) => {
    const writers = new Writers(cluster, 8);
    t.after(() => writers.stop());
    for (const member of cluster.members) {
      await writers.progress(200);
      assert.equal(await member.terminate(), ORDERLY, member.log);
      await writers.progress(50);
      member.start();
      await cluster.ready();
    }
    await writers.stop();
    await assertNothingLost(cluster, writers);
    await assertMembersEqual(cluster);
  },
);

test(
  'a cluster that was stopped in order comes back with the same keys and revisions',
  { timeout: TEST_TIMEOUT_MS },
  async () => {
    await callOnce(cluster.members[0]?.clientPort ?? 0, methods.put, { key: 'kept', value: 'over the restart' });
    const before = await contentOf(cluster.members[0] as MemberProcess);
    const endings = await Promise.all(cluster.members.map((member) => member.terminate()));
    assert.deepEqual(endings, [ORDERLY, ORDERLY, ORDERLY]);
    for (const member of cluster.members) member.start();
    await cluster.ready();
    for (const member of cluster.members) assert.deepEqual(await contentOf(member), before);
  },
);

const onlyOurs = { timeout: TEST_TIMEOUT_MS, skip: program === 'etcd' && 'etcd waits for ever instead' };

test('a second process on the same data directory is refused and disturbs nothing', onlyOurs, async () => {
  const [member] = cluster.members as [MemberProcess];
  const second = new MemberProcess(member.name, member.clientPort, member.dataDir, program, member.args);
  second.start();
  const ending = await second.ended();
  assert.notEqual(ending, 0);
  assert.match(second.log, /lock|in use|already/i);
  assert.ok(member.isRunning);
  await callOnce(member.clientPort, methods.put, { key: 'still', value: 'here' });
});
