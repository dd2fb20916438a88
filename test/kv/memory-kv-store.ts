import type { KvStore, KvWrite, Table } from '../../src/kv/ports.js';

const PAGE = 7;

/** A KvStore in memory. Writes take effect when they resolve, which a test can hold up. */
export class MemoryKvStore implements KvStore {
  readonly #tables: Record<Table, Map<string, Buffer>>;
  #gate: Promise<void> | null = null;
  #openGate: () => void = () => {};
  #last: Promise<void> = Promise.resolve();
  /** The next write rejects with it. */
  failure: Error | null = null;
  writes = 0;
  gets = 0;

  constructor(tables?: Record<Table, Map<string, Buffer>>) {
    this.#tables = tables ?? { revision: new Map(), member: new Map(), meta: new Map() };
  }

  get(table: Table, key: Buffer): Buffer | undefined {
    this.gets++;
    const value = this.#tables[table].get(key.toString('latin1'));
    return value === undefined ? undefined : Buffer.from(value);
  }

  write(writes: readonly KvWrite[]): Promise<void> {
    this.#last = this.#last.then(() => this.#write(writes));
    return this.#last;
  }

  async *scan(table: Table): AsyncIterable<readonly (readonly [Buffer, Buffer])[]> {
    const sorted = [...this.#tables[table]].sort(([a], [b]) => (a < b ? -1 : 1));
    for (let at = 0; at < sorted.length; at += PAGE) {
      await Promise.resolve();
      yield sorted
        .slice(at, at + PAGE)
        .map(([key, value]) => [Buffer.from(key, 'latin1'), Buffer.from(value)] as const);
    }
  }

  /** What a crash would leave: everything written so far, and nothing under way. */
  copy(): MemoryKvStore {
    const { revision, member, meta } = this.#tables;
    return new MemoryKvStore({ revision: new Map(revision), member: new Map(member), meta: new Map(meta) });
  }

  keys(table: Table): Buffer[] {
    return [...this.#tables[table].keys()].sort().map((key) => Buffer.from(key, 'latin1'));
  }

  /** Changes what is stored, behind everybody's back. */
  damage(table: Table, key: Buffer, value: Buffer | null): void {
    if (value === null) this.#tables[table].delete(key.toString('latin1'));
    else this.#tables[table].set(key.toString('latin1'), value);
  }

  /** Writes wait from now on, until release(). */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  release(): void {
    this.#gate = null;
    this.#openGate();
  }

  async #write(writes: readonly KvWrite[]): Promise<void> {
    await this.#gate;
    if (this.failure !== null) throw this.failure;
    this.writes++;
    for (const { table, key, value } of writes) {
      if (value === null) this.#tables[table].delete(key.toString('latin1'));
      else this.#tables[table].set(key.toString('latin1'), Buffer.from(value));
    }
  }
}
