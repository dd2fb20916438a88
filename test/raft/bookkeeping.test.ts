import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OverloadedError } from '../../src/raft/errors.js';
import { ForwardedSequences, REMEMBERED_SEQUENCES } from '../../src/raft/forwarded-sequences.js';
import type { LogIndex, MemberId } from '../../src/raft/messages.js';
import { MAX_WAITING_BYTES, MAX_WAITING_REQUESTS, Outbox, type ProposalOutcome } from '../../src/raft/outbox.js';
import { MAX_INFLIGHT_APPENDS, Progress } from '../../src/raft/progress.js';
import { hasQuorum, majorityOf, quorumReached } from '../../src/raft/quorum.js';
import { MAX_READ_ROUNDS, MAX_WAITING_READS, ReadRounds } from '../../src/raft/read-rounds.js';

describe('quorum', () => {
  test('a majority is more than half: of 1 to 7 members', () => {
    assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(majorityOf), [1, 2, 2, 3, 3, 4, 4]);
  });

  test('what a majority has reached is reached by so many, and by no majority beyond', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }), (reached) => {
        const voters = reached.map((_, position) => BigInt(position + 1));
        const of = (voter: MemberId): number => reached[Number(voter) - 1] ?? 0;
        const value = quorumReached(voters, of);
        assert.ok(hasQuorum(voters, (voter) => of(voter) >= value));
        assert.ok(!hasQuorum(voters, (voter) => of(voter) > value));
      }),
    );
  });

  test('any two majorities of the same members share one', () => {
    const voters = [1n, 2n, 3n, 4n, 5n, 6n];
    fc.assert(
      fc.property(fc.subarray(voters), fc.subarray(voters), (a, b) => {
        if (!hasQuorum(voters, (voter) => a.includes(voter)) || !hasQuorum(voters, (voter) => b.includes(voter)))
          return;
        assert.ok(a.some((voter) => b.includes(voter)));
      }),
    );
  });
});

describe('progress', () => {
  test('match only rises and stays below next, whatever comes in which order (C14)', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('match' as const), index: fc.nat(30) }),
      fc.record({ kind: fc.constant('probe' as const), index: fc.nat(30) }),
      fc.record({ kind: fc.constant('sent' as const), index: fc.nat(5) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const progress = new Progress(10, 0);
        for (const { kind, index } of steps) {
          const before = progress.matchIndex;
          if (kind === 'match') progress.raiseMatch(index);
          else if (kind === 'probe') progress.backToProbe(index);
          else progress.nextIndex += index;
          assert.ok(progress.matchIndex >= before && progress.matchIndex < progress.nextIndex);
        }
      }),
    );
  });

  test('a probe is one message, a proven peer has a window, and a snapshot stops both', () => {
    const progress = new Progress(1, 0);
    assert.equal(progress.isPaused, false);
    progress.inflight = 1;
    assert.equal(progress.isPaused, true);
    progress.mode = 'replicate';
    assert.equal(progress.isPaused, false);
    progress.inflight = MAX_INFLIGHT_APPENDS;
    assert.equal(progress.isPaused, true);
    progress.inflight = 0;
    progress.mode = 'snapshot';
    assert.equal(progress.isPaused, true);
  });
});

describe('read rounds', () => {
  const heard = (rounds: ReadRounds, name: string, into: string[]): void =>
    rounds.add((index) => into.push(`${name} ${index}`));

  test('a round serves what waited when it began, with the index of that moment', () => {
    const rounds = new ReadRounds();
    const answers: string[] = [];
    heard(rounds, 'a', answers);
    heard(rounds, 'b', answers);
    rounds.begin(7);
    heard(rounds, 'c', answers);
    rounds.begin(9);
    rounds.confirm(1);
    assert.deepEqual(answers, ['a 7', 'b 7']);
    rounds.confirm(2);
    assert.deepEqual(answers, ['a 7', 'b 7', 'c 9']);
  });

  test('an answer for a later round confirms the earlier ones; an old answer confirms nothing (C28)', () => {
    const rounds = new ReadRounds();
    const answers: string[] = [];
    heard(rounds, 'a', answers);
    rounds.begin(1);
    heard(rounds, 'b', answers);
    rounds.begin(2);
    rounds.confirm(0);
    assert.deepEqual(answers, []);
    rounds.confirm(2);
    assert.deepEqual(answers, ['a 1', 'b 2']);
    rounds.confirm(2);
    assert.equal(answers.length, 2);
  });

  test('only so many rounds are under way, and one that ends makes room', () => {
    const rounds = new ReadRounds();
    for (let count = 0; count < MAX_READ_ROUNDS; count++) {
      assert.equal(rounds.hasRoom, true);
      heard(rounds, 'a', []);
      rounds.begin(1);
    }
    assert.equal(rounds.hasRoom, false);
    rounds.confirm(1);
    assert.equal(rounds.hasRoom, true);
  });

  test('when leadership is lost every read is told, and numbers begin anew', () => {
    const rounds = new ReadRounds();
    const answers: string[] = [];
    heard(rounds, 'under way', answers);
    rounds.begin(5);
    heard(rounds, 'waiting', answers);
    rounds.failAll();
    assert.deepEqual(answers, ['under way null', 'waiting null']);
    assert.deepEqual([rounds.current, rounds.isWanted, rounds.hasRoom], [0, false, true]);
    heard(rounds, 'of the next life', answers);
    rounds.begin(6);
    rounds.confirm(1);
    assert.equal(answers.at(-1), 'of the next life 6');
  });

  test('a read beyond the bound is told so at once', () => {
    const rounds = new ReadRounds();
    const answers: string[] = [];
    for (let count = 0; count < MAX_WAITING_READS; count++) rounds.add(() => {});
    heard(rounds, 'one too many', answers);
    assert.deepEqual(answers, ['one too many null']);
  });
});

describe('forwarded sequences', () => {
  test('an outcome is remembered for its origin and boot alone, refusals too (C48)', () => {
    const sequences = new ForwardedSequences();
    sequences.remember(2n, 10, 1, 7);
    sequences.remember(2n, 10, 2, 0);
    assert.deepEqual(
      [1, 2, 3].map((sequence) => sequences.outcomeOf(2n, 10, sequence)),
      [7, 0, null],
    );
    assert.equal(sequences.outcomeOf(2n, 11, 1), null);
    assert.equal(sequences.outcomeOf(3n, 10, 1), null);
    sequences.clear();
    assert.equal(sequences.outcomeOf(2n, 10, 1), null);
  });

  test('what is forgotten is said to be so, and not taken for new', () => {
    const sequences = new ForwardedSequences();
    const last = REMEMBERED_SEQUENCES + 1;
    // Shuffled: arrival order must not matter.
    for (let count = 0; count < last; count++) sequences.remember(2n, 1, ((count * 7919) % last) + 1, count + 1);
    const oldest: LogIndex | null | 'forgotten' = sequences.outcomeOf(2n, 1, 1);
    assert.equal(oldest, 'forgotten');
    assert.equal(typeof sequences.outcomeOf(2n, 1, last), 'number');
    assert.equal(sequences.outcomeOf(2n, 1, last + 1), null);
    assert.equal(sequences.outcomeOf(2n, 1, REMEMBERED_SEQUENCES / 2), 'forgotten');
    assert.equal(typeof sequences.outcomeOf(2n, 1, REMEMBERED_SEQUENCES / 2 + 1), 'number');
  });
});

describe('outbox', () => {
  function proposal(into: ProposalOutcome[], deadline = Infinity, bytes = 1) {
    return { payload: Buffer.alloc(bytes), deadline, done: (outcome: ProposalOutcome) => into.push(outcome) };
  }

  test('gives up what nobody waits for any more, and keeps the order of the rest', () => {
    const outbox = new Outbox();
    const outcomes: ProposalOutcome[] = [];
    const reads: (LogIndex | null)[] = [];
    for (const deadline of [10, 30, 20, 40]) outbox.addProposal(proposal(outcomes, deadline));
    outbox.addRead({ deadline: 10, done: (index) => reads.push(index) });
    outbox.addRead({ deadline: 30, done: (index) => reads.push(index) });
    outbox.expire(20);
    assert.equal(outcomes.length, 2);
    assert.deepEqual(reads, [null]);
    assert.deepEqual(
      outbox.takeProposals().map(({ deadline }) => deadline),
      [30, 40],
    );
    assert.equal(outbox.takeReads().length, 1);
    assert.equal(outbox.isEmpty, true);
  });

  test('takes so many requests and no more; the rest are refused at once', () => {
    const outbox = new Outbox();
    const outcomes: ProposalOutcome[] = [];
    const reads: (LogIndex | null)[] = [];
    for (let count = 0; count <= MAX_WAITING_REQUESTS; count++) {
      outbox.addProposal(proposal(outcomes));
      outbox.addRead({ deadline: Infinity, done: (index) => reads.push(index) });
    }
    assert.deepEqual(reads, [null]);
    assert.equal(outcomes.length, 1);
    assert.ok(outcomes[0]?.kind === 'refused' && outcomes[0].error instanceof OverloadedError);
  });

  test('takes so many bytes and no more', () => {
    const outbox = new Outbox();
    const outcomes: ProposalOutcome[] = [];
    outbox.addProposal(proposal(outcomes, Infinity, MAX_WAITING_BYTES));
    assert.equal(outcomes.length, 0);
    outbox.addProposal(proposal(outcomes));
    assert.equal(outcomes.length, 1);
    outbox.takeProposals();
    outbox.addProposal(proposal(outcomes));
    assert.equal(outcomes.length, 1, 'there is room again');
  });

  test('at the end everybody is told, once', () => {
    const outbox = new Outbox();
    const outcomes: ProposalOutcome[] = [];
    const reads: (LogIndex | null)[] = [];
    outbox.addProposal(proposal(outcomes));
    outbox.addRead({ deadline: Infinity, done: (index) => reads.push(index) });
    outbox.failAll();
    outbox.failAll();
    assert.deepEqual([outcomes.map(({ kind }) => kind), reads], [['refused'], [null]]);
  });
});
