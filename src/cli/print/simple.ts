import type { KeyValue, OperationResponse } from '../../client/types.js';
import { hexEscaped, humanBytes } from './go-text.js';
import type { EndpointStatus, Output, Piece, Printer } from './printer.js';

/** Keys and values on a line each, for people and for `while read`. */
export function simplePrinter(hex: boolean): Printer {
  const show = (bytes: Buffer): Piece => (hex ? hexEscaped(bytes) : bytes);
  const pair = (kv: KeyValue): Piece[] => [show(kv.key), '\n', show(kv.value), '\n'];

  const operation = (answer: OperationResponse): Output => {
    switch (answer.type) {
      case 'get':
        return simple.get(answer.response);
      case 'put':
        return simple.put(answer.response);
      case 'del':
        return simple.del(answer.response);
      case 'txn':
        return simple.txn(answer.response);
    }
  };

  const simple: Printer = {
    get: ({ kvs }, options) => kvs.flatMap((kv) => (options?.valueOnly === true ? [show(kv.value), '\n'] : pair(kv))),
    put: ({ prevKv }) => ['OK\n', ...(prevKv === null ? [] : pair(prevKv))],
    del: ({ deleted, prevKvs }) => [`${deleted}\n`, ...prevKvs.flatMap(pair)],
    txn: ({ succeeded, responses }) => [
      succeeded ? 'SUCCESS\n' : 'FAILURE\n',
      ...responses.flatMap((answer) => ['\n', ...operation(answer)]),
    ],
    compact: (_response, revision) => [`compacted revision ${revision}\n`],
    memberList: (response) => memberRows(response.members).map((row) => `${row.join(', ')}\n`),
    endpointStatus: (list) => list.map((one) => `${statusRow(one).join(', ')}\n`),
    endpointHealth: () => null,
  };
  return simple;
}

/** A row per member: ID, status, name, peer and client addresses, is learner. */
export function memberRows(
  members: readonly {
    readonly id: bigint;
    readonly name: string;
    readonly peerURLs: readonly string[];
    readonly clientURLs: readonly string[];
    readonly isLearner: boolean;
  }[],
): string[][] {
  return members.map(({ id, name, peerURLs, clientURLs, isLearner }) => [
    id.toString(16),
    name === '' ? 'unstarted' : 'started',
    name,
    peerURLs.join(','),
    clientURLs.join(','),
    String(isLearner),
  ]);
}

export function statusRow({ endpoint, status }: EndpointStatus): string[] {
  return [
    endpoint,
    status.header.memberId.toString(16),
    status.version,
    humanBytes(status.dbSizeBytes),
    String(status.leader === status.header.memberId),
    String(status.isLearner),
    String(status.raftTerm),
    String(status.raftIndex),
    String(status.raftAppliedIndex),
    status.errors.join(', '),
  ];
}
