import { compactIfDue } from '../compaction.js';
import type { Entry } from '../messages.js';
import type { Raft } from '../raft.js';

/** Entries given to the state machine at once; between two batches others get their turn. */
export const MAX_APPLY_BATCH = 512;

/**
 * Activity 3 of 3. The only caller of stateMachine.apply and installSnapshot. Waits for committed entries that this
 * member's own disk holds and hands them over in order. Holds nothing meanwhile: a slow state machine delays replies,
 * never elections.
 */
export async function runApplier(raft: Raft): Promise<void> {
  while (!raft.stopped) {
    if (raft.pendingInstall) {
      await installPending(raft);
      continue;
    }
    const entries = nextBatch(raft);
    if (entries.length === 0) {
      await raft.commitAdvanced.wait();
      continue;
    }
    await raft.ports.stateMachine.apply(entries);
    onApplied(raft, entries);
    if (entries.length === MAX_APPLY_BATCH) await new Promise<void>((resume) => raft.ports.clock.defer(resume));
  }
}

function nextBatch(raft: Raft): Entry[] {
  const through = Math.min(raft.commitIndex, raft.savedIndex, raft.lastApplied + MAX_APPLY_BATCH);
  return through > raft.lastApplied ? raft.log.between(raft.lastApplied + 1, through) : [];
}

function onApplied(raft: Raft, entries: readonly Entry[]): void {
  raft.lastApplied += entries.length;
  raft.applied.notifyAll();
  compactIfDue(raft);
}

/** Between its first and last step the store remembers that an installation is under way: a crash leaves no gap (S15). */
async function installPending(raft: Raft): Promise<void> {
  const install = raft.pendingInstall;
  if (!install) return;
  const { marker, incoming } = install;
  // The log does not change meanwhile: nothing is acknowledged or appended while an installation is pending.
  const keepFollowing = raft.log.termAt(marker.index) === marker.term;
  await raft.ports.store.beginInstall(marker);
  await raft.ports.stateMachine.installSnapshot(marker, incoming);
  await raft.ports.store.finishInstall(marker, keepFollowing);
  raft.restartLogAt(marker, keepFollowing);
  raft.pendingInstall = null;
  raft.ports.logger.info({ index: marker.index, term: marker.term }, 'installed snapshot');
  install.installed();
}
