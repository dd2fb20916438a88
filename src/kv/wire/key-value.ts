import type { Key } from '../key.js';
import { DELIMITED, VARINT, WireReader, tagOf } from './reader.js';
import type { KeyValue } from './requests.js';
import { bigVarintSize, varintSize, writeBigVarint, writeVarint } from './writer.js';

/*
 * mvccpb.KeyValue is also the form in which the state machine stores a key at a revision, so that a read copies the bytes
 * into the reply as they are. All fields but the lease are numbered below 16: their tags take one byte.
 */

const KEY = tagOf(1, DELIMITED);
const CREATE_REVISION = tagOf(2, VARINT);
const MOD_REVISION = tagOf(3, VARINT);
const VERSION = tagOf(4, VARINT);
const VALUE = tagOf(5, DELIMITED);
const LEASE = tagOf(6, VARINT);

/** Encodes with room for `headroom` bytes of the caller's in front. A `version` of 0 is a deletion: only key and modRevision. */
export function encodeKeyValue(
  headroom: number,
  key: Key,
  createRevision: number,
  modRevision: number,
  version: number,
  value: Uint8Array,
  lease: bigint,
): Buffer {
  let size = headroom + 2 + varintSize(key.length) + key.length + varintSize(modRevision);
  if (version > 0) {
    size += 2 + varintSize(createRevision) + varintSize(version);
    if (value.length > 0) size += 1 + varintSize(value.length) + value.length;
    if (lease !== 0n) size += 1 + bigVarintSize(lease);
  }
  const target = Buffer.allocUnsafe(size);
  let position = headroom;
  target[position++] = KEY;
  position = writeVarint(target, position, key.length);
  position += target.write(key, position, 'latin1');
  if (version > 0) {
    target[position++] = CREATE_REVISION;
    position = writeVarint(target, position, createRevision);
  }
  target[position++] = MOD_REVISION;
  position = writeVarint(target, position, modRevision);
  if (version > 0) {
    target[position++] = VERSION;
    position = writeVarint(target, position, version);
    if (value.length > 0) {
      target[position++] = VALUE;
      position = writeVarint(target, position, value.length);
      target.set(value, position);
      position += value.length;
    }
    if (lease !== 0n) {
      target[position++] = LEASE;
      writeBigVarint(target, position, lease);
    }
  }
  return target;
}

const FIELDS = [undefined, 'Key', 'CreateRevision', 'ModRevision', 'Version', 'Value', 'Lease'];

/** @throws KvError KV_MALFORMED_REQUEST */
export function decodeKeyValue(bytes: Uint8Array): KeyValue {
  const reader = new WireReader(bytes);
  let key: Key = '';
  let createRevision = 0;
  let modRevision = 0;
  let version = 0;
  let value: Buffer = Buffer.alloc(0);
  let lease = 0n;
  while (!reader.atEnd()) {
    const tag = reader.tag('KeyValue');
    if (tag === KEY) key = reader.key();
    else if (tag === CREATE_REVISION) createRevision = reader.int53();
    else if (tag === MOD_REVISION) modRevision = reader.int53();
    else if (tag === VERSION) version = reader.int53();
    else if (tag === VALUE) value = reader.bytes();
    else if (tag === LEASE) lease = reader.int64();
    else reader.skip(tag, FIELDS);
  }
  return { key, createRevision, modRevision, version, value, lease };
}

/** The same KeyValue with an empty value, possibly as a view. */
export function keyValueWithoutValue(kv: Buffer): Buffer {
  const reader = new WireReader(kv);
  while (!reader.atEnd()) {
    const start = reader.position;
    const tag = reader.tag('KeyValue');
    reader.skip(tag, []);
    if (tag !== VALUE) continue;
    const before = kv.subarray(0, start);
    return reader.atEnd() ? before : Buffer.concat([before, kv.subarray(reader.position)]);
  }
  return kv;
}
