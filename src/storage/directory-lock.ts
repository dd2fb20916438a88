import { readFileSync } from 'node:fs';
import { readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { DamageError, DirectoryLockedError } from './errors.js';
import { errorCode, nullIfMissing } from './files.js';
import { storageFailure } from './level-errors.js';

/** An empty LevelDB of its own: the operating system lets go of its lock when the process dies, however it dies. */
const LOCK_DATABASE = 'lock';
/** Who holds the lock, for messages and for file systems whose locks do not work. */
const OWNER_FILE = 'owner.json';

/** Directories that this process holds: a file lock does not keep a process out from itself. By their real path. */
const held = new Set<string>();

/** One process on this boot of this machine. A process id alone is used again, all the more in containers. */
interface Owner {
  readonly pid: number;
  readonly bootId: string;
  /** Clock ticks from boot to the start of the process. */
  readonly startTime: string;
}

/** Held while a member works in a data directory (S12). */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Locks a data directory that exists. A lock left by a killed process is no obstacle.
 * @throws DirectoryLockedError when another process, or this one already, has it.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const key = await realpath(directory);
  if (held.has(key)) throw new DirectoryLockedError(directory, `another member in this process (pid ${process.pid})`);
  held.add(key);
  try {
    const database = await openLockDatabase(directory);
    try {
      await claim(directory);
    } catch (thrown) {
      await database.close();
      throw thrown;
    }
    return { release: () => release(directory, key, database) };
  } catch (thrown) {
    held.delete(key);
    throw thrown;
  }
}

async function release(directory: string, key: string, database: Level): Promise<void> {
  await rm(join(directory, OWNER_FILE), { force: true });
  await database.close();
  held.delete(key);
}

async function openLockDatabase(directory: string): Promise<Level> {
  const path = join(directory, LOCK_DATABASE);
  const database = new Level(path, { compression: false });
  try {
    await database.open();
    return database;
  } catch (thrown) {
    const failure = storageFailure(path, 'opened', thrown);
    if (failure instanceof DirectoryLockedError) {
      const owner = await readOwner(directory);
      throw new DirectoryLockedError(directory, owner === null ? 'another process' : `process ${owner.pid}`);
    }
    if (!(failure instanceof DamageError)) throw failure;
    const remedy = 'if no member runs here, remove this directory: it holds no data';
    throw new DamageError(path, 'the lock is damaged', remedy, { cause: failure });
  }
}

/** Second line of defence: some network file systems grant every lock. */
async function claim(directory: string): Promise<void> {
  const owner = await readOwner(directory);
  if (owner !== null && isAlive(owner)) throw new DirectoryLockedError(directory, `process ${owner.pid}`);
  await writeFile(join(directory, OWNER_FILE), JSON.stringify(self()), { mode: 0o600 });
}

/** null when nobody has signed, or what is there was cut off by a crash. */
async function readOwner(directory: string): Promise<Owner | null> {
  const text = await readFile(join(directory, OWNER_FILE), 'utf8').catch(nullIfMissing);
  const fields = /^\{"pid":(\d+),"bootId":"([^"]*)","startTime":"([^"]*)"\}$/.exec(text ?? '');
  if (fields === null) return null;
  return { pid: Number(fields[1]), bootId: fields[2]!, startTime: fields[3]! };
}

/** Our own id in the file is an earlier life's: this process holds no lock here, or it would not ask. */
function isAlive(owner: Owner): boolean {
  if (owner.pid === process.pid || owner.bootId !== bootId()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (thrown) {
    if (errorCode(thrown) === 'ESRCH') return false;
  }
  return startTimeOf(owner.pid) === owner.startTime;
}

function self(): Owner {
  return { pid: process.pid, bootId: bootId(), startTime: startTimeOf(process.pid) };
}

/** Empty where the system does not tell; then the process id alone must do. */
function bootId(): string {
  return procFile('sys/kernel/random/boot_id').trim();
}

function startTimeOf(pid: number): string {
  // The second field is the program's name in parentheses and may hold anything; the start time is the 22nd.
  return procFile(`${pid}/stat`).split(') ').at(-1)?.split(' ')[19] ?? '';
}

function procFile(name: string): string {
  try {
    return readFileSync(`/proc/${name}`, 'latin1');
  } catch (thrown) {
    if (['ENOENT', 'EACCES', 'ESRCH'].includes(errorCode(thrown) ?? '')) return '';
    throw thrown;
  }
}
