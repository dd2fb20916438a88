import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Makes the names in `directory` durable. A new, renamed or removed file is not before (S07). */
export async function syncDirectory(directory: string): Promise<void> {
  await syncFile(directory);
}

/** Makes the content of a file durable, whoever wrote it. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates `path` and the directories above it, for the owner only, durably. Leaves what exists as it is. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    await syncDirectory(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

/** Replaces a file as a whole: after a crash the old or the new content is found, after this resolves the new one. */
export async function writeFileDurably(path: string, content: Buffer): Promise<void> {
  const incoming = `${path}.new`;
  const handle = await open(incoming, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(incoming, path);
  await syncDirectory(dirname(path));
}

export async function readFileIfAny(path: string): Promise<Buffer | null> {
  return readFile(path).catch(nullIfMissing);
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(nullIfMissing)) !== null;
}

/** Renames within one directory, durably. */
export async function renameDurably(directory: string, from: string, to: string): Promise<void> {
  await rename(join(directory, from), join(directory, to));
  await syncDirectory(directory);
}

/** Removes a file or a directory with all in it, durably. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await syncDirectory(dirname(path));
}

/** For what may be there or not: null instead of ENOENT. */
export function nullIfMissing(thrown: unknown): null {
  if (errorCode(thrown) === 'ENOENT') return null;
  throw thrown;
}

/** The `code` of an error of Node or of Level. */
export function errorCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
