import type { Entry, LogIndex, Term } from '../../../src/raft/messages.js';
import { must } from './violation.js';

/** Two prefixes of a log are equal exactly when these are (up to chance, 2^-53). */
export type PrefixHash = number;

export const EMPTY_PREFIX: PrefixHash = 0;

const TERM_SPAN = 2 ** 22;

interface Committed {
  readonly hash: PrefixHash;
  readonly term: Term;
  /** The term in which it was first seen to be committed. */
  readonly commitTerm: Term;
}

/** What all members together have ever had in their logs, and what of it is committed. Knows more than any member. */
export class LogRegistry {
  /** By index and term: Log Matching says that this determines the whole prefix. */
  readonly #prefixes = new Map<number, PrefixHash>();
  readonly #committed: Committed[] = [{ hash: EMPTY_PREFIX, term: 0, commitTerm: 0 }];

  /** Highest index that any member has known to be committed. */
  get committedThrough(): LogIndex {
    return this.#committed.length - 1;
  }

  /** A member holds an entry of (index, term) behind a prefix of this hash. @throws InvariantViolation LM */
  enter(index: LogIndex, term: Term, hash: PrefixHash, who: string): void {
    const key = index * TERM_SPAN + term;
    const known = this.#prefixes.get(key);
    if (known === undefined) this.#prefixes.set(key, hash);
    else must(known === hash, 'LM', () => `${who} holds another prefix through index ${index}, term ${term}`);
  }

  /** The prefix that ends with (index, term), if any member ever held it. */
  prefix(index: LogIndex, term: Term): PrefixHash | undefined {
    return index === 0 ? EMPTY_PREFIX : this.#prefixes.get(index * TERM_SPAN + term);
  }

  committedAt(index: LogIndex): Committed | undefined {
    return this.#committed[index];
  }

  /** The next index is committed for the first time, as a member in `commitTerm` sees it. */
  commit(hash: PrefixHash, term: Term, commitTerm: Term): void {
    this.#committed.push({ hash, term, commitTerm });
  }

  /** The last index that was committed in a term before `term`: what every leader of that term must hold. */
  committedBefore(term: Term): LogIndex {
    let index = this.committedThrough;
    while (index > 0 && (this.#committed[index] as Committed).commitTerm >= term) index--;
    return index;
  }
}

/** The hash of a prefix and one more entry. The record's checksum stands for its content. */
export function extendPrefix(hash: PrefixHash, { record, term }: Entry): PrefixHash {
  const low = hash >>> 0;
  const high = Math.floor(hash / 0x1_0000_0000);
  const checksum = record.readUInt32BE(4);
  let a = Math.imul(low ^ checksum, 0x9e37_79b1);
  a = Math.imul(a ^ (a >>> 15) ^ high, 0x85eb_ca6b);
  let b = Math.imul(high ^ checksum ^ 0x5bd1_e995, 0xc2b2_ae35) ^ term;
  b = Math.imul(b ^ (b >>> 13) ^ low, 0x27d4_eb2f);
  return ((b ^ (b >>> 16)) & 0x1f_ffff) * 0x1_0000_0000 + ((a ^ (a >>> 13)) >>> 0);
}
