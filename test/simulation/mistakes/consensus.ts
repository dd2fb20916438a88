import type { Member } from '../../../src/member/member.js';
import type { Raft } from '../../../src/raft/raft.js';
import { quorumReached } from '../../../src/raft/quorum.js';
import type { AppendEntriesArgs } from '../../../src/raft/messages.js';
import { type Mistake, override } from './mistake.js';
import { fallingLeaders, lateVotes } from './profiles.js';

const raftOf = (member: Member): Raft => member.node.raft;

/** Lets a mistaken member treat AppendEntries before (or after) the real receiver does. */
function aroundAppendEntries(
  member: Member,
  around: (raft: Raft, args: AppendEntriesArgs) => { readonly args?: AppendEntriesArgs; readonly after?: () => void },
): void {
  const raft = raftOf(member);
  override(member.node.peerHandler, 'appendEntries', (original) => (args) => {
    const changed = around(raft, args);
    const answer = original(changed.args ?? args);
    if (!raft.stopped && changed.after) raft.guard(changed.after);
    return answer;
  });
}

/** Mistakes about elections, the log and what is committed. */
export const consensusMistakes: readonly Mistake[] = [
  {
    name: 'commits an entry of an earlier term by counting its copies (Figure 8)',
    row: 'C01',
    profile: fallingLeaders,
    seenBy: ['LC', 'SMS', 'STOP'],
    member(member) {
      const raft = raftOf(member);
      override(raft, 'advanceCommitIndex', () => () => {
        if (raft.role !== 'leader') return;
        const matched = quorumReached(raft.configuration.voters, (voter) =>
          voter === raft.id ? raft.savedIndex : (raft.progress.get(voter)?.matchIndex ?? 0),
        );
        if (matched > raft.commitIndex) raft.raiseCommitIndex(matched);
      });
    },
  },
  {
    name: "a follower commits through its own last entry, not through what the leader's message proved",
    row: 'C02',
    seenBy: ['SMS', 'DUR', 'STOP'],
    member(member) {
      aroundAppendEntries(member, (raft, args) => ({
        after: () => {
          if (args.term === raft.currentTerm) raft.raiseCommitIndex(Math.min(args.leaderCommit, raft.log.lastIndex));
        },
      }));
    },
  },
  {
    name: 'a late message truncates what followed it',
    row: 'C03',
    seenBy: ['DUR', 'LC', 'SMS', 'STOP', 'ORDER'],
    member(member) {
      aroundAppendEntries(member, (raft, args) => ({
        after: () => {
          const end = args.prevLogIndex + args.entries.length;
          const isOurs = args.entries.length > 0 && args.term === raft.currentTerm && end > raft.commitIndex;
          if (isOurs && raft.log.termAt(end) === args.entries.at(-1)?.term && end < raft.log.lastIndex) {
            raft.truncateFrom(end + 1);
          }
        },
      }));
    },
  },
  {
    name: 'does not remember in a term whom it has voted for',
    row: 'C17',
    profile: lateVotes,
    seenBy: ['VOTE', 'ES', 'DUR', 'STOP'],
    member(member) {
      const raft = raftOf(member);
      override(member.node.peerHandler, 'requestVote', (original) => (args) => {
        if (raft.role === 'follower') raft.votedFor = null;
        return original(args);
      });
    },
  },
  {
    name: 'grants a vote to a candidate with a shorter log of an older term',
    row: 'C08',
    seenBy: ['LC', 'SMS', 'STOP'],
    member: (member) => override(raftOf(member).log, 'isUpToDate', () => () => true),
  },
  {
    name: 'compares the lengths of logs, not their last terms',
    row: 'C08',
    profile: fallingLeaders,
    seenBy: ['LC', 'SMS', 'STOP'],
    member(member) {
      const { log } = raftOf(member);
      override(log, 'isUpToDate', () => (_term, lastLogIndex) => lastLogIndex >= log.lastIndex);
    },
  },
  {
    name: 'counts the votes of an earlier campaign',
    row: 'C09',
    seenBy: ['ES', 'STOP'],
    member: (member) => override(raftOf(member).votes, 'clear', () => () => undefined),
  },
  {
    name: 'takes a message of an older term for one of the current term',
    row: 'C47',
    seenBy: ['LM', 'ES', 'LC', 'SMS', 'STOP', 'DUR'],
    member(member) {
      aroundAppendEntries(member, (raft, args) => ({ args: { ...args, term: Math.max(args.term, raft.currentTerm) } }));
    },
  },
  {
    name: 'believes that a peer holds what was sent last, whichever message it answers',
    row: 'C14',
    // What the leader believes a peer to hold it never sends: either it commits too early, or that peer stays behind.
    seenBy: ['DUR', 'LIVE'],
    member(member) {
      const raft = raftOf(member);
      override(raft.ports.transport, 'appendEntries', (original) => async (peer, args) => {
        const reply = await original(peer, args);
        const progress = raft.progress.get(peer);
        if (reply?.success && raft.role === 'leader' && progress && args.entries.length > 0) {
          progress.raiseMatch(Math.min(raft.log.lastIndex, progress.nextIndex + 1));
        }
        return reply;
      });
    },
  },
  {
    name: 'a leader that steps down truncates what it had not committed',
    row: 'C46',
    seenBy: ['LAO', 'DUR', 'LC', 'ORDER', 'SMS', 'STOP'],
    member(member) {
      const raft = raftOf(member);
      override(raft, 'becomeFollower', (original) => (term, leaderId) => {
        const wasLeader = raft.role === 'leader';
        original(term, leaderId);
        if (wasLeader && raft.log.lastIndex > raft.commitIndex) raft.truncateFrom(raft.commitIndex + 1);
      });
    },
  },
  {
    name: 'appends a forwarded command again when the network delivers it twice',
    row: 'C48',
    seenBy: ['ONCE'],
    profile: { network: { meanDelayMs: 5, loss: 0.01, duplication: 0.1, replay: 0.1, reorder: 0.01 } },
    member: (member) => override(raftOf(member).forwardedSequences, 'outcomeOf', () => () => null),
  },
];
