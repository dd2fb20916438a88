import { toBuffer } from './ranges.js';
import type {
  Bytes,
  ClusterMember,
  Compare,
  DeleteOptions,
  DeleteResponse,
  GetOptions,
  GetResponse,
  KeyValue,
  MemberListResponse,
  Operation,
  OperationResponse,
  PutOptions,
  PutResponse,
  ResponseHeader,
  StatusResponse,
  Txn,
  TxnResponse,
} from './types.js';

/* The shapes of rpc.proto as proto-loader gives them: 64 bits as decimal text, zero values filled in, no message: null. */

export interface WireHeader {
  readonly cluster_id: string;
  readonly member_id: string;
  readonly revision: string;
  readonly raft_term: string;
}

interface WireKeyValue {
  readonly key: Buffer;
  readonly create_revision: string;
  readonly mod_revision: string;
  readonly version: string;
  readonly value: Buffer;
  readonly lease: string;
}

export interface WireRange {
  readonly header: WireHeader | null;
  readonly kvs: readonly WireKeyValue[];
  readonly more: boolean;
  readonly count: string;
}

export interface WirePut {
  readonly header: WireHeader | null;
  readonly prev_kv: WireKeyValue | null;
}

export interface WireDelete {
  readonly header: WireHeader | null;
  readonly deleted: string;
  readonly prev_kvs: readonly WireKeyValue[];
}

export interface WireTxn {
  readonly header: WireHeader | null;
  readonly succeeded: boolean;
  readonly responses: readonly WireOperation[];
}

interface WireOperation {
  readonly response_range?: WireRange;
  readonly response_put?: WirePut;
  readonly response_delete_range?: WireDelete;
  readonly response_txn?: WireTxn;
}

export interface WireMemberList {
  readonly header: WireHeader | null;
  readonly members: readonly (Omit<ClusterMember, 'id'> & { readonly ID: string })[];
}

export interface WireStatus {
  readonly header: WireHeader | null;
  readonly version: string;
  readonly dbSize: string;
  readonly dbSizeInUse: string;
  readonly leader: string;
  readonly raftIndex: string;
  readonly raftTerm: string;
  readonly raftAppliedIndex: string;
  readonly errors: readonly string[];
  readonly isLearner: boolean;
}

export function toHeader(header: WireHeader | null): ResponseHeader {
  return {
    clusterId: BigInt(header?.cluster_id ?? 0),
    memberId: BigInt(header?.member_id ?? 0),
    revision: Number(header?.revision ?? 0),
    term: Number(header?.raft_term ?? 0),
  };
}

function toKeyValue(kv: WireKeyValue): KeyValue {
  return {
    key: kv.key,
    value: kv.value,
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
    version: Number(kv.version),
    lease: BigInt(kv.lease),
  };
}

export function toGetResponse(wire: WireRange): GetResponse {
  return {
    header: toHeader(wire.header),
    kvs: wire.kvs.map(toKeyValue),
    more: wire.more,
    count: Number(wire.count),
  };
}

export function toPutResponse(wire: WirePut): PutResponse {
  return { header: toHeader(wire.header), prevKv: wire.prev_kv === null ? null : toKeyValue(wire.prev_kv) };
}

export function toDeleteResponse(wire: WireDelete): DeleteResponse {
  return { header: toHeader(wire.header), deleted: Number(wire.deleted), prevKvs: wire.prev_kvs.map(toKeyValue) };
}

export function toTxnResponse(wire: WireTxn): TxnResponse {
  return {
    header: toHeader(wire.header),
    succeeded: wire.succeeded,
    responses: wire.responses.map(toOperationResponse),
  };
}

function toOperationResponse(wire: WireOperation): OperationResponse {
  if (wire.response_range) return { type: 'get', response: toGetResponse(wire.response_range) };
  if (wire.response_put) return { type: 'put', response: toPutResponse(wire.response_put) };
  if (wire.response_delete_range) return { type: 'del', response: toDeleteResponse(wire.response_delete_range) };
  if (wire.response_txn) return { type: 'txn', response: toTxnResponse(wire.response_txn) };
  throw new TypeError('the server answered an operation of a txn with a kind that this client does not know');
}

export function toMemberList(wire: WireMemberList): MemberListResponse {
  return {
    header: toHeader(wire.header),
    members: wire.members.map(({ ID, ...rest }) => ({ id: BigInt(ID), ...rest })),
  };
}

export function toStatus(wire: WireStatus): StatusResponse {
  return {
    header: toHeader(wire.header),
    version: wire.version,
    dbSizeBytes: Number(wire.dbSize),
    dbSizeInUseBytes: Number(wire.dbSizeInUse),
    leader: BigInt(wire.leader),
    raftIndex: Number(wire.raftIndex),
    raftTerm: Number(wire.raftTerm),
    raftAppliedIndex: Number(wire.raftAppliedIndex),
    errors: wire.errors,
    isLearner: wire.isLearner,
  };
}

/** Left out when there is none: etcd takes a range end that is there, but empty, for "no end". */
function rangeEnd(end: Bytes | undefined): { readonly range_end?: Buffer } {
  return end === undefined || end.length === 0 ? {} : { range_end: toBuffer(end) };
}

export function rangeRequest(key: Bytes, options: GetOptions = {}): object {
  return {
    key: toBuffer(key),
    ...rangeEnd(options.rangeEnd),
    limit: options.limit ?? 0,
    revision: options.revision ?? 0,
    sort_order: options.sortOrder ?? 'NONE',
    sort_target: options.sortTarget ?? 'KEY',
    serializable: options.serializable ?? false,
    keys_only: options.keysOnly ?? false,
    count_only: options.countOnly ?? false,
  };
}

export function putRequest(key: Bytes, value: Bytes, options: PutOptions = {}): object {
  return {
    key: toBuffer(key),
    value: toBuffer(value),
    lease: String(options.lease ?? 0n),
    prev_kv: options.prevKv ?? false,
    ignore_value: options.ignoreValue ?? false,
    ignore_lease: options.ignoreLease ?? false,
  };
}

export function deleteRequest(key: Bytes, options: DeleteOptions = {}): object {
  return { key: toBuffer(key), ...rangeEnd(options.rangeEnd), prev_kv: options.prevKv ?? false };
}

export function txnRequest(txn: Txn): object {
  return {
    compare: txn.compares.map(compareRequest),
    success: txn.success.map(operationRequest),
    failure: txn.failure.map(operationRequest),
  };
}

const COMPARE_FIELD = {
  VERSION: 'version',
  CREATE: 'create_revision',
  MOD: 'mod_revision',
  VALUE: 'value',
  LEASE: 'lease',
} as const;

function compareRequest(compare: Compare): object {
  const { key, relation, target, expected } = compare;
  return {
    key: toBuffer(key),
    ...rangeEnd(compare.rangeEnd),
    result: relation,
    target,
    [COMPARE_FIELD[target]]: typeof expected === 'bigint' ? String(expected) : toBuffer(expected),
  };
}

function operationRequest(operation: Operation): object {
  switch (operation.type) {
    case 'get':
      return { request_range: rangeRequest(operation.key, operation.options) };
    case 'put':
      return { request_put: putRequest(operation.key, operation.value, operation.options) };
    case 'del':
      return { request_delete_range: deleteRequest(operation.key, operation.options) };
    case 'txn':
      return { request_txn: txnRequest(operation.txn) };
  }
}
