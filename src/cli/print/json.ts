import { formatGoDuration } from '../../lib/duration.js';
import type { KeyValue, OperationResponse, ResponseHeader } from '../../client/types.js';
import type { DeleteResponse, GetResponse, PutResponse, StatusResponse, TxnResponse } from '../../client/types.js';
import { goJson } from './go-text.js';
import type { Output, Printer } from './printer.js';

/* etcdctl prints Go's view of the messages: fields in the order of the proto files, zero values left out. */

const some = <T extends number | bigint | string | boolean>(value: T): T | undefined => (value ? value : undefined);
const several = <T>(values: readonly T[]): readonly T[] | undefined => (values.length === 0 ? undefined : values);
const bytes = (value: Buffer): Buffer | undefined => (value.length === 0 ? undefined : value);

function header({ clusterId, memberId, revision, term }: ResponseHeader): object {
  return {
    cluster_id: some(clusterId),
    member_id: some(memberId),
    revision: some(revision),
    raft_term: some(term),
  };
}

function keyValue(kv: KeyValue): object {
  return {
    key: bytes(kv.key),
    create_revision: some(kv.createRevision),
    mod_revision: some(kv.modRevision),
    version: some(kv.version),
    value: bytes(kv.value),
    lease: some(kv.lease),
  };
}

function getMessage(response: GetResponse): object {
  return {
    header: header(response.header),
    kvs: several(response.kvs.map(keyValue)),
    more: some(response.more),
    count: some(response.count),
  };
}

function putMessage(response: PutResponse): object {
  return { header: header(response.header), prev_kv: response.prevKv === null ? undefined : keyValue(response.prevKv) };
}

function deleteMessage(response: DeleteResponse): object {
  return {
    header: header(response.header),
    deleted: some(response.deleted),
    prev_kvs: several(response.prevKvs.map(keyValue)),
  };
}

function txnMessage(response: TxnResponse): object {
  return {
    header: header(response.header),
    succeeded: some(response.succeeded),
    responses: several(response.responses.map((answer) => ({ Response: operationMessage(answer) }))),
  };
}

function operationMessage(answer: OperationResponse): object {
  switch (answer.type) {
    case 'get':
      return { ResponseRange: getMessage(answer.response) };
    case 'put':
      return { ResponsePut: putMessage(answer.response) };
    case 'del':
      return { ResponseDeleteRange: deleteMessage(answer.response) };
    case 'txn':
      return { ResponseTxn: txnMessage(answer.response) };
  }
}

function statusMessage(status: StatusResponse): object {
  return {
    header: header(status.header),
    version: some(status.version),
    dbSize: some(status.dbSizeBytes),
    leader: some(status.leader),
    raftIndex: some(status.raftIndex),
    raftTerm: some(status.raftTerm),
    raftAppliedIndex: some(status.raftAppliedIndex),
    errors: several(status.errors),
    dbSizeInUse: some(status.dbSizeInUseBytes),
    isLearner: some(status.isLearner),
  };
}

const line = (value: unknown): Output => [`${goJson(value)}\n`];

export const jsonPrinter: Printer = {
  get: (response) => line(getMessage(response)),
  put: (response) => line(putMessage(response)),
  del: (response) => line(deleteMessage(response)),
  txn: (response) => line(txnMessage(response)),
  compact: (_response, revision) => [`compacted revision ${revision}\n`],
  memberList: (response) =>
    line({
      header: header(response.header),
      members: several(
        response.members.map(({ id, name, peerURLs, clientURLs, isLearner }) => ({
          ID: some(id),
          name: some(name),
          peerURLs: several(peerURLs),
          clientURLs: several(clientURLs),
          isLearner: some(isLearner),
        })),
      ),
    }),
  endpointStatus: (list) =>
    line(list.map(({ endpoint, status }) => ({ Endpoint: endpoint, Status: statusMessage(status) }))),
  endpointHealth: (list) =>
    line(
      list.map(({ endpoint, healthy, tookMs, error }) => ({
        endpoint,
        health: healthy,
        took: formatGoDuration(tookMs),
        error: error?.message,
      })),
    ),
};
