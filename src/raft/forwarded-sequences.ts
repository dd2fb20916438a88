import type { LogIndex, MemberId } from './messages.js';

/** Sequences remembered per origin. A repetition of something older is answered with silence. */
export const REMEMBERED_SEQUENCES = 20_000;

interface Origin {
  /** Sequences below were forgotten. */
  floor: number;
  readonly outcomes: Map<number, LogIndex>;
}

/**
 * What a leader has already done with proposals that others forwarded in this term, so that a message which the network
 * delivers twice is appended once (C48). Refusals are remembered too: the origin has told its client "not done".
 */
export class ForwardedSequences {
  /** By origin and boot: what an earlier life of the origin sent may still be on its way. */
  readonly #origins = new Map<string, Origin>();

  /** The index given to it, 0 when it was refused, null when it is not known, 'forgotten' when it may have been done. */
  outcomeOf(originId: MemberId, bootId: number, sequence: number): LogIndex | null | 'forgotten' {
    const origin = this.#originOf(originId, bootId);
    const outcome = origin.outcomes.get(sequence);
    if (outcome !== undefined) return outcome;
    return sequence < origin.floor ? 'forgotten' : null;
  }

  remember(originId: MemberId, bootId: number, sequence: number, outcome: LogIndex): void {
    const origin = this.#originOf(originId, bootId);
    origin.outcomes.set(sequence, outcome);
    if (origin.outcomes.size <= REMEMBERED_SEQUENCES) return;
    // The oldest half goes at once, by sequence and not by arrival: arrival order proves nothing about what may repeat.
    const sequences = [...origin.outcomes.keys()].sort((a, b) => a - b);
    for (const old of sequences.slice(0, REMEMBERED_SEQUENCES / 2)) {
      origin.outcomes.delete(old);
      origin.floor = Math.max(origin.floor, old + 1);
    }
  }

  clear(): void {
    this.#origins.clear();
  }

  #originOf(originId: MemberId, bootId: number): Origin {
    const key = `${originId}/${bootId}`;
    let origin = this.#origins.get(key);
    if (!origin) {
      origin = { floor: 0, outcomes: new Map() };
      this.#origins.set(key, origin);
    }
    return origin;
  }
}
