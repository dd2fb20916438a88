import { asError } from '../lib/errors.js';
import type { Clock } from '../lib/clock.js';
import type { KvStateMachine } from '../kv/state-machine.js';
import type { KvResult } from '../kv/results.js';
import { isReadOnlyTxn, isSerializableTxn } from '../kv/txn.js';
import type { KeySpaceHash } from '../kv/hash.js';
import { decodeRangeRequest, decodeTxnRequest } from '../kv/wire/decode.js';
import type { RangeRequest, TxnRequest } from '../kv/wire/requests.js';
import type { Done } from './api.js';

/** Keys that a read goes over before others get their turn. */
export const STEP_KEYS = 1000;

/** A read that is done in slices. */
interface SlicedRead<T> {
  step(maxKeys: number): T | null;
  close(): void;
}

/** Answers a range from what is applied here, a large one in slices. */
export function runRange(kv: KvStateMachine, clock: Clock, request: RangeRequest, done: Done<KvResult>): void {
  runSliced(() => kv.openRange(request), clock, done);
}

/** Hashes the key space with its history through `revision`, in slices; 0 means the current one. */
export function runHash(kv: KvStateMachine, clock: Clock, revision: number, done: Done<KeySpaceHash>): void {
  runSliced(() => kv.openHash(revision), clock, done);
}

function runSliced<T>(open: () => SlicedRead<T>, clock: Clock, done: Done<T>): void {
  let read: SlicedRead<T>;
  try {
    read = open();
  } catch (error) {
    done(asError(error));
    return;
  }
  stepThrough(read, clock, done);
}

function stepThrough<T>(read: SlicedRead<T>, clock: Clock, done: Done<T>): void {
  let result: T | null;
  try {
    result = read.step(STEP_KEYS);
  } catch (error) {
    read.close();
    done(asError(error));
    return;
  }
  if (result) done(null, result);
  else clock.defer(() => stepThrough(read, clock, done));
}

/** @throws KvError KV_MALFORMED_REQUEST */
export function decodeRange(request: Uint8Array): RangeRequest {
  return decodeRangeRequest(request);
}

/** The transaction when it can be answered without consensus, else null. @throws KvError KV_MALFORMED_REQUEST */
export function readOnlyTxnOf(
  request: Uint8Array,
): { readonly txn: TxnRequest; readonly isSerializable: boolean } | null {
  const txn = decodeTxnRequest(request);
  return isReadOnlyTxn(txn) ? { txn, isSerializable: isSerializableTxn(txn) } : null;
}

/** Answers a transaction that only reads. */
export function runReadOnlyTxn(kv: KvStateMachine, txn: TxnRequest, done: Done<KvResult>): void {
  let result: KvResult;
  try {
    result = kv.readTxn(txn);
  } catch (error) {
    done(asError(error));
    return;
  }
  done(null, result);
}
