import type { SnapshotMarker } from './messages.js';
import type { IncomingSnapshot } from './ports.js';

/** A snapshot that has come in whole and is verified. The applier puts it in place, then says so. */
export interface IncomingInstall {
  readonly marker: SnapshotMarker;
  readonly incoming: IncomingSnapshot;
  /** Lets go of the transfer that waits for it: it is in place, or the member stops. */
  readonly installed: () => void;
}

/** A snapshot transfer that is coming in, chunk by chunk. */
export class IncomingTransfer {
  expectedOffset = 0;

  constructor(
    readonly transferId: number,
    readonly term: number,
    readonly marker: SnapshotMarker,
    readonly incoming: IncomingSnapshot,
  ) {}
}
