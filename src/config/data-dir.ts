import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { ConfigError } from './errors.js';

/** Makes sure that the data directory is a folder that can be written, creating it with its parents. @throws ConfigError */
export function prepareDataDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (thrown) {
    throw new ConfigError(`--data-dir ${path}: ${reasonOf(thrown as NodeJS.ErrnoException, path)}`);
  }
}

function reasonOf(failure: NodeJS.ErrnoException, path: string): string {
  if (failure.code === 'EEXIST' && !statSync(path).isDirectory()) return 'is a file; name a folder, or remove the file';
  if (failure.code === 'ENOTDIR') return 'a file stands in its path; name another folder';
  if (failure.code === 'EACCES' || failure.code === 'EPERM') return 'cannot be written by this user; change its owner';
  if (failure.code === 'EROFS') return 'lies on a read-only file system; name another folder';
  return failure.message;
}
