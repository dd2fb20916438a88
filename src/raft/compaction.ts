import type { LogIndex } from './messages.js';
import type { Raft } from './raft.js';

/** Starts a compaction when enough has been applied since the last one (§7). Called by the applier. */
export function compactIfDue(raft: Raft): void {
  if (raft.isCompacting) return;
  const gathered = raft.lastApplied - raft.log.marker.index - raft.options.snapshotCatchupEntries;
  if (gathered < raft.options.snapshotCount && raft.log.sizeBytes < raft.options.maxLogBytes) return;
  raft.isCompacting = true;
  raft.start(() => compact(raft));
}

/** The state machine first makes durable what the log is about to forget. */
async function compact(raft: Raft): Promise<void> {
  const persisted = await raft.ports.stateMachine.persist();
  if (raft.stopped) return;
  // A snapshot that is being put in place begins the log anew, where the state machine may be already (C42).
  if (!raft.pendingInstall) await cutLog(raft, persisted.index);
  raft.isCompacting = false;
}

/** Decides how much may go, forgets it in memory at once, and on disk in the order of all other saves. */
async function cutLog(raft: Raft, persistedIndex: LogIndex): Promise<void> {
  const index = compactionTarget(raft, persistedIndex);
  const term = raft.log.termAt(index);
  if (term === null || index <= raft.log.marker.index) return; // a snapshot was installed meanwhile
  const marker = { index, term, configuration: raft.configuration };
  raft.log.compact(marker);
  await raft.ports.store.compact(marker);
  raft.ports.logger.debug({ index, term }, 'compacted log');
}

function compactionTarget(raft: Raft, persistedIndex: LogIndex): LogIndex {
  const isTooLarge = raft.log.sizeBytes >= raft.options.maxLogBytes;
  // Slow followers are left something to catch up with, unless the log has outgrown its bound.
  let target = isTooLarge ? persistedIndex : persistedIndex - raft.options.snapshotCatchupEntries;
  // Whoever is being sent a snapshot needs what follows it, or would need another one at once (C42).
  for (const marker of raft.outgoingSnapshots) if (!isTooLarge) target = Math.min(target, marker.index);
  return target;
}
