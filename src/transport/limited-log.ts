import { performance } from 'node:perf_hooks';
import type { Logger } from '../lib/logger.js';

/** At most one line of a kind in this time; a peer that is refused tries again many times a second. */
const QUIET_MS = 10_000;
/** Kinds remembered at once. A caller may invent kinds; the oldest is then forgotten. */
const MAX_KINDS = 100;

/** Warnings that would otherwise come in floods: the first of a kind at once, then one every ten seconds with a count. */
export class LimitedLog {
  readonly #kinds = new Map<string, { since: number; suppressed: number }>();

  constructor(
    private readonly logger: Logger,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** `kind` tells lines apart that may each appear once. */
  warn(kind: string, fields: object, message: string): void {
    const seen = this.#kinds.get(kind);
    if (seen && this.now() - seen.since < QUIET_MS) {
      seen.suppressed++;
      return;
    }
    this.#kinds.delete(kind);
    const [oldest] = this.#kinds.keys();
    if (oldest !== undefined && this.#kinds.size >= MAX_KINDS) this.#kinds.delete(oldest);
    this.#kinds.set(kind, { since: this.now(), suppressed: 0 });
    this.logger.warn(seen?.suppressed ? { ...fields, suppressed: seen.suppressed } : fields, message);
  }
}
