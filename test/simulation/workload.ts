import type { Compare, KeyValue, Request, Result, SimpleRequest } from './checkers/kv-model.js';
import type { WorkloadProfile } from './profile.js';
import type { SeededRandom } from './random.js';

/** What a client wants next. Values are unique, so that whoever reads one can tell who wrote it. */
export class RequestGenerator {
  /** Pairs seen lately, for comparing with. */
  readonly #seen = new Map<string, KeyValue>();
  #lastRevision = 1;
  #values = 0;

  constructor(
    private readonly random: SeededRandom,
    private readonly profile: WorkloadProfile,
    private readonly name: string,
  ) {}

  next(): { readonly request: Request; readonly serializable: boolean } {
    const { random, profile } = this;
    if (random.chance(profile.compactions)) {
      const back = random.below(30);
      return { request: { kind: 'compact', revision: Math.max(1, this.#lastRevision - back) }, serializable: false };
    }
    const request = random.chance(profile.writes) ? this.#write() : this.#read();
    const serializable = request.kind === 'range' && random.chance(0.2);
    return { request, serializable };
  }

  /** Remembers what the answer tells of the store. */
  learn(revision: number, result: Result): void {
    this.#lastRevision = Math.max(this.#lastRevision, revision);
    if (result.kind === 'range') for (const pair of result.kvs) this.#seen.set(pair.key, pair);
    if (result.kind === 'txn') for (const part of result.results) this.learn(revision, part);
  }

  #write(): Request {
    const { random } = this;
    const key = this.#key();
    if (random.chance(0.55)) return { kind: 'put', key, value: this.#value() };
    if (random.chance(0.3)) return { kind: 'delete', key, end: null };
    if (random.chance(0.08)) return { kind: 'delete', key, end: this.#endAfter(key) };
    return this.#transaction(key);
  }

  #read(): Request {
    const { random } = this;
    const key = this.#key();
    if (random.chance(0.15)) {
      const parts = random.shuffle(this.#keys()).slice(0, random.between(1, 3));
      const success = parts.map((part): SimpleRequest => this.#get(part));
      return { kind: 'txn', compares: [], success, failure: [] };
    }
    const revision = random.chance(0.1) ? Math.max(1, this.#lastRevision - random.below(40) + 2) : 0;
    const isWide = random.chance(0.15);
    return {
      kind: 'range',
      key: isWide ? 'k' : key,
      end: isWide ? 'l' : null,
      revision,
      limit: isWide ? random.below(4) : 0,
    };
  }

  /** Compare-and-set, or a guarded change of two keys at once. */
  #transaction(key: string): Request {
    const { random } = this;
    const other = this.#key();
    const success: SimpleRequest[] = [
      random.chance(0.8) ? { kind: 'put', key, value: this.#value() } : { kind: 'delete', key, end: null },
    ];
    if (other !== key && random.chance(0.3)) success.push({ kind: 'put', key: other, value: this.#value() });
    if (random.chance(0.5)) success.push(this.#get(key));
    const failure = random.chance(0.7) ? [this.#get(key)] : [{ kind: 'put', key, value: this.#value() } as const];
    return { kind: 'txn', compares: [this.#compare(key)], success, failure };
  }

  #compare(key: string): Compare {
    const pair = this.#seen.get(key);
    const target = this.random.pick(['value', 'version', 'modRevision', 'createRevision'] as const);
    const operand = pair ? pair[target] : target === 'value' ? '' : 0;
    const relation = this.random.pick(['=', '=', '=', '=', '!=', '<', '>'] as const);
    return { key, target, relation, operand };
  }

  #get(key: string): SimpleRequest {
    return { kind: 'range', key, end: null, revision: 0, limit: 0 };
  }

  #endAfter(key: string): string {
    const ends = [...this.#keys(), 'l'].filter((end) => end > key);
    return this.random.pick(ends);
  }

  #key(): string {
    return `k${this.random.below(this.profile.keys)}`;
  }

  #keys(): string[] {
    return Array.from({ length: this.profile.keys }, (_, position) => `k${position}`);
  }

  #value(): string {
    return `${this.name}-${this.#values++}`;
  }
}
