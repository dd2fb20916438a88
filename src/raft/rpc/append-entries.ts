import type { AppendEntriesArgs, AppendEntriesReply, Entry, LogIndex, MemberId } from '../messages.js';
import type { Progress } from '../progress.js';
import { quorumReached } from '../quorum.js';
import type { Raft } from '../raft.js';
import { sendSnapshotTo } from './install-snapshot.js';

/** Sends `peer` what it lacks, as far as its window is open. Each message is a task of its own. */
export function replicateTo(raft: Raft, peer: MemberId): void {
  const progress = raft.progress.get(peer);
  if (!progress) return;
  while (!progress.isPaused && progress.nextIndex <= raft.log.lastIndex) {
    const prevLogIndex = progress.nextIndex - 1;
    const prevLogTerm = raft.log.termAt(prevLogIndex);
    if (prevLogTerm === null) {
      progress.mode = 'snapshot'; // compacted: the log can not bring this peer up to date any more
      raft.start(() => sendSnapshotTo(raft, peer, progress));
      return;
    }
    const entries = raft.log.slice(progress.nextIndex, raft.options.maxAppendBytes);
    progress.inflight++;
    if (progress.mode === 'replicate') progress.nextIndex += entries.length; // as if it had arrived
    send(raft, peer, progress, prevLogIndex, prevLogTerm, entries);
  }
}

/** Leader to follower, nothing to store: I am here, this much is committed, answer for this round. */
export function sendHeartbeatTo(raft: Raft, peer: MemberId): void {
  const progress = raft.progress.get(peer);
  if (!progress) return;
  // From what the peer is known to have on disk: it can answer at once, whatever its disk is busy with.
  const proven = raft.log.termAt(progress.matchIndex);
  send(raft, peer, progress, proven === null ? 0 : progress.matchIndex, proven ?? 0, []);
}

function send(
  raft: Raft,
  peer: MemberId,
  progress: Progress,
  prevLogIndex: LogIndex,
  prevLogTerm: number,
  entries: Entry[],
): void {
  progress.lastSentAt = raft.ports.clock.now();
  progress.sentCommitIndex = Math.max(
    progress.sentCommitIndex,
    Math.min(raft.commitIndex, prevLogIndex + entries.length),
  );
  const args: AppendEntriesArgs = {
    term: raft.currentTerm,
    leaderId: raft.id,
    prevLogIndex,
    prevLogTerm,
    entries,
    leaderCommit: raft.commitIndex,
    round: raft.readRounds.current,
  };
  raft.start(() => appendEntriesTo(raft, peer, progress, args));
}

/** Sender: one task, one RPC, and the reply is judged here. Nobody awaits it. */
async function appendEntriesTo(raft: Raft, peer: MemberId, progress: Progress, args: AppendEntriesArgs): Promise<void> {
  const reply = await raft.ports.transport.appendEntries(peer, args);
  if (raft.stopped) return;
  if (args.entries.length > 0) progress.inflight--;
  if (reply) onAppendEntriesReply(raft, peer, args, reply);
  else onAppendEntriesLost(raft, peer, progress, args);
}

/** Figure 2, leader: success raises, failure backs up. `args` says what was asked, not what we know by now. */
export function onAppendEntriesReply(
  raft: Raft,
  peer: MemberId,
  args: AppendEntriesArgs,
  reply: AppendEntriesReply,
): void {
  if (raft.observeTerm(reply.term)) return; // a higher term: we have just stepped down
  if (raft.role !== 'leader' || raft.currentTerm !== args.term || reply.term !== args.term) return; // an earlier life
  const progress = raft.progress.get(peer);
  if (!progress) return;

  progress.lastAckAt = raft.ports.clock.now();
  confirmRound(raft, progress, args.round);
  if (reply.success) onMatch(raft, progress, args);
  else onMismatch(raft, progress, args, reply);
  replicateTo(raft, peer);
}

function onMatch(raft: Raft, progress: Progress, args: AppendEntriesArgs): void {
  const matched = args.prevLogIndex + args.entries.length;
  const isNews = matched > progress.matchIndex;
  progress.raiseMatch(matched);
  if (progress.mode === 'probe' && args.entries.length > 0) progress.mode = 'replicate';
  if (!isNews) return;
  raft.advanceCommitIndex();
  raft.scheduleTurn(); // a leadership transfer may have waited for this peer to catch up
}

/** The peer's log differs before what was sent. Both sides skip whole terms that cannot match (§5.3, C15). */
function onMismatch(raft: Raft, progress: Progress, args: AppendEntriesArgs, reply: AppendEntriesReply): void {
  if (progress.mode === 'snapshot') return;
  if (args.prevLogIndex <= progress.matchIndex) {
    sendAgain(progress, args); // late: where the logs meet is proven by now
    return;
  }
  if (progress.mode === 'probe' && progress.nextIndex !== args.prevLogIndex + 1) return; // late: the search has moved on
  const shared = raft.log.lastIndexWithTermAtMost(Math.min(reply.hintIndex, args.prevLogIndex - 1), reply.hintTerm);
  progress.backToProbe(shared + 1);
}

/** No answer. It is sent again at the next heartbeat. */
function onAppendEntriesLost(raft: Raft, peer: MemberId, progress: Progress, args: AppendEntriesArgs): void {
  if (raft.progress.get(peer) === progress) sendAgain(progress, args);
}

/** What `args` carried was counted as sent, and may not have been stored: begin again from what is proven. */
function sendAgain(progress: Progress, args: AppendEntriesArgs): void {
  const isProven = args.prevLogIndex + args.entries.length <= progress.matchIndex;
  if (progress.mode === 'replicate' && !isProven) progress.backToProbe(progress.matchIndex + 1);
}

/** The peer was our follower after the round had begun (thesis 6.4). */
function confirmRound(raft: Raft, progress: Progress, round: number): void {
  if (round <= progress.ackedRound) return;
  progress.ackedRound = round;
  raft.readRounds.confirm(confirmedRound(raft));
  if (raft.readRounds.isWanted || !raft.outbox.isEmpty) raft.scheduleTurn(); // for the round that has room now
}

/** The newest round that a majority has answered. The leader itself agrees with every round. */
export function confirmedRound(raft: Raft): number {
  return quorumReached(raft.configuration.voters, (voter) =>
    voter === raft.id ? raft.readRounds.current : (raft.progress.get(voter)?.ackedRound ?? 0),
  );
}

/** Receiver: decided at once, answered when what the answer promises is on disk. Safe to run twice, or late. */
export async function answerAppendEntries(raft: Raft, args: AppendEntriesArgs): Promise<AppendEntriesReply | null> {
  const decision = raft.guard(() => handleAppendEntries(raft, args));
  if (!decision) return null;
  await decision.saved;
  // In a later term, what was promised in this one may have been overwritten.
  return raft.stopped || raft.currentTerm !== decision.reply.term ? null : decision.reply;
}

/** The AppendEntries box of Figure 2. Null: the sender shall hear nothing. */
export function handleAppendEntries(
  raft: Raft,
  args: AppendEntriesArgs,
): { readonly reply: AppendEntriesReply; readonly saved: Promise<void> | null } | null {
  if (args.term < raft.currentTerm) {
    const reply = { term: raft.currentTerm, success: false, hintIndex: 0, hintTerm: 0 };
    return { reply, saved: raft.untilSaved(0) };
  }
  raft.followLeader(args.term, args.leaderId);
  if (raft.pendingInstall) return handleWhileInstalling(raft, args);

  const mismatch = findMismatch(raft, args);
  if (mismatch) {
    const reply = { term: raft.currentTerm, success: false, hintIndex: mismatch.index, hintTerm: mismatch.term };
    return { reply, saved: raft.untilSaved(0) };
  }
  reconcile(raft, args.entries);
  const proven = args.prevLogIndex + args.entries.length;
  raft.raiseCommitIndex(Math.min(args.leaderCommit, proven));
  raft.saveLog();
  return {
    reply: { term: raft.currentTerm, success: true, hintIndex: 0, hintTerm: 0 },
    saved: raft.untilSaved(proven),
  };
}

/** The log is about to begin elsewhere: no word about entries (C45). But whom we follow, a leader may know (check-quorum). */
function handleWhileInstalling(
  raft: Raft,
  args: AppendEntriesArgs,
): { readonly reply: AppendEntriesReply; readonly saved: Promise<void> | null } | null {
  if (args.entries.length > 0) return null;
  const reply = { term: raft.currentTerm, success: false, hintIndex: 0, hintTerm: 0 };
  return { reply, saved: raft.untilSaved(0) };
}

/** Null when our log holds (prevLogTerm, prevLogIndex); else where the leader may go on searching, and our term there. */
function findMismatch(raft: Raft, args: AppendEntriesArgs): { readonly index: LogIndex; readonly term: number } | null {
  const { log } = raft;
  if (args.prevLogIndex <= log.marker.index) return null; // committed, and so the same everywhere
  if (log.termAt(args.prevLogIndex) === args.prevLogTerm) return null;
  const index = log.lastIndexWithTermAtMost(args.prevLogIndex, args.prevLogTerm);
  return { index, term: log.termAt(index) ?? 0 };
}

/** Appends what is new. Cuts only at the first entry whose term differs: a late message must not undo a newer one (C03). */
function reconcile(raft: Raft, entries: readonly Entry[]): void {
  const { log } = raft;
  for (const entry of entries) {
    if (entry.index <= log.marker.index) continue;
    const term = log.termAt(entry.index);
    if (term === entry.term) continue;
    if (term !== null) raft.truncateFrom(entry.index);
    log.append(entry);
  }
}
