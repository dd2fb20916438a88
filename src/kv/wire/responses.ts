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

/** The numbers of the members of ResponseOp's oneof. */
const RESPONSE_OP_FIELD = { range: 1, put: 2, deleteRange: 3, txn: 4 } as const;

const SUCCEEDED = Buffer.from([tagOf(2, VARINT), 1]);

/**
 * TxnResponse, in parts: transactions nest deeply and hold large ranges, so that everything is copied only once, at the
 * end.
 */
export class TxnBody {
  readonly #parts: Buffer[] = [];
  #size = 0;

  constructor(succeeded: boolean) {
    if (succeeded) this.#add(SUCCEEDED);
  }

  /** @param revision for the header of a result within a transaction, which carries nothing else */
  addResponse(kind: 'range' | 'put' | 'deleteRange', revision: number, body: Buffer): void {
    this.#add(responsePrefix(RESPONSE_OP_FIELD[kind], revision, body.length));
    this.#add(body);
  }

  /** The header of a nested transaction is there, but empty. */
  addNested(body: TxnBody): void {
    this.#add(responsePrefix(RESPONSE_OP_FIELD.txn, 0, body.#size));
    for (const part of body.#parts) this.#add(part);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts, this.#size);
  }

  #add(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
  }
}

/** What stands before a body in `responses`: tag and length of the ResponseOp, of its member, and the member's header. */
function responsePrefix(field: number, revision: number, bodyBytes: number): Buffer {
  const headerBytes = revision === 0 ? 0 : 1 + varintSize(revision);
  const memberBytes = 1 + varintSize(headerBytes) + headerBytes + bodyBytes;
  const operationBytes = 1 + varintSize(memberBytes) + memberBytes;
  const prefix = Buffer.allocUnsafe(1 + varintSize(operationBytes) + operationBytes - bodyBytes);
  prefix[0] = tagOf(3, DELIMITED);
  let position = writeVarint(prefix, 1, operationBytes);
  prefix[position++] = tagOf(field, DELIMITED);
  position = writeVarint(prefix, position, memberBytes);
  prefix[position++] = tagOf(1, DELIMITED);
  position = writeVarint(prefix, position, headerBytes);
  if (revision !== 0) {
    prefix[position++] = tagOf(3, VARINT);
    writeVarint(prefix, position, revision);
  }
  return prefix;
}

function writeMessage(target: Buffer, position: number, field: number, message: Buffer): number {
  target[position++] = tagOf(field, DELIMITED);
  position = writeVarint(target, position, message.length);
  target.set(message, position);
  return position + message.length;
}
