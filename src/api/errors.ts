import { KvError, type KvErrorCode } from '../kv/errors.js';
import type { Logger } from '../lib/logger.js';
import { MemberError, type MemberErrorCode } from '../member/errors.js';
import { Status, type CallStatus } from './handlers.js';

/*
 * What clients see of our errors: etcd's status and etcd's text, to the letter. Clients match on the text, and take some
 * statuses as "surely not done" (INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, OUT_OF_RANGE, PERMISSION_DENIED,
 * UNAUTHENTICATED): a write of unknown outcome must never get one of those.
 */
const STATUSES: Readonly<Record<Exclude<KvErrorCode, 'KV_MALFORMED_REQUEST'> | MemberErrorCode, CallStatus>> = {
  KV_EMPTY_KEY: etcd(Status.INVALID_ARGUMENT, 'key is not provided'),
  KV_KEY_NOT_FOUND: etcd(Status.INVALID_ARGUMENT, 'key not found'),
  KV_VALUE_PROVIDED: etcd(Status.INVALID_ARGUMENT, 'value is provided'),
  KV_LEASE_PROVIDED: etcd(Status.INVALID_ARGUMENT, 'lease is provided'),
  KV_TOO_MANY_OPERATIONS: etcd(Status.INVALID_ARGUMENT, 'too many operations in txn request'),
  KV_DUPLICATE_KEY: etcd(Status.INVALID_ARGUMENT, 'duplicate key given in txn request'),
  KV_INVALID_SORT_OPTION: etcd(Status.INVALID_ARGUMENT, 'invalid sort option'),
  KV_COMPACTED: etcd(Status.OUT_OF_RANGE, 'mvcc: required revision has been compacted'),
  KV_FUTURE_REVISION: etcd(Status.OUT_OF_RANGE, 'mvcc: required revision is a future revision'),
  KV_LEASE_NOT_FOUND: etcd(Status.NOT_FOUND, 'requested lease not found'),
  MEMBER_TIMEOUT: etcd(Status.UNAVAILABLE, 'request timed out'),
  MEMBER_TIMEOUT_LEADER_FAILURE: etcd(Status.UNAVAILABLE, 'request timed out, possibly due to previous leader failure'),
  MEMBER_LEADER_CHANGED: etcd(Status.UNAVAILABLE, 'leader changed'),
  MEMBER_NO_LEADER: etcd(Status.UNAVAILABLE, 'no leader'),
  // etcd defines RESOURCE_EXHAUSTED for it, but this is what it sends.
  MEMBER_TOO_MANY_REQUESTS: etcd(Status.UNKNOWN, 'too many requests'),
  MEMBER_REQUEST_TOO_LARGE: etcd(Status.INVALID_ARGUMENT, 'request is too large'),
  MEMBER_STOPPED: etcd(Status.UNAVAILABLE, 'server stopped'),
  MEMBER_NOT_LEADER: etcd(Status.FAILED_PRECONDITION, 'not leader'),
  MEMBER_BAD_TRANSFEREE: etcd(Status.FAILED_PRECONDITION, 'bad leader transferee'),
};

export const NO_LEADER = STATUSES.MEMBER_NO_LEADER;
export const SERVER_STOPPED = STATUSES.MEMBER_STOPPED;
export const LEADER_TRANSFER_TIMEOUT = etcd(Status.UNKNOWN, 'request timed out, leader transfer took too long');
export const DEADLINE_PASSED: CallStatus = { code: Status.DEADLINE_EXCEEDED, message: 'context deadline exceeded' };

/** How a call that failed with `error` looks to its client. What we have no name for is a bug, and logged as one. */
export function statusOf(error: Error, logger: Logger): CallStatus {
  if (error instanceof KvError) {
    if (error.code !== 'KV_MALFORMED_REQUEST') return STATUSES[error.code];
    return { code: Status.INTERNAL, message: error.message };
  }
  if (error instanceof MemberError) return STATUSES[error.code];
  logger.error({ err: error }, 'request failed unexpectedly');
  return { code: Status.UNKNOWN, message: `unexpected error, see the log of this member: ${error.message}` };
}

/** A status with the prefix that most of etcd's texts have. */
export function etcd(code: Status, text: string): CallStatus {
  return { code, message: `etcdserver: ${text}` };
}
