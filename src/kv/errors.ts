import { RaftkvError } from '../lib/errors.js';

/** Why a request could not be done. Nothing changed. api/errors.ts turns each code into etcd's status and text. */
export class KvError extends RaftkvError {
  constructor(
    readonly code: KvErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export type KvErrorCode =
  | 'KV_EMPTY_KEY'
  | 'KV_KEY_NOT_FOUND'
  | 'KV_VALUE_PROVIDED'
  | 'KV_LEASE_PROVIDED'
  | 'KV_TOO_MANY_OPERATIONS'
  | 'KV_DUPLICATE_KEY'
  | 'KV_INVALID_SORT_OPTION'
  | 'KV_COMPACTED'
  | 'KV_FUTURE_REVISION'
  | 'KV_LEASE_NOT_FOUND'
  | 'KV_MALFORMED_REQUEST';

export function compacted(revision: number, compactRevision: number): KvError {
  return new KvError('KV_COMPACTED', `revision ${revision} has been compacted, history begins at ${compactRevision}`);
}

export function futureRevision(revision: number, current: number): KvError {
  return new KvError('KV_FUTURE_REVISION', `revision ${revision} is in the future, the store is at ${current}`);
}

export function keyNotFound(): KvError {
  return new KvError(
    'KV_KEY_NOT_FOUND',
    'the key does not exist, expected it to because its value or lease is to be kept',
  );
}

export function leaseNotFound(lease: bigint): KvError {
  return new KvError('KV_LEASE_NOT_FOUND', `lease ${lease} does not exist, grant it before attaching keys to it`);
}

/** The store holds something that it cannot have been given, or that this build cannot read. The member must stop. */
export class DamagedStoreError extends RaftkvError {
  readonly code = 'KV_DAMAGED_STORE';

  constructor(
    table: string,
    key: string,
    problem: string,
    remedy = "remove this member's data and let it come back from its peers",
  ) {
    super(`table ${table}, key ${key}: ${problem}; ${remedy}`);
  }
}
