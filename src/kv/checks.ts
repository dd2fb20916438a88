import { BranchChanges } from './branch-changes.js';
import { KvError } from './errors.js';
import type { Key } from './key.js';
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
  if (mayRepeatKeys(request.success)) checkBranch(request.success);
  if (mayRepeatKeys(request.failure)) checkBranch(request.failure);
}

/** The common case is one operation. */
function mayRepeatKeys(operations: readonly RequestOp[]): boolean {
  return operations.length > 1 || operations[0]?.kind === 'txn';
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

/** @throws KvError KV_DUPLICATE_KEY */
function checkBranch(operations: readonly RequestOp[]): BranchChanges {
  const changes = new BranchChanges();
  for (const operation of operations) if (operation.kind === 'deleteRange') changes.delete(operation.request);
  for (const operation of operations) {
    if (operation.kind !== 'txn') continue;
    const nested = checkBranch(operation.request.success);
    nested.unite(checkBranch(operation.request.failure));
    changes.absorb(nested);
  }
  for (const operation of operations) if (operation.kind === 'put') changes.put(operation.request.key);
  return changes;
}
