import Table from 'cli-table3';
import { formatGoDuration } from '../../lib/duration.js';
import { ExitCode, Failure } from '../failure.js';
import type { Output, Printer } from './printer.js';
import { memberRows, statusRow } from './simple.js';

const LINES = {
  top: '-',
  'top-mid': '+',
  'top-left': '+',
  'top-right': '+',
  bottom: '-',
  'bottom-mid': '+',
  'bottom-left': '+',
  'bottom-right': '+',
  left: '|',
  'left-mid': '+',
  mid: '-',
  'mid-mid': '+',
  right: '|',
  'right-mid': '+',
  middle: '|',
};

/** etcdctl's box: headings centred, cells to the right, no lines between rows. */
export function box(head: readonly string[], rows: readonly (readonly string[])[]): Output {
  const table = new Table({
    chars: LINES,
    style: { head: [], border: [], compact: true },
    colAligns: head.map(() => 'right' as const),
  });
  table.push(
    head.map((content) => ({ content, hAlign: 'center' as const })),
    ...rows.map((row) => [...row]),
  );
  // Without a head of its own the table is one block: the line below the headings is its border again.
  const lines = table.toString().split('\n');
  return [...lines.slice(0, 2), lines[0] ?? '', ...lines.slice(2)].map((line) => `${line}\n`);
}

/** etcdctl has tables for members and endpoints only. */
function noTable(): never {
  throw new Failure(ExitCode.unsupported, 'table is not supported as output format by this command; use -w json');
}

/** For members and endpoints only, as in etcdctl. */
export const tablePrinter: Printer = {
  get: noTable,
  put: noTable,
  del: noTable,
  txn: noTable,
  compact: (_response, revision) => [`compacted revision ${revision}\n`],
  memberList: ({ members }) =>
    box(['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER'], memberRows(members)),
  endpointStatus: (list) =>
    box(
      [
        'ENDPOINT',
        'ID',
        'VERSION',
        'DB SIZE',
        'IS LEADER',
        'IS LEARNER',
        'RAFT TERM',
        'RAFT INDEX',
        'RAFT APPLIED INDEX',
        'ERRORS',
      ],
      list.map(statusRow),
    ),
  endpointHealth: (list) =>
    box(
      ['ENDPOINT', 'HEALTH', 'TOOK', 'ERROR'],
      list.map(({ endpoint, healthy, tookMs, error }) => [
        endpoint,
        String(healthy),
        formatGoDuration(tookMs),
        error?.message ?? '',
      ]),
    ),
};
