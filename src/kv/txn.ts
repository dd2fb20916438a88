import { holds } from './compare.js';
import { KvError, compacted, futureRevision, keyNotFound } from './errors.js';
import type { Mvcc } from './mvcc.js';
import { readRange } from './range.js';
import type { DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from './wire/requests.js';
import { TxnBody } from './wire/responses.js';
import { checkLease, deleteRange, put } from './write.js';

/** A transaction whose conditions have been judged: the branch it takes, with those of its nested transactions. */
interface Taken {
  readonly succeeded: boolean;
  readonly operations: readonly Step[];
}

type Step =
  | { readonly kind: 'range'; readonly request: RangeRequest }
  | { readonly kind: 'put'; readonly request: PutRequest }
  | { readonly kind: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly taken: Taken };

/**
 * Runs a transaction under the revision that is being made. Whatever it throws, the caller takes the changes back.
 *
 * @returns TxnResponse without its header
 * @throws KvError KV_KEY_NOT_FOUND, KV_LEASE_NOT_FOUND, KV_FUTURE_REVISION, KV_COMPACTED
 */
export function runTxn(mvcc: Mvcc, request: TxnRequest): Buffer {
  const taken = judge(mvcc, request);
  checkPuts(mvcc, taken);
  checkRanges(mvcc, taken);
  return execute(mvcc, taken).finish();
}

/** Only ranges in both branches, not even nested transactions: needs no consensus. */
export function isReadOnlyTxn(request: TxnRequest): boolean {
  return request.success.every(isRange) && request.failure.every(isRange);
}

/** A read-only transaction that may be answered from what this member has: all of it serializable, or nothing but conditions. */
export function isSerializableTxn(request: TxnRequest): boolean {
  return request.success.every(isSerializable) && request.failure.every(isSerializable);
}

function isRange(operation: RequestOp): boolean {
  return operation.kind === 'range';
}

function isSerializable(operation: RequestOp): boolean {
  return operation.kind === 'range' && operation.request.serializable;
}

/** All conditions, nested ones too, are judged by the state before the transaction. */
function judge(mvcc: Mvcc, request: TxnRequest): Taken {
  const succeeded = request.compare.every((compare) => holds(mvcc, compare));
  const branch = succeeded ? request.success : request.failure;
  return { succeeded, operations: branch.map((operation) => judgeOperation(mvcc, operation)) };
}

function judgeOperation(mvcc: Mvcc, operation: RequestOp): Step {
  if (operation.kind === 'txn') return { kind: 'txn', taken: judge(mvcc, operation.request) };
  if (operation.kind === 'empty') throw new KvError('KV_KEY_NOT_FOUND', 'an operation of the transaction is empty');
  return operation;
}

function checkPuts(mvcc: Mvcc, taken: Taken): void {
  for (const step of taken.operations) {
    if (step.kind === 'txn') {
      checkPuts(mvcc, step.taken);
    } else if (step.kind === 'put') {
      const { key, ignoreValue, ignoreLease, lease } = step.request;
      if ((ignoreValue || ignoreLease) && mvcc.findLive(key) === undefined) throw keyNotFound();
      checkLease(lease);
    }
  }
}

/** Unlike alone, a negative revision is not the current one here: it is below what compaction has left. */
function checkRanges(mvcc: Mvcc, taken: Taken): void {
  for (const step of taken.operations) {
    if (step.kind === 'txn') {
      checkRanges(mvcc, step.taken);
    } else if (step.kind === 'range' && step.request.revision !== 0) {
      const { revision } = step.request;
      if (revision > mvcc.revision) throw futureRevision(revision, mvcc.revision);
      if (revision < mvcc.compactRevision) throw compacted(revision, mvcc.compactRevision);
    }
  }
}

function execute(mvcc: Mvcc, taken: Taken): TxnBody {
  const body = new TxnBody(taken.succeeded);
  for (const step of taken.operations) {
    if (step.kind === 'txn') {
      body.addNested(execute(mvcc, step.taken));
    } else {
      const response = executeStep(mvcc, step);
      // After the step: a change counts in its own header.
      body.addResponse(step.kind, mvcc.visibleRevision, response);
    }
  }
  return body;
}

function executeStep(mvcc: Mvcc, step: Exclude<Step, { kind: 'txn' }>): Buffer {
  if (step.kind === 'range') return readRange(mvcc, step.request);
  return step.kind === 'put' ? put(mvcc, step.request) : deleteRange(mvcc, step.request);
}
