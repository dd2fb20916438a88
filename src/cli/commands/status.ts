import { asError } from '../../lib/errors.js';
import type { ClusterMember, StatusResponse } from '../../client/types.js';
import type { Command } from '../command.js';
import { withClient } from '../connect.js';
import { ExitCode, Failure } from '../failure.js';
import type { Globals } from '../globals.js';
import { writeOut } from '../output.js';
import { goJson, humanBytes } from '../print/go-text.js';

/** What one member says of itself, or why it says nothing. */
export interface MemberView {
  readonly member: ClusterMember;
  readonly endpoint: string;
  readonly status: StatusResponse | null;
  readonly error: string;
}

async function look(globals: Globals, member: ClusterMember): Promise<MemberView> {
  const [endpoint = ''] = member.clientURLs;
  if (endpoint === '') return { member, endpoint, status: null, error: 'has not started yet' };
  try {
    const status = await withClient({ ...globals, endpoints: [endpoint] }, (client) => client.status());
    return { member, endpoint, status, error: '' };
  } catch (thrown) {
    return { member, endpoint, status: null, error: asError(thrown).message };
  }
}

interface Row {
  readonly member: string;
  readonly id: string;
  readonly endpoint: string;
  readonly role: string;
  readonly term: number;
  readonly index: number;
  /** Entries that this member has yet to apply to be where the furthest one is. */
  readonly lag: number;
  readonly dbSizeBytes: number;
  readonly version: string;
  readonly error: string;
}

function rowsOf(views: readonly MemberView[]): Row[] {
  const furthest = Math.max(...views.map(({ status }) => status?.raftAppliedIndex ?? 0));
  return views.map(({ member, endpoint, status, error }) => ({
    member: member.name === '' ? member.id.toString(16) : member.name,
    id: member.id.toString(16),
    endpoint,
    role: status === null ? 'unreachable' : status.leader === member.id ? 'leader' : 'follower',
    term: status?.raftTerm ?? 0,
    index: status?.raftAppliedIndex ?? 0,
    lag: status === null ? 0 : furthest - status.raftAppliedIndex,
    dbSizeBytes: status?.dbSizeBytes ?? 0,
    version: status?.version ?? '',
    error,
  }));
}

/** One word for the cluster, and the numbers behind it. */
export function verdict(views: readonly MemberView[]): { readonly line: string; readonly serves: boolean } {
  const total = views.length;
  const quorum = Math.floor(total / 2) + 1;
  const answering = views.filter(({ status }) => status !== null);
  const serves = answering.length >= quorum && answering.some(({ status }) => status !== null && status.leader !== 0n);
  const spare = answering.length - quorum;
  const word = !serves ? 'without a leader' : spare === total - quorum ? 'healthy' : 'degraded';
  const counts = `${answering.length} of ${total} members, quorum ${quorum}`;
  if (!serves) return { line: `cluster ${word}: ${counts}`, serves };
  const survives = spare === 0 ? 'no further failure' : spare === 1 ? '1 failure' : `${spare} failures`;
  return { line: `cluster ${word}: ${counts}, survives ${survives}`, serves };
}

/** Columns, as wide as their widest cell. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function screen(rows: readonly Row[]): string {
  return columns([
    ['MEMBER', 'ENDPOINT', 'ROLE', 'TERM', 'INDEX', 'LAG', 'DB SIZE', 'VERSION'],
    ...rows.map((row) =>
      row.error === ''
        ? [
            row.member,
            row.endpoint,
            row.role,
            String(row.term),
            String(row.index),
            String(row.lag),
            humanBytes(row.dbSizeBytes),
            row.version,
          ]
        : [row.member, row.endpoint, row.role, '-', '-', '-', '-', row.error],
    ),
  ]);
}

export const command: Command = {
  usage: 'status',
  description: 'Shows every member of the cluster and what it can survive. Exit code 5 when nobody leads it',
  flags: {},
  examples: [
    ['raftkv status', ''],
    ['raftkv status -w json', 'for programs: ids are hexadecimal text'],
  ],
  hasTable: true,
  async run(call) {
    if (call.globals.format === 'fields') {
      throw new Failure(ExitCode.unsupported, 'fields not supported as output format by this command; use -w json');
    }
    const { members } = await withClient(call.globals, (client) => client.memberList());
    const views = await Promise.all(members.map((member) => look(call.globals, member)));
    views.sort((a, b) => (a.member.name < b.member.name ? -1 : 1));
    const { line, serves } = verdict(views);
    const rows = rowsOf(views);
    const isJson = call.globals.format === 'json';
    await writeOut(isJson ? [`${goJson({ serves, members: rows })}\n`] : [screen(rows), `${line}\n`]);
    return serves ? ExitCode.ok : ExitCode.unhealthy;
  },
};
