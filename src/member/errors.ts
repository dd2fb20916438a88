import { RaftkvError } from '../lib/errors.js';

/** Why a member could not do what it was asked. api/errors.ts turns each code into etcd's status and text. */
export class MemberError extends RaftkvError {
  constructor(
    readonly code: MemberErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * | code                          | was a write done?                                                    |
 * |-------------------------------|----------------------------------------------------------------------|
 * | MEMBER_TIMEOUT                | unknown                                                              |
 * | MEMBER_TIMEOUT_LEADER_FAILURE | unknown; the leader changed while it waited                          |
 * | MEMBER_LEADER_CHANGED         | no: another entry took its place, or the read was not confirmed      |
 * | MEMBER_NO_LEADER              | no                                                                   |
 * | MEMBER_TOO_MANY_REQUESTS      | no: refused before anything was appended                             |
 * | MEMBER_REQUEST_TOO_LARGE      | no: refused before anything was appended                             |
 * | MEMBER_STOPPED                | unknown if it was under way, no if it comes at once                   |
 */
export type MemberErrorCode =
  | 'MEMBER_TIMEOUT'
  | 'MEMBER_TIMEOUT_LEADER_FAILURE'
  | 'MEMBER_LEADER_CHANGED'
  | 'MEMBER_NO_LEADER'
  | 'MEMBER_TOO_MANY_REQUESTS'
  | 'MEMBER_REQUEST_TOO_LARGE'
  | 'MEMBER_STOPPED'
  | 'MEMBER_NOT_LEADER'
  | 'MEMBER_BAD_TRANSFEREE';
