import { RaftkvError } from '../lib/errors.js';

/** A log record whose bytes do not say what was written. The member must stop: guessing could lose a commit. */
export class CorruptRecordError extends RaftkvError {
  readonly code = 'RAFT_CORRUPT_RECORD';
}

/** The disk refused or failed to make something durable. The member must stop; nothing may be retried (a later sync can lie). */
export class StorageError extends RaftkvError {
  readonly code = 'RAFT_STORAGE';
}

/** The member asked is not the leader. Nothing was appended: safe to ask another. */
export class NotLeaderError extends RaftkvError {
  readonly code = 'RAFT_NOT_LEADER';
}

/** More is waiting than the member is willing to hold. Nothing was appended. */
export class OverloadedError extends RaftkvError {
  readonly code = 'RAFT_OVERLOADED';
}

/** The member is stopping or has stopped. */
export class StoppedError extends RaftkvError {
  readonly code = 'RAFT_STOPPED';
}

/** Leadership could not be handed over. */
export class TransferError extends RaftkvError {
  readonly code = 'RAFT_TRANSFER';
}

/** Something that Raft proves impossible has happened: a bug, or damage that no check caught. The member must stop. */
export class InvariantError extends RaftkvError {
  readonly code = 'RAFT_INVARIANT';
}
