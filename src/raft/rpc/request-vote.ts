import type { MemberId, RequestVoteArgs, RequestVoteReply } from '../messages.js';
import { hasQuorum } from '../quorum.js';
import type { Raft } from '../raft.js';

/** A campaign begins (§5.2): with the question whether it could be won, unless the leader itself has asked for it. */
export function startElection(raft: Raft, leadershipTransfer = false): void {
  if (raft.options.preVote && !leadershipTransfer) {
    raft.becomePreCandidate();
    countVote(raft, raft.id);
    askForVotes(raft, raft.currentTerm + 1, true, false);
    return;
  }
  campaign(raft, leadershipTransfer);
}

/** Takes a new term. The own vote counts, and the others are asked, once term and vote are on disk. */
function campaign(raft: Raft, leadershipTransfer: boolean): void {
  raft.becomeCandidate();
  const term = raft.currentTerm;
  raft.start(async () => {
    await raft.untilSaved(raft.savedIndex);
    onOwnVoteSaved(raft, term, leadershipTransfer);
  });
}

function onOwnVoteSaved(raft: Raft, term: number, leadershipTransfer: boolean): void {
  if (raft.stopped || raft.role !== 'candidate' || raft.currentTerm !== term) return; // the term has moved on (C09)
  countVote(raft, raft.id);
  if (raft.role === 'candidate') askForVotes(raft, term, false, leadershipTransfer);
}

function askForVotes(raft: Raft, term: number, preVote: boolean, leadershipTransfer: boolean): void {
  const { lastIndex, lastTerm } = raft.log;
  const args = {
    term,
    candidateId: raft.id,
    lastLogIndex: lastIndex,
    lastLogTerm: lastTerm,
    preVote,
    leadershipTransfer,
  };
  for (const peer of raft.peers) raft.start(() => requestVoteFrom(raft, peer, args));
}

/** Sender: one task, one RPC. Nobody awaits it. */
async function requestVoteFrom(raft: Raft, peer: MemberId, args: RequestVoteArgs): Promise<void> {
  const reply = await raft.ports.transport.requestVote(peer, args);
  if (reply && !raft.stopped) onRequestVoteReply(raft, peer, args, reply);
}

export function onRequestVoteReply(raft: Raft, peer: MemberId, args: RequestVoteArgs, reply: RequestVoteReply): void {
  if (raft.observeTerm(reply.term)) return;
  if (!reply.voteGranted) return;
  if (args.preVote) {
    if (raft.role !== 'preCandidate' || raft.currentTerm + 1 !== args.term) return; // asked in an earlier campaign
  } else if (raft.role !== 'candidate' || raft.currentTerm !== args.term) return;
  countVote(raft, peer);
}

/** Votes are a set: a repeated reply is one vote. */
function countVote(raft: Raft, voter: MemberId): void {
  raft.votes.add(voter);
  if (!hasQuorum(raft.configuration.voters, (member) => raft.votes.has(member))) return;
  if (raft.role === 'preCandidate') campaign(raft, false);
  else raft.becomeLeader();
}

/** Receiver: decided at once, answered when term and vote are on disk. */
export async function answerRequestVote(raft: Raft, args: RequestVoteArgs): Promise<RequestVoteReply | null> {
  const reply = raft.guard(() => handleRequestVote(raft, args));
  if (!reply) return null;
  await raft.untilSaved(0);
  return raft.stopped || (reply.voteGranted && !args.preVote && raft.currentTerm !== args.term) ? null : reply;
}

/** The RequestVote box of Figure 2, with pre-vote (thesis 9.6) and without heed to the disruptive (thesis 4.2.3). */
export function handleRequestVote(raft: Raft, args: RequestVoteArgs): RequestVoteReply {
  const refusal = () => ({ term: raft.currentTerm, voteGranted: false });
  if (args.term < raft.currentTerm) return refusal();
  if (raft.hearsLeader() && !args.leadershipTransfer && args.candidateId !== raft.leaderId) return refusal();
  if (args.preVote) {
    // Nothing changes here: no term, no vote, no timer (C22).
    const couldVote = args.term > raft.currentTerm || raft.votedFor === null || raft.votedFor === args.candidateId;
    return { term: raft.currentTerm, voteGranted: couldVote && isElectable(raft, args) };
  }
  raft.observeTerm(args.term);
  // With a leader elected in this term nobody else can be: a late request for it changes nothing, and is no news (C18).
  const isFree = raft.votedFor === args.candidateId || (raft.votedFor === null && raft.leaderId === null);
  if (!isFree || !isElectable(raft, args)) return refusal();
  if (raft.votedFor === null) {
    raft.votedFor = args.candidateId;
    raft.saveHardState();
  }
  if (raft.leaderId === null) raft.lastHeardFromLeader = raft.ports.clock.now();
  return { term: raft.currentTerm, voteGranted: true };
}

/** §5.4.1: whoever may lead must hold everything committed. A member that is swapping its state votes for nobody. */
function isElectable(raft: Raft, args: RequestVoteArgs): boolean {
  return raft.pendingInstall === null && raft.log.isUpToDate(args.lastLogTerm, args.lastLogIndex);
}
