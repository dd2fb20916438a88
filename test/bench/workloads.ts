import { randomBytes, randomInt } from 'node:crypto';
import { methods } from '../wire/etcd-messages.js';
import { framed, type Reply } from '../wire/grpc-connection.js';
import { encode } from '../wire/protobuf.js';

/** One kind of request, ready to be sent many times. */
export interface Workload {
  readonly name: string;
  readonly path: string;
  readonly isWrite: boolean;
  /** The next request, framed. */
  readonly next: () => Buffer;
  /** Whether `reply` is the right answer. */
  readonly isRight: (reply: Reply) => boolean;
}

const VALUE_BYTES = 256;
/** Random keys are uniform over as many. */
const KEYS = 1_000_000;
const KEY_DIGITS = 8;
const FRAME_PREFIX_BYTES = 5;

export const benchKey = 'key-00000001';
export const benchValue = randomBytes(VALUE_BYTES);

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const HEADER_TAG = 0x0a;
const KVS_TAG = 0x12;
const REVISION_TAG = 0x18;
const VALUE_TAG = 0x2a;

/**
 * Finds the field with `tag` in the message that is `bytes` from `start` to `end`; gives the place of its payload. A
 * generator of load reads every reply, so this allocates nothing but the answer.
 */
function find(bytes: Buffer, tag: number, start: number, end: number): { start: number; end: number } | null {
  for (let at = start; at < end;) {
    const found = bytes[at++] ?? 0;
    let number = 0;
    for (let shift = 1, more = true; more; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      number += (byte & 0x7f) * shift;
      more = byte >= 0x80;
    }
    const wireType = found & 7;
    if (wireType !== WIRE_BYTES && wireType !== WIRE_VARINT) return null;
    const length = wireType === WIRE_BYTES ? number : 0;
    if (at + length > end) return null;
    if (found === tag) return wireType === WIRE_BYTES ? { start: at, end: at + length } : { start: number, end: at };
    at += length;
  }
  return null;
}

/** Whether `reply` is one whole message that begins with a header that names a revision. */
function hasHeader({ status, body }: Reply): boolean {
  if (status !== 0 || body.length < FRAME_PREFIX_BYTES || body[0] !== 0) return false;
  if (body.readUInt32BE(1) !== body.length - FRAME_PREFIX_BYTES) return false;
  const header = find(body, HEADER_TAG, FRAME_PREFIX_BYTES, body.length);
  if (header === null) return false;
  const revision = find(body, REVISION_TAG, header.start, header.end);
  return revision !== null && revision.start > 1;
}

/** Whether `reply` holds the one key that was asked for, with its value. */
function hasValue(reply: Reply): boolean {
  if (!hasHeader(reply)) return false;
  const { body } = reply;
  const kv = find(body, KVS_TAG, FRAME_PREFIX_BYTES, body.length);
  const value = kv === null ? null : find(body, VALUE_TAG, kv.start, kv.end);
  if (value === null) return false;
  return body.compare(benchValue, 0, VALUE_BYTES, value.start, value.end) === 0;
}

const putFrame = framed(encode(methods.put.request, { key: benchKey, value: benchValue }));
const digitsAt = putFrame.indexOf(benchKey) + 'key-'.length;

function putOnRandomKey(): Buffer {
  const frame = Buffer.from(putFrame);
  frame.write(String(randomInt(KEYS)).padStart(KEY_DIGITS, '0'), digitsAt, 'latin1');
  return frame;
}

function range(name: string, serializable: boolean): Workload {
  const frame = framed(encode(methods.range.request, { key: benchKey, serializable: serializable || undefined }));
  return { name, path: methods.range.path, isWrite: false, next: () => frame, isRight: hasValue };
}

const put = { path: methods.put.path, isWrite: true, isRight: hasHeader };

export const workloads = {
  put: { ...put, name: 'put', next: () => putFrame },
  putRandom: { ...put, name: 'put, random keys', next: putOnRandomKey },
  range: range('range', false),
  serializable: range('serializable range', true),
} as const satisfies Record<string, Workload>;
