import type {
  AppendEntriesArgs,
  Entry,
  ForwardProposalsArgs,
  ForwardProposalsReply,
  InstallSnapshotArgs,
  InstallSnapshotReply,
  RequestVoteArgs,
} from '../../../src/raft/messages.js';
import type { AppendEntriesReply, ReadIndexReply, RequestVoteReply } from '../../../src/raft/messages.js';
import { rpcCodecs } from '../../../src/transport/rpcs.js';
import type { Cluster } from './cluster.js';
import type { Member } from './member.js';
import type { Message } from './network.js';

export type Kind = 'vote' | 'prevote' | 'append' | 'heartbeat' | 'snapshot' | 'timeoutNow' | 'forward' | 'readIndex';

/** What a script calls a message, request or reply. */
export function kindOf({ rpc, call }: Message): Kind {
  const args: unknown = call.args;
  if (rpc === 'requestVote') return (args as RequestVoteArgs).preVote ? 'prevote' : 'vote';
  if (rpc === 'appendEntries') return (args as AppendEntriesArgs).entries.length > 0 ? 'append' : 'heartbeat';
  if (rpc === 'installSnapshot') return 'snapshot';
  if (rpc === 'forwardProposals') return 'forward';
  return rpc;
}

/** One line: who to whom, what kind, and what it says. `index@term` is a position in a log. */
export function describeMessage(message: Message): string {
  const { from, to, rpc, isReply, bytes } = message;
  const codec = rpcCodecs[rpc];
  const content = (isReply ? codec.reply : codec.args).decode(Buffer.from(bytes));
  const words = isReply ? wordsOfReply(rpc, content as never) : wordsOfArgs(rpc, content as never);
  const link = `${(from as Member).name}->${(to as Member).name}`;
  return `${link} ${kindOf(message)}${isReply ? ' reply' : ''} term=${(content as { term: number }).term}${words}`;
}

function wordsOfArgs(rpc: Message['rpc'], args: never): string {
  if (rpc === 'requestVote') {
    const { lastLogIndex, lastLogTerm, leadershipTransfer } = args as RequestVoteArgs;
    return ` last=${lastLogIndex}@${lastLogTerm}${leadershipTransfer ? ' transfer' : ''}`;
  }
  if (rpc === 'appendEntries') {
    const { prevLogIndex, prevLogTerm, entries, leaderCommit, round } = args as AppendEntriesArgs;
    const carried = entries.length > 0 ? ` entries=${positions(entries)}` : '';
    return ` prev=${prevLogIndex}@${prevLogTerm}${carried} commit=${leaderCommit}${round > 0 ? ` round=${round}` : ''}`;
  }
  if (rpc === 'installSnapshot') {
    const { snapshot, offset, data, done } = args as InstallSnapshotArgs;
    return ` through=${snapshot.index}@${snapshot.term} bytes=${offset}+${data.length}${done ? ' done' : ''}`;
  }
  if (rpc === 'forwardProposals') {
    const { proposals } = args as ForwardProposalsArgs;
    return ` ${proposals.map(({ payload }) => payload.toString()).join(' ')}`;
  }
  return '';
}

function wordsOfReply(rpc: Message['rpc'], reply: never): string {
  if (rpc === 'requestVote') return (reply as RequestVoteReply).voteGranted ? ' granted' : ' refused';
  if (rpc === 'appendEntries') {
    const { success, hintIndex, hintTerm } = reply as AppendEntriesReply;
    return success ? ' success' : ` mismatch hint=${hintIndex}@${hintTerm}`;
  }
  if (rpc === 'installSnapshot') {
    const { installed, nextOffset } = reply as InstallSnapshotReply;
    return installed ? ' installed' : ` next=${nextOffset}`;
  }
  if (rpc === 'forwardProposals') {
    const { indexes, refusal } = reply as ForwardProposalsReply;
    return ` indexes=${indexes.join(',')}${refusal === 'none' ? '' : ` ${refusal}`}`;
  }
  if (rpc === 'readIndex') return ` index=${(reply as ReadIndexReply).readIndex}`;
  return '';
}

function positions(entries: readonly Entry[]): string {
  return entries.map(({ index, term }) => `${index}@${term}`).join(',');
}

/** `n1: leader term=5 commit=6`: the words asked for, in the order asked for. */
export function describeMember(cluster: Cluster, member: Member, words: readonly string[]): string {
  const { raft } = member;
  if (!raft) return `${member.name}: down`;
  if (raft.stopped) return `${member.name}: stopped`;
  const asked = words.length > 0 ? words : ['role', 'term', 'commit', 'applied'];
  const shown = asked.map((word) => {
    switch (word) {
      case 'role':
        return raft.role;
      case 'term':
        return `term=${raft.currentTerm}`;
      case 'vote':
        return `vote=${cluster.nameOf(raft.votedFor)}`;
      case 'leader':
        return `leader=${cluster.nameOf(raft.leaderId)}`;
      case 'commit':
        return `commit=${raft.commitIndex}`;
      case 'applied':
        return `applied=${raft.lastApplied}`;
      case 'saved':
        return `saved=${raft.savedIndex}`;
      case 'last':
        return `last=${raft.log.lastIndex}@${raft.log.lastTerm}`;
      case 'uncommitted':
        return `uncommitted=${raft.uncommittedBytes}`;
      case 'timeout':
        return `timeout=${raft.electionTimeoutMs}`;
      case 'silence':
        return `silence=${raft.ports.clock.now() - raft.lastHeardFromLeader}`;
      default:
        throw new Error(`'${word}' is nothing that show knows`);
    }
  });
  return `${member.name}: ${shown.join(' ')}`;
}

/** A log as in the paper: one term per index. What is in a snapshot stands first, as `[index@term]`. */
export function drawLog(log: { marker: { index: number; term: number }; terms: readonly number[] }): string {
  const { marker, terms } = log;
  const drawn = marker.index > 0 ? [`[${marker.index}@${marker.term}]`, ...terms] : [...terms];
  return drawn.join(' ') || 'empty';
}

/** `n2 probe match=0 next=4 inflight=1`, one line per peer of a leader. */
export function describeProgress(cluster: Cluster, member: Member): string[] {
  return [...member.up.raft.progress].map(([peer, { mode, matchIndex, nextIndex, inflight }]) => {
    const numbers = `match=${matchIndex} next=${nextIndex} inflight=${inflight}`;
    return `${member.name} of ${cluster.nameOf(peer)}: ${mode} ${numbers}`;
  });
}
