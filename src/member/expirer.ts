import type { Clock } from '../lib/clock.js';

/** How often the expirer looks at the clock, in ms. */
export const EXPIRY_POLL_MS = 100;

/** What the expirer needs of its member. */
export interface ExpiryTarget {
  readonly clock: Clock;
  readonly isStopped: boolean;
  expireWaits(): void;
}

/** Long-running, one per member: ends waits that have lasted too long. Waits for nothing but time, least of all the disk. */
export async function runExpirer(target: ExpiryTarget): Promise<void> {
  while (!target.isStopped) {
    await target.clock.sleep(EXPIRY_POLL_MS);
    target.expireWaits();
  }
}
