import { RaftkvError, asError } from '../lib/errors.js';
import { StorageError } from '../raft/errors.js';
import { DamageError, DirectoryLockedError } from './errors.js';
import { errorCode } from './files.js';

/** What Level, LevelDB or the file system threw, in our words. `doing` completes "database X cannot be". */
export function storageFailure(location: string, doing: 'opened' | 'read' | 'written', thrown: unknown): Error {
  if (thrown instanceof RaftkvError) return thrown;
  const error = asError(thrown);
  // Level wraps what LevelDB says when it opens.
  const cause = errorCode(error) === 'LEVEL_DATABASE_NOT_OPEN' ? asError(error.cause ?? error) : error;
  const code = errorCode(cause);
  if (code === 'LEVEL_LOCKED') return new DirectoryLockedError(location, 'another open database');
  if (code === 'LEVEL_CORRUPTION') return new DamageError(location, cause.message, undefined, { cause });
  return new StorageError(`database ${location} cannot be ${doing}: ${cause.message}; check the disk, then restart`, {
    cause,
  });
}
