import { DELIMITED, VARINT, tagOf } from './reader.js';
import { WireWriter, varintSize, writeVarint } from './writer.js';

/*
 * Bodies of the responses: everything but the header, which is field 1 and differs from member to member.
 */

export const EMPTY_BODY: Buffer = Buffer.alloc(0);

/** RangeResponse. `kvs` are encoded KeyValues. */
export function encodeRangeBody(kvs: readonly Buffer[], more: boolean, count: number): Buffer {
  let size = (more ? 2 : 0) + (count > 0 ? 1 + varintSize(count) : 0);
  for (const kv of kvs) size += 1 + varintSize(kv.length) + kv.length;
  const body = Buffer.allocUnsafe(size);
  let position = 0;
  for (const kv of kvs) position = writeMessage(body, position, 2, kv);
  if (more) {
    body[position++] = tagOf(3, VARINT);
    body[position++] = 1;
  }
  if (count > 0) {
    body[position++] = tagOf(4, VARINT);
    writeVarint(body, position, count);
  }
  return body;
}

/** PutResponse. */
export function encodePutBody(prevKv: Buffer | null): Buffer {
  if (prevKv === null) return EMPTY_BODY;
  const body = Buffer.allocUnsafe(1 + varintSize(prevKv.length) + prevKv.length);
  writeMessage(body, 0, 2, prevKv);
  return body;
}

/** DeleteRangeResponse. */
export function encodeDeleteRangeBody(deleted: number, prevKvs: readonly Buffer[]): Buffer {
  if (deleted === 0) return EMPTY_BODY;
  const writer = new WireWriter().int53(2, deleted);
  for (const kv of prevKvs) writer.message(3, kv);
  return writer.finish();
}

/** TxnResponse. `responses` are encoded ResponseOps. */
export function encodeTxnBody(succeeded: boolean, responses: readonly Buffer[]): Buffer {
  const writer = new WireWriter().bool(2, succeeded);
  for (const response of responses) writer.message(3, response);
  return writer.finish();
}

/** The numbers of the members of ResponseOp's oneof. */
export const RESPONSE_OP_FIELD = { range: 1, put: 2, deleteRange: 3, txn: 4 } as const;

/**
 * ResponseOp: the header of a result within a transaction carries nothing but the revision, and that of a nested
 * transaction, for which `revision` is 0, not even that.
 */
export function encodeResponseOp(kind: keyof typeof RESPONSE_OP_FIELD, revision: number, body: Buffer): Buffer {
  const header = new WireWriter().message(1, new WireWriter().int53(3, revision).finish()).finish();
  return new WireWriter().message(RESPONSE_OP_FIELD[kind], header, body).finish();
}

function writeMessage(target: Buffer, position: number, field: number, message: Buffer): number {
  target[position++] = tagOf(field, DELIMITED);
  position = writeVarint(target, position, message.length);
  target.set(message, position);
  return position + message.length;
}
