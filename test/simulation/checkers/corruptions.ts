import type { SeededRandom } from '../random.js';
import type { Recorded } from './history.js';
import { type KeyValue, type Reply, type Result, changesStore } from './kv-model.js';

/** A way to make a right history wrong. */
export interface Corruption {
  readonly name: string;
  /** Which checker must see it. B cannot see what is wrong about revisions only. */
  readonly by: 'A' | 'B' | 'both';
  /**
   * A corrupted copy, or null when this history offers no place for it.
   * @param order the operations in the order in which they took effect; all are answered, and no two on a key overlap.
   */
  readonly apply: (order: readonly Recorded[], random: SeededRandom, history: readonly Recorded[]) => Recorded[] | null;
}

type Get = Recorded & { reply: { revision: number; result: Extract<Result, { kind: 'range' }> } };

/** Reads of one key, which the history has seen answered. */
function gets(order: readonly Recorded[]): Get[] {
  return order.filter(
    (operation): operation is Get => operation.request.kind === 'range' && operation.request.end === null,
  );
}

function keyOf(operation: Recorded): string {
  return 'key' in operation.request ? operation.request.key : '';
}

/** The history with one operation replaced; null when `find` found none. */
function replaceOne<T extends Recorded>(
  order: readonly Recorded[],
  random: SeededRandom,
  candidates: readonly T[],
  change: (operation: T) => Partial<Recorded> | null,
): Recorded[] | null {
  for (const operation of random.shuffle(candidates)) {
    const changed = change(operation);
    if (changed) return order.map((other) => (other === operation ? { ...other, ...changed } : other));
  }
  return null;
}

function withResult(operation: Recorded, result: Result, revision = operation.reply?.revision ?? 0): { reply: Reply } {
  return { reply: { revision, result } };
}

function range(kvs: readonly KeyValue[]): Result {
  return { kind: 'range', kvs, count: kvs.length, more: false };
}

/** An earlier read of the same key that saw another value than `get`. */
function earlierView(order: readonly Recorded[], get: Get): Get | undefined {
  const value = get.reply.result.kvs[0]?.value;
  return gets(order.slice(0, order.indexOf(get))).find(
    (other) =>
      keyOf(other) === keyOf(get) && other.reply.result.kvs[0]?.value !== value && other.reply.result.kvs.length > 0,
  );
}

const puts = (order: readonly Recorded[]) => order.filter(({ request }) => request.kind === 'put');
const deletes = (order: readonly Recorded[]) => order.filter(({ request }) => request.kind === 'delete');
const found = (order: readonly Recorded[]) => gets(order).filter(({ reply }) => reply.result.kvs.length === 1);
const scans = (order: readonly Recorded[]): Get[] =>
  order.filter(
    (operation): operation is Get =>
      operation.request.kind === 'range' && operation.request.end !== null && operation.reply?.result.kind === 'range',
  );
const changeFound =
  (change: (pair: KeyValue) => KeyValue): Corruption['apply'] =>
  (order, random) =>
    replaceOne(order, random, found(order), (get) => {
      const pair = get.reply.result.kvs[0];
      return pair ? withResult(get, range([change(pair)])) : null;
    });

export const corruptions: readonly Corruption[] = [
  {
    name: 'a stale read, header and all',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, found(order), (get) => {
        const earlier = earlierView(order, get);
        return earlier ? { reply: earlier.reply } : null;
      }),
  },
  {
    name: 'a stale read under a new header',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, found(order), (get) => {
        const earlier = earlierView(order, get);
        return earlier ? withResult(get, earlier.reply.result) : null;
      }),
  },
  {
    name: 'a read from the future',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, gets(order), (get) => {
        const later = found(order.slice(order.indexOf(get) + 1)).find(
          (other) => keyOf(other) === keyOf(get) && (other.reply.result.kvs[0]?.modRevision ?? 0) > get.reply.revision,
        );
        return later ? { reply: later.reply } : null;
      }),
  },
  {
    name: 'a value that nobody wrote',
    by: 'both',
    apply: changeFound((pair) => ({ ...pair, value: 'phantom' })),
  },
  {
    name: 'a key that nobody wrote',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, scans(order), (scan) => {
        const pair = { key: 'k999', value: 'v1', createRevision: 2, modRevision: 2, version: 1 };
        const { kvs, count, more } = scan.reply.result;
        return withResult(scan, { kind: 'range', kvs: [...kvs, pair], count: count + 1, more });
      }),
  },
  {
    name: 'a key missing from a range',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, scans(order), (scan) => {
        const { kvs, count, more } = scan.reply.result;
        return kvs.length === 0 ? null : withResult(scan, { kind: 'range', kvs: kvs.slice(1), count: count - 1, more });
      }),
  },
  {
    name: 'a key that is there read as missing',
    by: 'both',
    apply: (order, random) => replaceOne(order, random, found(order), (get) => withResult(get, range([]))),
  },
  {
    name: 'a wrong count',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, scans(order), (scan) =>
        withResult(scan, { ...scan.reply.result, count: scan.reply.result.count + 1 }),
      ),
  },
  {
    name: 'a wrong more flag',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, scans(order), (scan) =>
        withResult(scan, { ...scan.reply.result, more: !scan.reply.result.more }),
      ),
  },
  {
    name: 'a range out of order',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, scans(order), (scan) => {
        const { kvs } = scan.reply.result;
        return kvs.length < 2 ? null : withResult(scan, { ...scan.reply.result, kvs: [...kvs].reverse() });
      }),
  },
  { name: 'a wrong version', by: 'both', apply: changeFound((pair) => ({ ...pair, version: pair.version + 1 })) },
  {
    name: 'a wrong create revision',
    by: 'A',
    apply: changeFound((pair) => ({ ...pair, createRevision: pair.createRevision - 1 })),
  },
  {
    name: 'a wrong mod revision',
    by: 'A',
    apply: changeFound((pair) => ({ ...pair, modRevision: pair.modRevision + 1 })),
  },
  {
    name: 'the answers of two reads swapped',
    by: 'both',
    apply: (order, random) => {
      const [first, second] = random.shuffle(found(order));
      if (!first || !second || first.reply.result.kvs[0]?.value === second.reply.result.kvs[0]?.value) return null;
      return order.map((other) => {
        if (other === first) return { ...other, ...withResult(first, second.reply.result) };
        return other === second ? { ...other, ...withResult(second, first.reply.result) } : other;
      });
    },
  },
  {
    name: 'a wrong previous value of a put',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, puts(order), (put) => {
        const result = put.reply?.result;
        if (result?.kind !== 'put' || result.previous === null) return null;
        return withResult(put, { kind: 'put', previous: { ...result.previous, value: 'never written' } });
      }),
  },
  {
    name: 'a put over a pair that says there was none',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, puts(order), (put) =>
        put.reply?.result.kind === 'put' && put.reply.result.previous !== null
          ? withResult(put, { kind: 'put', previous: null })
          : null,
      ),
  },
  {
    name: 'a delete of a missing key that says it was there',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, deletes(order), (operation) => {
        const result = operation.reply?.result;
        if (result?.kind !== 'delete' || result.deleted > 0) return null;
        const pair = { key: keyOf(operation), value: 'v0', createRevision: 2, modRevision: 2, version: 1 };
        return withResult(operation, { kind: 'delete', deleted: 1, previous: [pair] });
      }),
  },
  {
    name: 'a delete that says nothing was there',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, deletes(order), (operation) =>
        operation.reply && changesStore(operation.reply.result)
          ? withResult(operation, { kind: 'delete', deleted: 0, previous: [] })
          : null,
      ),
  },
  {
    name: 'a lost write',
    by: 'both',
    apply: (order, random) => {
      // The put that a read saw is gone from the history, as if it had never been made.
      const read = random.shuffle(found(order))[0];
      const value = read?.reply.result.kvs[0]?.value;
      const lost = order.find(
        ({ request }) => JSON.stringify(request).includes(`"${value}"`) && request.kind !== 'range',
      );
      return lost && read && lost.request.kind === 'put' ? order.filter((operation) => operation !== lost) : null;
    },
  },
  {
    name: 'a write that took effect twice',
    by: 'both',
    apply: (order, random) =>
      // Its second effect shows in a read after another write had replaced it.
      replaceOne(order, random, found(order), (get) => {
        const own = puts(order.slice(0, order.indexOf(get))).filter((put) => keyOf(put) === keyOf(get));
        const first = own[0];
        const pair = get.reply.result.kvs[0];
        if (first?.request.kind !== 'put' || !pair || first.request.value === pair.value) return null;
        return withResult(get, range([{ ...pair, value: first.request.value, version: pair.version + 1 }]));
      }),
  },
  {
    name: 'a transaction that took the wrong branch',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, order, ({ request, reply }) => {
        if (request.kind !== 'txn' || reply?.result.kind !== 'txn' || !reply.result.succeeded) return null;
        if (request.compares.some(({ target }) => target.endsWith('Revision'))) return null;
        return { reply: { ...reply, result: { kind: 'txn', succeeded: false, results: [range([])] } } };
      }),
  },
  {
    name: 'half a transaction',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, order, ({ request, reply }) => {
        if (request.kind !== 'txn' || reply?.result.kind !== 'txn' || reply.result.results.length < 2) return null;
        return { request: { ...request, success: request.success.slice(0, 1) } };
      }),
  },
  {
    name: 'two writes with one revision',
    by: 'A',
    apply: (order, random) => {
      const writes = order.filter(({ reply }) => reply && changesStore(reply.result));
      const position = random.below(Math.max(1, writes.length - 1));
      const [first, second] = [writes[position], writes[position + 1]];
      if (!first?.reply || !second) return null;
      const { revision } = first.reply;
      return replaceOne(order, random, [second], ({ reply }) => reply && { reply: { ...reply, revision } });
    },
  },
  {
    name: 'a revision left out',
    by: 'A',
    apply: (order, random) => {
      const revisions = order.flatMap(({ reply }) => (reply && changesStore(reply.result) ? [reply.revision] : []));
      if (revisions.length < 2) return null;
      const from = random.pick(revisions);
      return order.map((operation) =>
        operation.reply && operation.reply.revision >= from
          ? { ...operation, reply: { ...operation.reply, revision: operation.reply.revision + 1 } }
          : operation,
      );
    },
  },
  {
    name: 'a write that says it came before one that had returned',
    by: 'A',
    apply: (order, random) => {
      const writes = order.filter(({ reply }) => reply && changesStore(reply.result));
      const pairs = writes.flatMap((first, position) => {
        const second = writes[position + 1];
        return second?.reply && first.returnedAt < second.invokedAt ? [[first, second] as const] : [];
      });
      const chosen = random.shuffle(pairs)[0];
      if (!chosen) return null;
      const [first, second] = chosen;
      return order.map((operation) => {
        if (operation === first)
          return { ...operation, reply: { ...first.reply, revision: second.reply?.revision ?? 0 } as Reply };
        if (operation === second)
          return { ...operation, reply: { ...second.reply, revision: first.reply?.revision ?? 0 } as Reply };
        return operation;
      });
    },
  },
  {
    name: 'a read answered before the write it saw began',
    by: 'both',
    apply: (order, random) =>
      replaceOne(order, random, found(order), (get) => {
        const value = get.reply.result.kvs[0]?.value;
        const writer = order.find(({ request }) => request.kind === 'put' && request.value === value);
        return writer ? { invokedAt: writer.invokedAt - 0.5, returnedAt: writer.invokedAt - 0.25 } : null;
      }),
  },
  {
    name: 'a session that goes back in revision',
    by: 'A',
    apply: (order, random) => {
      const [older, newer] = [gets(order)[0], gets(order).at(-1)];
      void random;
      if (!older || !newer || older.reply.revision >= newer.reply.revision) return null;
      const last = Math.max(...order.map(({ returnedAt }) => returnedAt));
      const session = newer.session;
      return [...order, { ...older, session, serializable: true, invokedAt: last + 1, returnedAt: last + 2 }];
    },
  },
  {
    name: 'a read below a finished compaction',
    by: 'A',
    apply: (order) => {
      const revision = Math.max(...order.map(({ reply }) => reply?.revision ?? 0));
      const last = Math.max(...order.map(({ returnedAt }) => returnedAt));
      const base = { serializable: false, session: 'c999' };
      const compact: Recorded = {
        ...base,
        id: -1,
        request: { kind: 'compact', revision },
        invokedAt: last + 1,
        returnedAt: last + 2,
        reply: { revision, result: { kind: 'compact' } },
      };
      const read: Recorded = {
        ...base,
        id: -2,
        request: { kind: 'range', key: 'k', end: 'l', revision: 1, limit: 0 },
        invokedAt: last + 3,
        returnedAt: last + 4,
        reply: { revision, result: range([]) },
      };
      return [...order, compact, read];
    },
  },
  {
    name: 'a seen revision called a future one',
    by: 'A',
    apply: (order) => {
      const revision = Math.max(...order.map(({ reply }) => reply?.revision ?? 0));
      const last = Math.max(...order.map(({ returnedAt }) => returnedAt));
      const read: Recorded = {
        id: -1,
        request: { kind: 'range', key: 'k', end: 'l', revision, limit: 0 },
        invokedAt: last + 1,
        returnedAt: last + 2,
        reply: { revision: 0, result: { kind: 'error', code: 'KV_FUTURE_REVISION' } },
        serializable: false,
        session: 'c999',
      };
      return [...order, read];
    },
  },
];
