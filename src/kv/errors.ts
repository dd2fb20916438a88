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
