import { MemberError } from '../../../src/member/errors.js';
import { type Mistake, override } from './mistake.js';
import { handovers } from './profiles.js';

/** Mistakes about reads, and about what clients are told. */
export const serviceMistakes: readonly Mistake[] = [
  {
    name: 'serves a read without asking a majority',
    row: 'C19',
    profile: handovers,
    seenBy: ['LIN', 'REV'],
    member(member) {
      const { readRounds } = member.node.raft;
      override(readRounds, 'begin', (original) => (commitIndex) => {
        original(commitIndex);
        readRounds.confirm(readRounds.current);
      });
    },
  },
  {
    name: 'a new leader serves reads before it has committed anything',
    row: 'C27',
    seenBy: ['LIN', 'REV'],
    member: (member) => override(member.node.raft, 'hasCommittedInTerm', () => () => true),
  },
  {
    name: 'a follower reads before it has applied what the leader said',
    row: 'C30',
    seenBy: ['LIN', 'REV'],
    member(member) {
      override(member.node, 'readIndex', (original) => (deadline, done) => {
        original(deadline, (readIndex) => done(readIndex === null ? null : 0));
      });
    },
  },
  {
    name: 'a follower reads without asking the leader',
    row: 'C30',
    seenBy: ['LIN', 'REV'],
    member(member) {
      const { node, state } = member;
      override(node, 'readIndex', () => (_deadline, done) => done(state.lastApplied));
    },
  },
  {
    name: 'tells a client that its write is not done when it does not know',
    row: 'X01',
    seenBy: ['ONCE'],
    member(member) {
      override(member, 'propose', (original) => (kind, request, done) => {
        let isOver = false;
        original(kind, request, (error, result) => {
          if (!isOver) done(error, result);
          isOver = true;
        });
        // Impatient, and sure of itself.
        void member.clock.sleep(100).then(() => {
          if (!isOver) done(new MemberError('MEMBER_NO_LEADER', 'no leader'));
          isOver = true;
        });
      });
    },
  },
  {
    name: 'applies an entry without its command',
    row: 'M03',
    seenBy: ['DET', 'REV', 'ONCE', 'LIN', 'SMS', 'LIVE'],
    member(member) {
      const { kv } = member.state;
      let applied = 0;
      override(kv, 'apply', (original) => (index, term, command) => {
        if (++applied % 50 !== 0) return original(index, term, command);
        kv.applyNoop(index, term);
        return { revision: kv.revision, body: Buffer.alloc(0) };
      });
    },
  },
  {
    name: 'the state depends on the member that holds it',
    row: 'M01',
    seenBy: ['DET', 'REV', 'LIN'],
    member(member) {
      const { kv } = member.state;
      override(kv, 'apply', (original) => (index, term, command) => {
        const isOdd = member.memberId % 2n === 1n && index % 20 === 0;
        if (!isOdd) return original(index, term, command);
        const request = Buffer.from(command.request);
        const tail = request.subarray(0, 4);
        return original(index, term, { ...command, request: tail.length < 4 ? request : flipValue(request) });
      });
    },
  },
];

/** Changes one letter of the value in a request, if there is one; its shape stays. */
function flipValue(request: Buffer): Buffer {
  const at = request.indexOf('-');
  if (at > 0) request[at] = '+'.charCodeAt(0);
  return request;
}
