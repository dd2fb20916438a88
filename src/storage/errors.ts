import { RaftkvError } from '../lib/errors.js';

/** What is on disk is not what was written, or not all of it. The member must not start: it could forget what it promised. */
export class DamageError extends RaftkvError {
  readonly code = 'STORAGE_DAMAGE';

  constructor(
    /** The database or file. */
    readonly path: string,
    found: string,
    remedy = WAY_OUT,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${found}; ${remedy}`, options);
  }
}

/** What helps whenever a member's own copy is beyond trust: the cluster still has the data. */
export const WAY_OUT =
  'nothing was changed; leave this member stopped, others of its cluster still have the data, and see docs/operating.md, ' +
  '"A member refuses its data"';

/** Another process, or another member of this process, works in the data directory. */
export class DirectoryLockedError extends RaftkvError {
  readonly code = 'STORAGE_LOCKED';

  constructor(path: string, holder: string) {
    super(
      `data directory ${path} is in use by ${holder}; stop that one first or give this member another data directory`,
    );
  }
}

/** The data directory belongs to another member or another cluster. */
export class OtherMemberError extends RaftkvError {
  readonly code = 'STORAGE_OTHER_MEMBER';
}

/** The data directory was written by a newer version of this program. Nothing was changed. */
export class NewerFormatError extends RaftkvError {
  readonly code = 'STORAGE_NEWER_FORMAT';
}

/** A snapshot or backup stream does not say what its writer wrote. */
export class SnapshotStreamError extends RaftkvError {
  readonly code = 'STORAGE_SNAPSHOT_STREAM';
}
