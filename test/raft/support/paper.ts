import { makeEntry } from '../../../src/raft/entry-codec.js';
import type { AppendEntriesArgs, LogIndex, RequestVoteArgs, Term } from '../../../src/raft/messages.js';
import { defaultRaftOptions } from '../../../src/raft/options.js';
import { Cluster } from './cluster.js';
import type { Member } from './member.js';

// What the tests of the paper's rules share: members with drawn logs, and messages with what matters said.

/** The shortest election timeout, in ms. */
export const T = defaultRaftOptions.electionTimeoutMs;

export function namesOf(size: number): string[] {
  return Array.from({ length: size }, (_, position) => `n${position + 1}`);
}

/** Members with logs drawn as in the paper, one term per index. */
export async function clusterWith(logs: { readonly [name: string]: readonly Term[] }, options = {}): Promise<Cluster> {
  const cluster = new Cluster(Object.keys(logs), { preVote: false, ...options });
  for (const [name, terms] of Object.entries(logs)) cluster.drawLog(cluster.member(name), terms);
  await cluster.start();
  return cluster;
}

export function terms(cluster: Cluster, name: string): Term[] {
  const { log } = cluster.raft(name);
  return log.between(log.firstIndex, log.lastIndex).map((entry) => entry.term);
}

export function vote(args: Partial<RequestVoteArgs>): RequestVoteArgs {
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

export function append(args: Partial<Omit<AppendEntriesArgs, 'entries'>> & { entries?: readonly [LogIndex, Term][] }) {
  const entries = (args.entries ?? []).map(([index, term]) => makeEntry(index, term, Buffer.from(`${index}@${term}`)));
  return { term: 1, leaderId: 2n, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, round: 0, ...args, entries };
}

/** Crashes `name`; it is given to start again. */
export function restarted(cluster: Cluster, name: string): Member[] {
  const member = cluster.member(name);
  cluster.crash(member);
  return [member];
}
