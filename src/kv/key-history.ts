/** Numbers per change in `#older`: main, sub, create revision, version. */
const STRIDE = 4;

/** Up to here an array grows to its exact size: most keys have few versions, and a pushed array reserves room for many more. */
const EXACT_GROWTH = 4 * STRIDE;

/**
 * What happened to one key since compaction, in order: puts and deletions, each at a revision. Values are elsewhere; this
 * is what a million of are kept in memory.
 *
 * A change is named by its position, from 0 (oldest) to `newest`. Its version counts the puts of the key's current life,
 * and is 0 for a deletion. Revisions rise from one position to the next; several changes of one transaction share `main`.
 */
export class KeyHistory {
  #main: number;
  #sub: number;
  #create: number;
  #version: number;
  #older: number[] | null = null;

  constructor(main: number, sub: number, create: number, version: number) {
    this.#main = main;
    this.#sub = sub;
    this.#create = create;
    this.#version = version;
  }

  get newest(): number {
    return this.#older === null ? 0 : this.#older.length / STRIDE;
  }

  /** Whether the key exists now. */
  get isLive(): boolean {
    return this.#version > 0;
  }

  main(position: number): number {
    return position === this.newest ? this.#main : this.#at(position, 0);
  }

  sub(position: number): number {
    return position === this.newest ? this.#sub : this.#at(position, 1);
  }

  /** Of a deletion: 0. */
  create(position: number): number {
    return position === this.newest ? this.#create : this.#at(position, 2);
  }

  version(position: number): number {
    return position === this.newest ? this.#version : this.#at(position, 3);
  }

  /** The last change at or before `revision`, or -1. Whether it is a deletion tells its version. */
  positionAt(revision: number): number {
    const newest = this.newest;
    if (this.#main <= revision) return newest;
    let low = 0;
    let high = newest;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle, 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  append(main: number, sub: number, create: number, version: number): void {
    const older = this.#older;
    if (older === null) {
      this.#older = [this.#main, this.#sub, this.#create, this.#version];
    } else if (older.length < EXACT_GROWTH) {
      this.#older = older.concat([this.#main, this.#sub, this.#create, this.#version]);
    } else {
      older.push(this.#main, this.#sub, this.#create, this.#version);
    }
    this.#main = main;
    this.#sub = sub;
    this.#create = create;
    this.#version = version;
  }

  /** Takes the newest change back. Only while there is an older one. */
  undo(): void {
    const older = this.#older;
    if (older === null) throw new Error('a key history cannot become empty, remove the key instead');
    this.#version = older.pop() as number;
    this.#create = older.pop() as number;
    this.#sub = older.pop() as number;
    this.#main = older.pop() as number;
    if (older.length === 0) this.#older = null;
  }

  /**
   * The first position that compaction at `revision` leaves; `newest + 1` when it leaves none. That is the newest change
   * at or before `revision`, unless it is a deletion. A deletion at `revision` itself stays, however: who watches from
   * there must see it.
   */
  firstKept(revision: number): number {
    let kept = this.positionAt(revision);
    if (kept < 0) return 0;
    if (this.version(kept) === 0 && this.main(kept) < revision) return kept + 1;
    for (let position = kept; position >= 0 && this.main(position) === revision; position--) {
      if (this.version(position) === 0) kept = position;
    }
    return kept;
  }

  /** Forgets the `count` oldest changes. The newest one must stay. */
  forget(count: number): void {
    if (count > this.newest) throw new Error('a key history cannot become empty, remove the key instead');
    if (count === this.newest) this.#older = null;
    else this.#older?.splice(0, count * STRIDE);
  }

  #at(position: number, field: number): number {
    return (this.#older as number[])[position * STRIDE + field] as number;
  }
}
