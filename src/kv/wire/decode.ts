import type { Key } from '../key.js';
import { DELIMITED, VARINT, WireReader, malformed, tagOf } from './reader.js';
import {
  CompareTarget,
  type CompactionRequest,
  type Compare,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from './requests.js';

/*
 * All decoders take the message alone. What they return may hold views into it. They throw nothing but a KvError with
 * the code KV_MALFORMED_REQUEST.
 */

/** Transactions nested deeper than this are refused: decoding, checking and running them recurses. */
export const MAX_TXN_DEPTH = 256;

const EMPTY: Buffer = Buffer.alloc(0);
const NO_LEASE = 0n;

export function decodeRangeRequest(bytes: Uint8Array): RangeRequest {
  return readRange(new WireReader(bytes));
}

export function decodePutRequest(bytes: Uint8Array): PutRequest {
  return readPut(new WireReader(bytes));
}

export function decodeDeleteRangeRequest(bytes: Uint8Array): DeleteRangeRequest {
  return readDeleteRange(new WireReader(bytes));
}

export function decodeTxnRequest(bytes: Uint8Array): TxnRequest {
  return readTxn(new WireReader(bytes), 1);
}

const RANGE_FIELDS = [
  undefined,
  'Key',
  'RangeEnd',
  'Limit',
  'Revision',
  'SortOrder',
  'SortTarget',
  'Serializable',
  'KeysOnly',
  'CountOnly',
  'MinModRevision',
  'MaxModRevision',
  'MinCreateRevision',
  'MaxCreateRevision',
];

function readRange(reader: WireReader): RangeRequest {
  let key: Key = '';
  let rangeEnd: Key = '';
  let limit = 0;
  let revision = 0;
  let sortOrder = 0;
  let sortTarget = 0;
  let serializable = false;
  let keysOnly = false;
  let countOnly = false;
  let minModRevision = 0;
  let maxModRevision = 0;
  let minCreateRevision = 0;
  let maxCreateRevision = 0;
  while (!reader.atEnd()) {
    const tag = reader.tag('RangeRequest');
    if (tag === tagOf(1, DELIMITED)) key = reader.key();
    else if (tag === tagOf(2, DELIMITED)) rangeEnd = reader.key();
    else if (tag === tagOf(3, VARINT)) limit = reader.int53();
    else if (tag === tagOf(4, VARINT)) revision = reader.int53();
    else if (tag === tagOf(5, VARINT)) sortOrder = reader.enumeration();
    else if (tag === tagOf(6, VARINT)) sortTarget = reader.enumeration();
    else if (tag === tagOf(7, VARINT)) serializable = reader.bool();
    else if (tag === tagOf(8, VARINT)) keysOnly = reader.bool();
    else if (tag === tagOf(9, VARINT)) countOnly = reader.bool();
    else if (tag === tagOf(10, VARINT)) minModRevision = reader.int53();
    else if (tag === tagOf(11, VARINT)) maxModRevision = reader.int53();
    else if (tag === tagOf(12, VARINT)) minCreateRevision = reader.int53();
    else if (tag === tagOf(13, VARINT)) maxCreateRevision = reader.int53();
    else reader.skip(tag, RANGE_FIELDS);
  }
  return {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  };
}

const PUT_FIELDS = [undefined, 'Key', 'Value', 'Lease', 'PrevKv', 'IgnoreValue', 'IgnoreLease'];

function readPut(reader: WireReader): PutRequest {
  let key: Key = '';
  let value: Buffer = EMPTY;
  let lease = NO_LEASE;
  let prevKv = false;
  let ignoreValue = false;
  let ignoreLease = false;
  while (!reader.atEnd()) {
    const tag = reader.tag('PutRequest');
    if (tag === tagOf(1, DELIMITED)) key = reader.key();
    else if (tag === tagOf(2, DELIMITED)) value = reader.bytes();
    else if (tag === tagOf(3, VARINT)) lease = reader.int64();
    else if (tag === tagOf(4, VARINT)) prevKv = reader.bool();
    else if (tag === tagOf(5, VARINT)) ignoreValue = reader.bool();
    else if (tag === tagOf(6, VARINT)) ignoreLease = reader.bool();
    else reader.skip(tag, PUT_FIELDS);
  }
  return { key, value, lease, prevKv, ignoreValue, ignoreLease };
}

const DELETE_RANGE_FIELDS = [undefined, 'Key', 'RangeEnd', 'PrevKv'];

function readDeleteRange(reader: WireReader): DeleteRangeRequest {
  let key: Key = '';
  let rangeEnd: Key = '';
  let prevKv = false;
  while (!reader.atEnd()) {
    const tag = reader.tag('DeleteRangeRequest');
    if (tag === tagOf(1, DELIMITED)) key = reader.key();
    else if (tag === tagOf(2, DELIMITED)) rangeEnd = reader.key();
    else if (tag === tagOf(3, VARINT)) prevKv = reader.bool();
    else reader.skip(tag, DELETE_RANGE_FIELDS);
  }
  return { key, rangeEnd, prevKv };
}

const TXN_FIELDS = [undefined, 'Compare', 'Success', 'Failure'];

function readTxn(reader: WireReader, depth: number): TxnRequest {
  if (depth > MAX_TXN_DEPTH) throw malformed(`transactions are nested deeper than ${MAX_TXN_DEPTH} levels`);
  const compare: Compare[] = [];
  const success: RequestOp[] = [];
  const failure: RequestOp[] = [];
  while (!reader.atEnd()) {
    const tag = reader.tag('TxnRequest');
    if (tag === tagOf(1, DELIMITED)) {
      const outerEnd = reader.enter();
      compare.push(readCompare(reader));
      reader.leave(outerEnd);
    } else if (tag === tagOf(2, DELIMITED) || tag === tagOf(3, DELIMITED)) {
      const outerEnd = reader.enter();
      (tag === tagOf(2, DELIMITED) ? success : failure).push(readRequestOp(reader, depth));
      reader.leave(outerEnd);
    } else {
      reader.skip(tag, TXN_FIELDS);
    }
  }
  return { compare, success, failure };
}

const REQUEST_OP_FIELDS = [undefined, 'RequestRange', 'RequestPut', 'RequestDeleteRange', 'RequestTxn'];

/** Of several requests in one operation the last one counts, as a whole. */
function readRequestOp(reader: WireReader, depth: number): RequestOp {
  let operation: RequestOp = { kind: 'empty' };
  while (!reader.atEnd()) {
    const tag = reader.tag('RequestOp');
    if (tag % 8 !== DELIMITED || tag > tagOf(4, DELIMITED)) {
      reader.skip(tag, REQUEST_OP_FIELDS);
      continue;
    }
    const outerEnd = reader.enter();
    if (tag === tagOf(1, DELIMITED)) operation = { kind: 'range', request: readRange(reader) };
    else if (tag === tagOf(2, DELIMITED)) operation = { kind: 'put', request: readPut(reader) };
    else if (tag === tagOf(3, DELIMITED)) operation = { kind: 'deleteRange', request: readDeleteRange(reader) };
    else operation = { kind: 'txn', request: readTxn(reader, depth + 1) };
    reader.leave(outerEnd);
  }
  return operation;
}

const COMPARE_FIELDS: (string | undefined)[] = [
  undefined,
  'Result',
  'Target',
  'Key',
  'Version',
  'CreateRevision',
  'ModRevision',
  'Value',
  'Lease',
];
COMPARE_FIELDS[64] = 'RangeEnd';

function readCompare(reader: WireReader): Compare {
  let result = 0;
  let target = 0;
  let key: Key = '';
  let rangeEnd: Key = '';
  let number = 0;
  let value: Buffer = EMPTY;
  let lease = NO_LEASE;
  /** Which of the members of `target_union` came last: the others do not count. */
  let given = -1;
  while (!reader.atEnd()) {
    const tag = reader.tag('Compare');
    if (tag === tagOf(1, VARINT)) {
      result = reader.enumeration();
    } else if (tag === tagOf(2, VARINT)) {
      target = reader.enumeration();
    } else if (tag === tagOf(3, DELIMITED)) {
      key = reader.key();
    } else if (tag === tagOf(4, VARINT) || tag === tagOf(5, VARINT) || tag === tagOf(6, VARINT)) {
      number = reader.int53();
      given = Math.floor(tag / 8) - 4;
    } else if (tag === tagOf(7, DELIMITED)) {
      value = reader.bytes();
      given = CompareTarget.value;
    } else if (tag === tagOf(8, VARINT)) {
      lease = reader.int64();
      given = CompareTarget.lease;
    } else if (tag === tagOf(64, DELIMITED)) {
      rangeEnd = reader.key();
    } else {
      reader.skip(tag, COMPARE_FIELDS);
    }
  }
  const isNumber = target === given && target <= CompareTarget.mod;
  return {
    result,
    target,
    key,
    rangeEnd,
    number: isNumber ? number : 0,
    value: target === given && target === CompareTarget.value ? value : EMPTY,
    lease: target === given && target === CompareTarget.lease ? lease : NO_LEASE,
  };
}

const COMPACTION_FIELDS = [undefined, 'Revision', 'Physical'];

export function decodeCompactionRequest(bytes: Uint8Array): CompactionRequest {
  const reader = new WireReader(bytes);
  let revision = 0;
  let physical = false;
  while (!reader.atEnd()) {
    const tag = reader.tag('CompactionRequest');
    if (tag === tagOf(1, VARINT)) revision = reader.int53();
    else if (tag === tagOf(2, VARINT)) physical = reader.bool();
    else reader.skip(tag, COMPACTION_FIELDS);
  }
  return { revision, physical };
}
