import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asError } from '../../lib/errors.js';
import { DamageError } from '../errors.js';
import { LogFormatError, readLog } from './log-format.js';
import { checkTable } from './table-format.js';
import { type Version, readVersion } from './version-edit.js';

/** Sequence number and count that LevelDB writes before the operations of a batch. */
const BATCH_HEADER_BYTES = 12;

/**
 * Proves, before LevelDB opens it, that a database is whole: CURRENT, MANIFEST, every block of every table, every record
 * of every write-ahead log, and that the sequence numbers of the logs have no gap. LevelDB would start without a damaged
 * batch, a missing log or a bad block, and say nothing (S03, S04, S09, S10). Changes nothing. Reads the whole database once.
 * @throws DamageError that names the file.
 */
export async function checkLevelFiles(directory: string): Promise<void> {
  const names = await readdir(directory);
  const manifest = await currentManifest(directory, names);
  const version = await parsed(join(directory, manifest), (bytes) => readVersion(readLog(bytes).records));
  await checkTables(directory, names, version);
  await checkLogs(directory, names, version);
}

async function currentManifest(directory: string, names: readonly string[]): Promise<string> {
  const path = join(directory, 'CURRENT');
  if (!names.includes('CURRENT'))
    throw new DamageError(path, 'the file is missing, expected the name of a MANIFEST in it');
  const name = /^(MANIFEST-\d{6,})\n$/.exec(await readFile(path, 'latin1'))?.[1];
  if (name === undefined) throw new DamageError(path, 'expected the name of a MANIFEST in it, found something else');
  if (!names.includes(name)) throw new DamageError(join(directory, name), 'the file is missing, CURRENT names it');
  return name;
}

async function checkTables(directory: string, names: readonly string[], version: Version): Promise<void> {
  for (const [number, sizeBytes] of version.tables) {
    const name = [fileName(number, 'ldb'), fileName(number, 'sst')].find((candidate) => names.includes(candidate));
    const path = join(directory, name ?? fileName(number, 'ldb'));
    if (name === undefined) throw new DamageError(path, 'the table is missing, the MANIFEST names it');
    await parsed(path, (bytes) => {
      if (bytes.length !== sizeBytes) throw new LogFormatError(`it has ${bytes.length} bytes, expected ${sizeBytes}`);
      checkTable(bytes);
    });
  }
}

async function checkLogs(directory: string, names: readonly string[], version: Version): Promise<void> {
  const numbers = names
    .map((name) => /^(\d{6,})\.log$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .filter((number) => number >= version.logNumber)
    .sort((a, b) => a - b);
  // Number 0 means that LevelDB stopped while it created the database, before the first log.
  if (version.logNumber > 0 && numbers[0] !== version.logNumber) {
    throw new DamageError(
      join(directory, fileName(version.logNumber, 'log')),
      'the log is missing, the MANIFEST names it',
    );
  }
  let next: number | null = null;
  for (const number of numbers) {
    const expected: number | null = next;
    next = await parsed(join(directory, fileName(number, 'log')), (bytes) =>
      checkSequence(readLog(bytes).records, expected, version.lastSequence + 1),
    );
  }
}

/** The sequence number after the last batch. The first batch of all may be as late as `latestStart`. */
function checkSequence(batches: readonly Buffer[], expected: number | null, latestStart: number): number | null {
  let next = expected;
  for (const batch of batches) {
    if (batch.length < BATCH_HEADER_BYTES) throw new LogFormatError(`a batch has only ${batch.length} bytes`);
    const sequence = Number(batch.readBigUInt64LE(0));
    if (next === null ? sequence > latestStart : sequence !== next) {
      throw new LogFormatError(
        `a batch has sequence number ${sequence}, expected ${next ?? latestStart}: writes are missing`,
      );
    }
    next = sequence + batch.readUInt32LE(8);
  }
  return next;
}

async function parsed<T>(path: string, parse: (bytes: Buffer) => T): Promise<T> {
  const bytes = await readFile(path);
  try {
    return parse(bytes);
  } catch (thrown) {
    if (!(thrown instanceof LogFormatError)) throw thrown;
    throw new DamageError(path, asError(thrown).message, undefined, { cause: thrown });
  }
}

function fileName(number: number, suffix: string): string {
  return `${String(number).padStart(6, '0')}.${suffix}`;
}
