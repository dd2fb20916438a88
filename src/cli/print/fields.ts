import { formatGoDuration } from '../../lib/duration.js';
import type { KeyValue, OperationResponse, ResponseHeader } from '../../client/types.js';
import { goQuote } from './go-text.js';
import type { Output, Printer } from './printer.js';

/* `"Name" : value`, a line per field, zero values included. */

type Value = number | bigint | boolean | Buffer;

const field = (name: string, value: Value): string =>
  `"${name}" : ${Buffer.isBuffer(value) ? goQuote(value) : String(value)}\n`;
const textField = (name: string, value: string): string => field(name, Buffer.from(value));

function header({ clusterId, memberId, revision, term }: ResponseHeader): string[] {
  return [
    field('ClusterID', clusterId),
    field('MemberID', memberId),
    field('Revision', revision),
    field('RaftTerm', term),
  ];
}

function keyValue(prefix: '' | 'Prev', kv: KeyValue): string[] {
  return [
    field(`${prefix}Key`, kv.key),
    field(`${prefix}CreateRevision`, kv.createRevision),
    field(`${prefix}ModRevision`, kv.modRevision),
    field(`${prefix}Version`, kv.version),
    field(`${prefix}Value`, kv.value),
    field(`${prefix}Lease`, kv.lease),
  ];
}

function operation(answer: OperationResponse): Output {
  switch (answer.type) {
    case 'get':
      return fieldsPrinter.get(answer.response);
    case 'put':
      return fieldsPrinter.put(answer.response);
    case 'del':
      return fieldsPrinter.del(answer.response);
    case 'txn':
      return fieldsPrinter.txn(answer.response);
  }
}

export const fieldsPrinter: Printer = {
  get: (response) => [
    ...header(response.header),
    ...response.kvs.flatMap((kv) => keyValue('', kv)),
    field('More', response.more),
    field('Count', response.count),
  ],
  put: (response) => [
    ...header(response.header),
    ...(response.prevKv === null ? [] : keyValue('Prev', response.prevKv)),
  ],
  del: (response) => [
    ...header(response.header),
    field('Deleted', response.deleted),
    ...response.prevKvs.flatMap((kv) => keyValue('Prev', kv)),
  ],
  txn: (response) => [
    ...header(response.header),
    field('Succeeded', response.succeeded),
    ...response.responses.flatMap(operation),
  ],
  compact: (_response, revision) => [`compacted revision ${revision}\n`],
  memberList: (response) => [
    ...header(response.header),
    ...response.members.flatMap((member) => [
      field('ID', member.id),
      textField('Name', member.name),
      ...member.peerURLs.map((url) => textField('PeerURL', url)),
      ...member.clientURLs.map((url) => textField('ClientURL', url)),
      field('IsLearner', member.isLearner),
      '\n',
    ]),
  ],
  endpointStatus: (list) =>
    list.flatMap(({ endpoint, status }) => [
      ...header(status.header),
      textField('Version', status.version),
      field('DBSize', status.dbSizeBytes),
      field('Leader', status.leader),
      field('IsLearner', status.isLearner),
      field('RaftIndex', status.raftIndex),
      field('RaftTerm', status.raftTerm),
      field('RaftAppliedIndex', status.raftAppliedIndex),
      `"Errors" : [${status.errors.map((error) => goQuote(Buffer.from(error))).join(' ')}]\n`,
      textField('Endpoint', endpoint),
      '\n',
    ]),
  endpointHealth: (list) =>
    list.flatMap(({ endpoint, healthy, tookMs, error }) => [
      textField('Endpoint', endpoint),
      field('Health', healthy),
      `"Took" : ${formatGoDuration(tookMs)}\n`,
      `"Error" : ${error?.message ?? ''}\n`,
      '\n',
    ]),
};
