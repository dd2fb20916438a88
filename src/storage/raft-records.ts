import { crc32 } from '../lib/crc32.js';
import type { HardState, LogIndex, MemberId, SnapshotMarker, Term } from '../raft/messages.js';

/*
 * The small records of the raft database. Big-endian, closed by the CRC-32 of what precedes it:
 *
 *   state:   currentTerm (8), has voted (1), votedFor (8), lastIndex (8), lastTerm (8)
 *   marker:  index (8), term (8), number of voters (4), voters (8 each)
 */

const STATE_BYTES = 33;
const MARKER_HEADER_BYTES = 20;
const CHECKSUM_BYTES = 4;

/** Written whole with every save: a term and vote, and where the log must end when it is read back. */
export interface StoredState {
  readonly hardState: HardState;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

export function encodeState({ hardState, lastIndex, lastTerm }: StoredState): Buffer {
  const record = Buffer.allocUnsafe(STATE_BYTES + CHECKSUM_BYTES);
  writeNumber(record, hardState.currentTerm, 0);
  record[8] = hardState.votedFor === null ? 0 : 1;
  record.writeBigUInt64BE(hardState.votedFor ?? 0n, 9);
  writeNumber(record, lastIndex, 17);
  writeNumber(record, lastTerm, 25);
  return seal(record);
}

/** null when the bytes are no such record, or damaged. */
export function decodeState(record: Buffer): StoredState | null {
  if (record.length !== STATE_BYTES + CHECKSUM_BYTES || !isIntact(record)) return null;
  return {
    hardState: {
      currentTerm: readNumber(record, 0),
      votedFor: record[8] === 0 ? null : record.readBigUInt64BE(9),
    },
    lastIndex: readNumber(record, 17),
    lastTerm: readNumber(record, 25),
  };
}

export function encodeMarker({ index, term, configuration }: SnapshotMarker): Buffer {
  const { voters } = configuration;
  const record = Buffer.allocUnsafe(MARKER_HEADER_BYTES + 8 * voters.length + CHECKSUM_BYTES);
  writeNumber(record, index, 0);
  writeNumber(record, term, 8);
  record.writeUInt32BE(voters.length, 16);
  voters.forEach((voter, position) => record.writeBigUInt64BE(voter, MARKER_HEADER_BYTES + 8 * position));
  return seal(record);
}

/** null when the bytes are no such record, or damaged. */
export function decodeMarker(record: Buffer): SnapshotMarker | null {
  if (record.length < MARKER_HEADER_BYTES + CHECKSUM_BYTES || !isIntact(record)) return null;
  const count = record.readUInt32BE(16);
  if (record.length !== MARKER_HEADER_BYTES + 8 * count + CHECKSUM_BYTES) return null;
  const voters: MemberId[] = [];
  for (let position = 0; position < count; position++) {
    voters.push(record.readBigUInt64BE(MARKER_HEADER_BYTES + 8 * position));
  }
  return { index: readNumber(record, 0), term: readNumber(record, 8), configuration: { voters } };
}

function seal(record: Buffer): Buffer {
  const end = record.length - CHECKSUM_BYTES;
  record.writeUInt32BE(crc32(record.subarray(0, end)), end);
  return record;
}

function isIntact(record: Buffer): boolean {
  const end = record.length - CHECKSUM_BYTES;
  return record.readUInt32BE(end) === crc32(record.subarray(0, end));
}

function writeNumber(target: Buffer, value: number, offset: number): void {
  target.writeBigUInt64BE(BigInt(value), offset);
}

function readNumber(source: Buffer, offset: number): number {
  return Number(source.readBigUInt64BE(offset));
}
