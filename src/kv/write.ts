import { keyNotFound, leaseNotFound } from './errors.js';
import type { KeyHistory } from './key-history.js';
import { type Key, endOf } from './key.js';
import type { Mvcc } from './mvcc.js';
import { decodeKeyValue } from './wire/key-value.js';
import type { DeleteRangeRequest, PutRequest } from './wire/requests.js';
import { encodeDeleteRangeBody, encodePutBody } from './wire/responses.js';

export const NO_LEASE = 0n;

/** There are no leases to attach to. @throws KvError KV_LEASE_NOT_FOUND */
export function checkLease(lease: bigint): void {
  if (lease !== NO_LEASE) throw leaseNotFound(lease);
}

/**
 * Puts one key under the revision that is being made.
 *
 * @returns PutResponse without its header
 * @throws KvError KV_KEY_NOT_FOUND when the value or lease of an absent key is to be kept; nothing has changed then
 */
export function put(mvcc: Mvcc, request: PutRequest): Buffer {
  const keeps = request.ignoreValue || request.ignoreLease;
  if (!keeps && !request.prevKv) {
    mvcc.put(request.key, request.value, request.lease);
    return encodePutBody(null);
  }
  const history = mvcc.findLive(request.key);
  const previous = history === undefined ? null : mvcc.readNewest(history);
  let { value, lease } = request;
  if (keeps) {
    if (previous === null) throw keyNotFound();
    const kept = decodeKeyValue(previous);
    if (request.ignoreValue) value = kept.value;
    if (request.ignoreLease) lease = kept.lease;
  }
  mvcc.put(request.key, value, lease);
  return encodePutBody(request.prevKv ? previous : null);
}

/**
 * Deletes what an interval holds, in key order, under the revision that is being made.
 *
 * @returns DeleteRangeResponse without its header
 */
export function deleteRange(mvcc: Mvcc, request: DeleteRangeRequest): Buffer {
  const previous: Buffer[] = [];
  let deleted = 0;
  const remove = (key: Key, history: KeyHistory): boolean => {
    if (!history.isLive) return false;
    if (request.prevKv) previous.push(mvcc.readNewest(history));
    mvcc.delete(key, history);
    deleted++;
    return false;
  };
  if (request.rangeEnd === '') {
    const history = mvcc.findLive(request.key);
    if (history !== undefined) remove(request.key, history);
  } else {
    mvcc.index.visit(request.key, endOf(request.key, request.rangeEnd), remove);
  }
  return encodeDeleteRangeBody(deleted, previous);
}
