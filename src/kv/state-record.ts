import { crc32 } from '../lib/crc32.js';
import { DamagedStoreError } from './errors.js';
import { FIRST_REVISION, NEVER_COMPACTED } from './mvcc.js';
import type { KvStore, KvWrite } from './ports.js';

/** How far the store is. It is part of every batch, so it is never ahead of what it describes, nor behind. */
export interface StateRecord {
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  readonly revision: number;
  /** Scheduled: the logical compact revision. */
  readonly compactRevision: number;
  /** Finished: up to here everything unreachable has been removed. */
  readonly finishedCompactRevision: number;
  /** Records in the table `revision`. */
  readonly revisionRecords: number;
  /** Records in the table `member`. */
  readonly memberRecords: number;
}

export const FRESH_STATE: StateRecord = {
  appliedIndex: 0,
  appliedTerm: 0,
  revision: FIRST_REVISION,
  compactRevision: NEVER_COMPACTED,
  finishedCompactRevision: NEVER_COMPACTED,
  revisionRecords: 0,
  memberRecords: 0,
};

/*
 * In the table `meta`, under `state`:
 *
 *   offset  size  field
 *        0     4  CRC-32 of the rest
 *        4     1  version of the format of all three tables
 *        5     8  applied index, and so on: seven numbers, big-endian; the two compact revisions plus one
 */
const KEY = Buffer.from('state');
const FORMAT = 1;
const NUMBERS_AT = 5;
const NUMBER_BYTES = 8;
const RECORD_BYTES = NUMBERS_AT + 7 * NUMBER_BYTES;

export function stateWrite(state: StateRecord): KvWrite {
  const value = Buffer.alloc(RECORD_BYTES);
  value[4] = FORMAT;
  const numbers = [
    state.appliedIndex,
    state.appliedTerm,
    state.revision,
    state.compactRevision + 1,
    state.finishedCompactRevision + 1,
    state.revisionRecords,
    state.memberRecords,
  ];
  for (const [position, number] of numbers.entries()) {
    value.writeBigUInt64BE(BigInt(number), NUMBERS_AT + position * NUMBER_BYTES);
  }
  value.writeUInt32BE(crc32(value.subarray(4)), 0);
  return { table: 'meta', key: KEY, value };
}

/** null for a store that was never written to. @throws DamagedStoreError, also when a newer build has written it (S24) */
export function readState(store: Pick<KvStore, 'get'>): StateRecord | null {
  const value = store.get('meta', KEY);
  if (value === undefined) return null;
  if (value.length < NUMBERS_AT || crc32(value.subarray(4)) !== value.readUInt32BE(0)) {
    throw new DamagedStoreError('meta', 'state', 'the checksum does not match');
  }
  const format = value[4];
  if (format !== FORMAT || value.length !== RECORD_BYTES) {
    const problem = `format ${format} is unknown, this build reads format ${FORMAT}`;
    throw new DamagedStoreError('meta', 'state', problem, 'start the build that wrote it, nothing has been changed');
  }
  const number = (position: number): number => Number(value.readBigUInt64BE(NUMBERS_AT + position * NUMBER_BYTES));
  return {
    appliedIndex: number(0),
    appliedTerm: number(1),
    revision: number(2),
    compactRevision: number(3) - 1,
    finishedCompactRevision: number(4) - 1,
    revisionRecords: number(5),
    memberRecords: number(6),
  };
}
