import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from './simulation.js';

test('three members elect a leader, and all take writes', async () => {
  const sim = Simulation.scripted({ seed: 1, members: 3 });
  await sim.electAny();
  for (const machine of sim.members) await sim.put(machine, 'color', machine.name);
  await sim.settle();
  assert.equal(sim.value('color'), 'm3');
});

test('a single member needs nobody', async () => {
  const sim = Simulation.scripted({ seed: 1, members: 1 });
  const leader = await sim.electAny();
  await sim.put(leader, 'color', 'red');
  await sim.settle();
  assert.equal(sim.value('color'), 'red');
});

// A cut-off leader goes on accepting proposals it can never commit. Hearing the new term it must drop them, and say so
// to whoever is waiting.
test('a deposed leader gives up the proposals it lost (§5.3)', async () => {
  const sim = Simulation.scripted({ seed: 7, members: 3 });
  const deposed = await sim.electAny();
  sim.isolate(deposed);
  const lost = sim.propose(deposed, { kind: 'put', key: 'color', value: 'red' });
  const successor = await sim.electAny({ except: deposed });
  await sim.put(successor, 'color', 'blue');
  sim.heal();
  await sim.settle();
  await assert.rejects(lost, { code: 'MEMBER_LEADER_CHANGED' });
  assert.equal(sim.value('color'), 'blue');
});

test('what was acknowledged is there after all members lost power at once (S20)', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const sim = Simulation.scripted({ seed, members: 3 });
    const leader = await sim.electAny();
    await sim.put(leader, 'color', 'red');
    for (const machine of sim.members) sim.cluster.crash(machine, 'power');
    await sim.electAny();
    await sim.settle();
    assert.equal(sim.value('color'), 'red');
  }
});

test('a member that missed more than the log still holds is brought up to date with a snapshot (§7)', async () => {
  const { raft } = Simulation.scripted({ seed: 3, members: 3 }).profile;
  const sim = Simulation.scripted({
    seed: 3,
    members: 3,
    profile: { raft: { ...raft, snapshotCount: 5, snapshotCatchupEntries: 0 } },
  });
  const leader = await sim.electAny();
  const behind = sim.members.find((machine) => machine !== leader) ?? leader;
  sim.cluster.crash(behind, 'power');
  for (let count = 0; count < 30; count++) await sim.put(leader, `k${count % 3}`, `${count}`);
  await sim.pass(2_000);
  sim.bootAll();
  await sim.settle();
  assert.ok(sim.member(behind).node.raft.log.marker.index > 20);
  assert.equal(sim.member(behind).revision, sim.member(leader).revision);
});

test('a minority that lost its link to the leader does not depose it when it comes back (C21)', async () => {
  const sim = Simulation.scripted({ seed: 5, members: 5 });
  const leader = await sim.electAny();
  const away = sim.members.find((machine) => machine !== leader) ?? leader;
  const { term } = sim.member(leader);
  sim.isolate(away);
  await sim.pass(10_000);
  sim.heal();
  await sim.settle();
  await sim.pass(3_000);
  assert.equal(sim.member(leader).term, term);
  assert.equal(sim.cluster.leader, leader);
});
