import { LogFormatError } from './log-format.js';

/*
 * A record of LevelDB's MANIFEST: what changed in the set of files. A row of fields, each a tag and its values, numbers
 * as varints, keys as length and bytes.
 */
const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE_NUMBER = 3;
const LAST_SEQUENCE = 4;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;
const PREV_LOG_NUMBER = 9;

/** The files that make up a database, as its MANIFEST tells. */
export interface Version {
  /** Write-ahead logs from this number on hold what no table holds yet. */
  readonly logNumber: number;
  /** Every write up to this sequence number is in a table or in one of those logs. */
  readonly lastSequence: number;
  /** Size in bytes by file number. */
  readonly tables: ReadonlyMap<number, number>;
}

/** @throws LogFormatError when a record holds what LevelDB 1.20 never writes. */
export function readVersion(edits: readonly Buffer[]): Version {
  const tables = new Map<number, number>();
  let logNumber = 0;
  let lastSequence = 0;
  for (const edit of edits) {
    const fields = new FieldReader(edit);
    while (!fields.isAtEnd) {
      const tag = fields.number();
      if (tag === COMPARATOR) fields.skipBytes();
      else if (tag === LOG_NUMBER) logNumber = fields.number();
      else if (tag === NEXT_FILE_NUMBER || tag === PREV_LOG_NUMBER) fields.number();
      else if (tag === LAST_SEQUENCE) lastSequence = fields.number();
      else if (tag === COMPACT_POINTER) fields.skipLevelAndKey();
      else if (tag === DELETED_FILE) tables.delete(fields.levelAndNumber());
      else if (tag === NEW_FILE) fields.newFile(tables);
      else throw new LogFormatError(`field ${tag} of a version edit is unknown`);
    }
  }
  return { logNumber, lastSequence, tables };
}

/** Reads varints and length-prefixed bytes. Numbers stay below 2^53: sequence numbers have 56 bits but start at 1. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new LogFormatError('a number is cut off');
      value += (byte & 127) * scale;
      if (!Number.isSafeInteger(value)) throw new LogFormatError('a number is beyond 2^53 - 1');
      if (byte < 128) return value;
    }
  }

  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new LogFormatError(`${length} bytes are announced, fewer are left`);
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  skipBytes(): void {
    this.bytes(this.number());
  }

  skipLevelAndKey(): void {
    this.number();
    this.skipBytes();
  }

  levelAndNumber(): number {
    this.number();
    return this.number();
  }

  newFile(tables: Map<number, number>): void {
    const number = this.levelAndNumber();
    tables.set(number, this.number());
    this.skipBytes();
    this.skipBytes();
  }
}
