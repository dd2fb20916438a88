import type { Recorded } from './history.js';
import { type KeyValue, KvModel, type Result } from './kv-model.js';

/**
 * Linearizability by trying every order of every choice of unanswered operations: for a handful of operations, and so
 * plain that it can judge the real search. Answers are compared without revisions, as checker B does.
 */
export function isLinearizableByBruteForce(history: readonly Recorded[]): boolean {
  const relevant = history.filter(({ request, reply }) => request.kind !== 'range' || reply !== null);
  return place([], relevant);
}

function place(placed: readonly Recorded[], rest: readonly Recorded[]): boolean {
  if (rest.every(({ reply }) => reply === null)) return true;
  return rest.some((candidate) => {
    const others = rest.filter((operation) => operation !== candidate);
    if (others.some(({ returnedAt }) => returnedAt < candidate.invokedAt)) return false;
    const order = [...placed, candidate];
    return explains(order) && place(order, others);
  });
}

function explains(order: readonly Recorded[]): boolean {
  const model = new KvModel();
  return order.every(({ request, reply }) => {
    const expected = model.apply(request).result;
    return reply === null || isSame(reply.result, expected);
  });
}

function isSame(actual: Result, expected: Result): boolean {
  return JSON.stringify(withoutRevisions(actual)) === JSON.stringify(withoutRevisions(expected));
}

function withoutRevisions(result: Result): unknown {
  const plain = (pair: KeyValue | null): unknown => pair && [pair.key, pair.value, pair.version];
  switch (result.kind) {
    case 'put':
      return [result.kind, plain(result.previous)];
    case 'delete':
      return [result.kind, result.deleted, result.previous.map(plain)];
    case 'range':
      return [result.kind, result.kvs.map(plain), result.count, result.more];
    case 'txn':
      return [result.kind, result.succeeded, result.results.map(withoutRevisions)];
    default:
      return result;
  }
}
