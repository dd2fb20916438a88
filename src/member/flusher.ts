import type { Clock } from '../lib/clock.js';
import type { ReplicatedState } from './replicated-state.js';

/** How often the flusher looks, in ms. */
export const FLUSH_POLL_MS = 50;
/** Applied changes wait this long, in ms, for others to share their write... */
export const FLUSH_INTERVAL_MS = 500;
/** ...or until there are this many bytes of them. */
export const FLUSH_BYTES = 4 * 1024 * 1024;
/** How often the size of the store is measured, in ms. */
export const MEASURE_INTERVAL_MS = 5000;
/** Keys that one step of history compaction looks at. */
export const COMPACTION_STEP_KEYS = 1000;

/** What the flusher needs of its member. */
export interface FlushTarget {
  readonly clock: Clock;
  readonly state: ReplicatedState;
  readonly isStopped: boolean;
  measure(): Promise<void>;
}

/**
 * Long-running, one per member: writes what has been applied to the state machine's store in the background, and removes
 * compacted history in small steps.
 */
export async function runFlusher(target: FlushTarget): Promise<void> {
  const { clock } = target;
  let flushedAt = clock.now();
  let measuredAt = -Infinity;
  while (!target.isStopped) {
    if (clock.now() - measuredAt >= MEASURE_INTERVAL_MS) {
      await target.measure();
      measuredAt = clock.now();
    }
    await clock.sleep(FLUSH_POLL_MS);
    if (target.isStopped) return;
    if (target.state.isInstalling) continue;
    const hasHistoryLeft = target.state.kv.compactionStep(COMPACTION_STEP_KEYS);
    const { pendingBytes } = target.state.kv;
    const isDue = pendingBytes > 0 && clock.now() - flushedAt >= FLUSH_INTERVAL_MS;
    // A compaction may end in its first step and have nothing to remove; it is told all the same, by a flush.
    const isCompacting = hasHistoryLeft || target.state.kv.hasUnflushedCompaction;
    if (!isDue && pendingBytes < FLUSH_BYTES && !isCompacting) continue;
    await target.state.flush();
    flushedAt = clock.now();
  }
}
