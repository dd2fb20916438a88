import type { CompactionRequest, Compare, DeleteRangeRequest, PutRequest, RangeRequest } from './requests.js';
import { CompareTarget, type RequestOp, type TxnRequest } from './requests.js';
import { WireWriter } from './writer.js';

/*
 * Requests as a client of the key space sends them. A field left out has its default: 0, empty or false.
 */

export function encodeRangeRequest(request: Partial<RangeRequest>): Buffer {
  return new WireWriter()
    .key(1, request.key ?? '')
    .key(2, request.rangeEnd ?? '')
    .int53(3, request.limit ?? 0)
    .int53(4, request.revision ?? 0)
    .int53(5, request.sortOrder ?? 0)
    .int53(6, request.sortTarget ?? 0)
    .bool(7, request.serializable ?? false)
    .bool(8, request.keysOnly ?? false)
    .bool(9, request.countOnly ?? false)
    .int53(10, request.minModRevision ?? 0)
    .int53(11, request.maxModRevision ?? 0)
    .int53(12, request.minCreateRevision ?? 0)
    .int53(13, request.maxCreateRevision ?? 0)
    .finish();
}

export function encodePutRequest(request: Partial<PutRequest>): Buffer {
  return new WireWriter()
    .key(1, request.key ?? '')
    .bytes(2, request.value ?? Buffer.alloc(0))
    .int64(3, request.lease ?? 0n)
    .bool(4, request.prevKv ?? false)
    .bool(5, request.ignoreValue ?? false)
    .bool(6, request.ignoreLease ?? false)
    .finish();
}

export function encodeDeleteRangeRequest(request: Partial<DeleteRangeRequest>): Buffer {
  return new WireWriter()
    .key(1, request.key ?? '')
    .key(2, request.rangeEnd ?? '')
    .bool(3, request.prevKv ?? false)
    .finish();
}

export function encodeTxnRequest(request: Partial<TxnRequest>): Buffer {
  const writer = new WireWriter();
  for (const compare of request.compare ?? []) writer.message(1, encodeCompare(compare));
  for (const operation of request.success ?? []) writer.message(2, encodeRequestOp(operation));
  for (const operation of request.failure ?? []) writer.message(3, encodeRequestOp(operation));
  return writer.finish();
}

export function encodeCompactionRequest(request: Partial<CompactionRequest>): Buffer {
  return new WireWriter()
    .int53(1, request.revision ?? 0)
    .bool(2, request.physical ?? false)
    .finish();
}

function encodeRequestOp(operation: RequestOp): Buffer {
  const writer = new WireWriter();
  if (operation.kind === 'range') writer.message(1, encodeRangeRequest(operation.request));
  else if (operation.kind === 'put') writer.message(2, encodePutRequest(operation.request));
  else if (operation.kind === 'deleteRange') writer.message(3, encodeDeleteRangeRequest(operation.request));
  else if (operation.kind === 'txn') writer.message(4, encodeTxnRequest(operation.request));
  return writer.finish();
}

/** A right side of zero is left out: it means the same. */
function encodeCompare(compare: Compare): Buffer {
  const { target } = compare;
  const writer = new WireWriter().int53(1, compare.result).int53(2, target).key(3, compare.key);
  if (target === CompareTarget.value) writer.bytes(7, compare.value);
  else if (target === CompareTarget.lease) writer.int64(8, compare.lease);
  else if (target >= CompareTarget.version && target <= CompareTarget.mod) writer.int53(4 + target, compare.number);
  return writer.key(64, compare.rangeEnd).finish();
}
