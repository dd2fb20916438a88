import { KvError } from './errors.js';
import { FROM_KEY, type Key } from './key.js';
import type { DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from './wire/requests.js';

/*
 * What can be said about a request without looking at the key space. The api asks before anything is proposed, in etcd's
 * order, and what is refused here was not done.
 */

/** @throws KvError KV_EMPTY_KEY */
export function checkRange(request: RangeRequest): void {
  checkKey(request.key);
}

/** @throws KvError KV_EMPTY_KEY, KV_VALUE_PROVIDED, KV_LEASE_PROVIDED */
export function checkPut(request: PutRequest): void {
  checkKey(request.key);
  if (request.ignoreValue && request.value.length > 0) {
    throw new KvError('KV_VALUE_PROVIDED', 'a value is given, expected none because the present one is to be kept');
  }
  if (request.ignoreLease && request.lease !== 0n) {
    throw new KvError('KV_LEASE_PROVIDED', 'a lease is given, expected none because the present one is to be kept');
  }
}

/** @throws KvError KV_EMPTY_KEY */
export function checkDeleteRange(request: DeleteRangeRequest): void {
  checkKey(request.key);
}

/**
 * @param maxOps how many conditions, and operations in each branch, a transaction may have; a nested one may have what its
 *   parent leaves of it
 * @throws KvError KV_TOO_MANY_OPERATIONS, KV_KEY_NOT_FOUND (an empty operation), KV_DUPLICATE_KEY, and what the checks above throw
 */
export function checkTxn(request: TxnRequest, maxOps: number): void {
  checkOperations(request, maxOps);
  checkBranch(request.success);
  checkBranch(request.failure);
}

function checkKey(key: Key): void {
  if (key.length === 0) throw new KvError('KV_EMPTY_KEY', 'the key is empty, expected at least one byte');
}

function checkOperations(request: TxnRequest, maxOps: number): void {
  const count = Math.max(request.compare.length, request.success.length, request.failure.length);
  if (count > maxOps) {
    throw new KvError('KV_TOO_MANY_OPERATIONS', `the transaction has ${count} operations, expected at most ${maxOps}`);
  }
  for (const compare of request.compare) checkKey(compare.key);
  for (const operation of request.success) checkOperation(operation, maxOps - count);
  for (const operation of request.failure) checkOperation(operation, maxOps - count);
}

function checkOperation(operation: RequestOp, maxOps: number): void {
  switch (operation.kind) {
    case 'range':
      return checkRange(operation.request);
    case 'put':
      return checkPut(operation.request);
    case 'deleteRange':
      return checkDeleteRange(operation.request);
    case 'txn':
      return checkOperations(operation.request, maxOps);
    case 'empty':
      throw new KvError('KV_KEY_NOT_FOUND', 'an operation of the transaction is empty');
  }
}

/** What a branch may change, nested transactions included. */
interface Changes {
  readonly puts: Set<Key>;
  readonly deletes: DeleteRangeRequest[];
}

/**
 * No key may be put twice, or put and deleted, in one branch: which of the two came last would decide. The two branches of
 * a nested transaction exclude each other and may do what they like. As in etcd two cases pass: a nested transaction that
 * puts what a later nested one deletes, and anything deleted by an interval without an upper end.
 */
function checkBranch(operations: readonly RequestOp[]): Changes {
  const puts = new Set<Key>();
  const deletes: DeleteRangeRequest[] = [];
  for (const operation of operations) {
    if (operation.kind === 'deleteRange') deletes.push(operation.request);
  }
  for (const operation of operations) {
    if (operation.kind !== 'txn') continue;
    const success = checkBranch(operation.request.success);
    const failure = checkBranch(operation.request.failure);
    for (const key of success.puts) addPut(key, puts, deletes);
    for (const key of failure.puts) if (!success.puts.has(key)) addPut(key, puts, deletes);
    deletes.push(...success.deletes, ...failure.deletes);
  }
  for (const operation of operations) {
    if (operation.kind === 'put') addPut(operation.request.key, puts, deletes);
  }
  return { puts, deletes };
}

function addPut(key: Key, puts: Set<Key>, deletes: readonly DeleteRangeRequest[]): void {
  if (puts.has(key) || deletes.some((request) => covers(request, key))) {
    throw new KvError('KV_DUPLICATE_KEY', 'a key is put twice, or put and deleted, in one branch of the transaction');
  }
  puts.add(key);
}

function covers(request: DeleteRangeRequest, key: Key): boolean {
  if (request.rangeEnd === '') return key === request.key;
  return request.rangeEnd !== FROM_KEY && key >= request.key && key < request.rangeEnd;
}
