import type { Table } from '../kv/ports.js';
import type { LogIndex } from '../raft/messages.js';
import type { KeyRange } from './disk.js';

/*
 * Every key of both databases of a member: one byte that names the table, then the key within it. Numbers are big-endian,
 * so that the order of bytes is the order of numbers.
 *
 * | database | prefix | rest of the key                  | value                                       |
 * |----------|--------|----------------------------------|---------------------------------------------|
 * | raft     | `e`    | index of the last entry, 8 bytes | consecutive records, raft/entry-codec.ts    |
 * | raft     | `s`    |                                  | state, raft-records.ts                      |
 * | raft     | `m`    |                                  | snapshot marker, raft-records.ts            |
 * | raft     | `i`    |                                  | marker of an unfinished install             |
 * | kv       | `r`    | key in table `revision`          | value, CRC-32 of both (kv-store.ts)         |
 * | kv       | `p`    | key in table `member`            | the same                                    |
 * | kv       | `m`    | key in table `meta`              | the same                                    |
 */

/** Names of the databases within a data directory. */
export const RAFT_DATABASE = 'raft';
export const KV_DATABASE = 'kv';
/** A snapshot on its way in; becomes `kv` when it is whole. */
export const KV_INCOMING_DATABASE = 'kv-incoming';

export const STATE_KEY = Buffer.from('s');
export const MARKER_KEY = Buffer.from('m');
export const INSTALLING_KEY = Buffer.from('i');
export const CHUNK_RANGE: KeyRange = { gte: Buffer.from('e'), lt: Buffer.from('f') };

export function chunkKey(lastIndex: LogIndex): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = CHUNK_RANGE.gte[0]!;
  key.writeBigUInt64BE(BigInt(lastIndex), 1);
  return key;
}

export function lastIndexOf(key: Buffer): LogIndex {
  return Number(key.readBigUInt64BE(1));
}

const TABLE_PREFIX: Record<Table, number> = { revision: 0x72, member: 0x70, meta: 0x6d };
/** Length of the prefix of a table, in bytes. */
export const PREFIX_BYTES = 1;

export function tableKey(table: Table, key: Buffer): Buffer {
  const prefixed = Buffer.allocUnsafe(PREFIX_BYTES + key.length);
  prefixed[0] = TABLE_PREFIX[table];
  prefixed.set(key, PREFIX_BYTES);
  return prefixed;
}

export function tableRange(table: Table): KeyRange {
  return { gte: Buffer.of(TABLE_PREFIX[table]), lt: Buffer.of(TABLE_PREFIX[table] + 1) };
}

/** All tables of the kv database. */
export const EVERYTHING: KeyRange = { gte: Buffer.of(0x00), lt: Buffer.of(0xff) };
