import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeEntry } from '../../src/raft/entry-codec.js';
import type { AppendEntriesArgs, LogIndex, RequestVoteArgs, Term } from '../../src/raft/messages.js';
import { defaultRaftOptions } from '../../src/raft/options.js';
import { handleAppendEntries } from '../../src/raft/rpc/append-entries.js';
import { handleRequestVote, onRequestVoteReply } from '../../src/raft/rpc/request-vote.js';
import { Cluster } from './support/cluster.js';
import { kindOf } from './support/describe.js';

// One test per rule of sections 5 to 8 of "In Search of an Understandable Consensus Algorithm", extended version.

const T = defaultRaftOptions.electionTimeoutMs;

function namesOf(size: number): string[] {
  return Array.from({ length: size }, (_, position) => `n${position + 1}`);
}

/** Members with logs drawn as in the paper, one term per index. */
async function clusterWith(logs: { readonly [name: string]: readonly Term[] }, options = {}): Promise<Cluster> {
  const cluster = new Cluster(Object.keys(logs), { preVote: false, ...options });
  for (const [name, terms] of Object.entries(logs)) cluster.drawLog(cluster.member(name), terms);
  await cluster.start();
  return cluster;
}

function terms(cluster: Cluster, name: string): Term[] {
  const { log } = cluster.raft(name);
  return log.between(log.firstIndex, log.lastIndex).map((entry) => entry.term);
}

function vote(args: Partial<RequestVoteArgs>): RequestVoteArgs {
  return {
    term: 1,
    candidateId: 2n,
    lastLogIndex: 0,
    lastLogTerm: 0,
    preVote: false,
    leadershipTransfer: false,
    ...args,
  };
}

function append(args: Partial<Omit<AppendEntriesArgs, 'entries'>> & { entries?: readonly [LogIndex, Term][] }) {
  const entries = (args.entries ?? []).map(([index, term]) => makeEntry(index, term, Buffer.from(`${index}@${term}`)));
  return { term: 1, leaderId: 2n, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, round: 0, ...args, entries };
}

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

/** Crashes `name`; it is given to start again. */
function restarted(cluster: Cluster, name: string) {
  const member = cluster.member(name);
  cluster.crash(member);
  return [member];
}
