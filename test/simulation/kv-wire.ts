import { CommandKind } from '../../src/kv/commands.js';
import type { KvResult } from '../../src/kv/results.js';
import type { Compare, KeyValue, Reply, Request, Result, SimpleRequest } from './checkers/kv-model.js';
import { ProtoMessage, ProtoWriter } from './protobuf.js';

/** A field that etcd's requests do not have, and so skip: it carries the id of the operation into the log. */
const ID_FIELD = 1000;
const ID_BYTES = 6;

const RELATIONS = ['=', '>', '<', '!='] as const;
const TARGETS = ['version', 'createRevision', 'modRevision', 'value'] as const;

/** The request as a client's gRPC library would write it. */
export function encodeRequest(request: Request, id: number, serializable = false): Buffer {
  return Buffer.concat([encodeBody(request, serializable), new ProtoWriter().fixed32(ID_FIELD, id).finish()]);
}

/** The id that encodeRequest put in; null when the bytes come from elsewhere. */
export function operationIdOf(bytes: Buffer): number | null {
  const expected = new ProtoWriter().fixed32(ID_FIELD, 0).finish();
  const tail = bytes.subarray(-ID_BYTES);
  const isOurs = tail.length === ID_BYTES && tail.subarray(0, 2).equals(expected.subarray(0, 2));
  return isOurs ? tail.readUInt32LE(2) : null;
}

/** How a request travels: as a command through the log, or as a range. */
export function commandKindOf(request: Request): CommandKind | null {
  switch (request.kind) {
    case 'put':
      return CommandKind.put;
    case 'delete':
      return CommandKind.deleteRange;
    case 'txn':
      return CommandKind.txn;
    case 'compact':
      return CommandKind.compact;
    case 'range':
      return null;
  }
}

function encodeBody(request: Request, serializable: boolean): Buffer {
  if (request.kind === 'compact') return new ProtoWriter().number(1, request.revision).finish();
  if (request.kind !== 'txn') return encodeSimple(request, serializable);
  const writer = new ProtoWriter();
  for (const compare of request.compares) writer.message(1, encodeCompare(compare));
  for (const part of request.success) writer.message(2, encodeOperation(part));
  for (const part of request.failure) writer.message(3, encodeOperation(part));
  return writer.finish();
}

function encodeSimple(request: SimpleRequest, serializable: boolean): Buffer {
  const writer = new ProtoWriter().bytes(1, request.key);
  if (request.kind === 'put') return writer.bytes(2, request.value).number(4, true).finish();
  writer.bytes(2, request.end ?? '');
  if (request.kind === 'delete') return writer.number(3, true).finish();
  return writer.number(3, request.limit).number(4, request.revision).number(7, serializable).finish();
}

function encodeOperation(request: SimpleRequest): Buffer {
  const field = { range: 1, put: 2, delete: 3 }[request.kind];
  return new ProtoWriter().message(field, encodeSimple(request, false)).finish();
}

function encodeCompare({ key, target, relation, operand }: Compare): Buffer {
  const writer = new ProtoWriter()
    .number(1, RELATIONS.indexOf(relation))
    .number(2, TARGETS.indexOf(target))
    .bytes(3, key);
  const field = { version: 4, createRevision: 5, modRevision: 6, value: 7 }[target];
  // The operand is a member of a oneof: it is written even when it holds the default.
  if (typeof operand === 'string') return writer.message(field, Buffer.from(operand)).finish();
  return operand === 0 ? writer.finish() : writer.number(field, operand).finish();
}

/** What a member answered. @throws RangeError when the bytes are no such response. */
export function decodeReply(request: Request, { revision, body }: KvResult): Reply {
  return { revision, result: decodeResult(request, new ProtoMessage(body)) };
}

function decodeResult(request: Request, message: ProtoMessage): Result {
  if (request.kind === 'compact') return { kind: 'compact' };
  if (request.kind !== 'txn') return decodeSimple(request.kind, message);
  const results = message.messages(3).map((response): Result => {
    for (const [field, kind] of [
      [1, 'range'],
      [2, 'put'],
      [3, 'delete'],
    ] as const) {
      const part = response.message(field);
      if (part) return decodeSimple(kind, part);
    }
    throw new RangeError('a response within a transaction is empty');
  });
  return { kind: 'txn', succeeded: message.number(2) !== 0, results };
}

function decodeSimple(kind: SimpleRequest['kind'], message: ProtoMessage): Result {
  if (kind === 'put') {
    const previous = message.message(2);
    return { kind, previous: previous && decodePair(previous) };
  }
  if (kind === 'delete') return { kind, deleted: message.number(2), previous: message.messages(3).map(decodePair) };
  return { kind, kvs: message.messages(2).map(decodePair), count: message.number(4), more: message.number(3) !== 0 };
}

function decodePair(message: ProtoMessage): KeyValue {
  return {
    key: message.text(1),
    value: message.text(5),
    createRevision: message.number(2),
    modRevision: message.number(3),
    version: message.number(4),
  };
}
