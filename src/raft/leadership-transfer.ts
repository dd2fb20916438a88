import { TransferError } from './errors.js';
import type { MemberId } from './messages.js';

interface UnderWay {
  readonly target: MemberId;
  /** Clock reading (ms) after which the leader goes on leading. */
  readonly deadline: number;
  /** TimeoutNow was sent. */
  asked: boolean;
  readonly settle: (error: Error | null) => void;
}

/** A leader's wish to be succeeded by a certain peer (thesis 3.10). At most one at a time; gone with leadership (C26). */
export class LeadershipTransfer {
  underWay: UnderWay | null = null;

  begin(target: MemberId, deadline: number, settle: (error: Error | null) => void): void {
    if (this.underWay) {
      settle(new TransferError('another leadership transfer is under way'));
      return;
    }
    this.underWay = { target, deadline, asked: false, settle };
  }

  /** This member does not lead any more: what was wished for has happened, to the target or to somebody else. */
  end(): void {
    const ended = this.underWay;
    this.underWay = null;
    ended?.settle(null);
  }

  /** The target did not take over in time. This member leads on and takes proposals again. */
  expire(now: number): void {
    const late = this.underWay;
    if (!late || late.deadline > now) return;
    this.underWay = null;
    late.settle(new TransferError(`member ${late.target.toString(16)} did not take over in time`));
  }
}
