import { VARINT, WireReader, tagOf } from '../kv/wire/reader.js';
import { WireWriter } from '../kv/wire/writer.js';
import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import type { MemberApi } from '../member/api.js';
import { MemberError } from '../member/errors.js';
import { LEADER_TRANSFER_TIMEOUT, NO_LEADER, statusOf } from './errors.js';
import { ETCD_VERSION } from './etcd-version.js';
import { Status, type CallStatus, type ServiceTable, type UnaryHandler } from './handlers.js';
import type { Headers } from './header.js';
import { decoding } from './unary.js';

const EMPTY = Buffer.alloc(0);
const ALARM_ACTION_GET = 0;

/** etcd's Maintenance service, as far as it is built: Status, HashKV, Alarm (GET) and MoveLeader. */
export function maintenanceService(member: MemberApi, headers: Headers, logger: Logger): ServiceTable {
  const status: UnaryHandler = (_request, _context, reply) => {
    reply(null, headers.respond(member.revision, encodeStatus(member)));
  };

  const hashKV = decoding(readRevision, logger, (revision, _context, reply) => {
    member.hashKV(revision, (error, result) => {
      if (!result) {
        reply(statusOf(error ?? new Error('the member gave neither a hash nor an error'), logger));
        return;
      }
      const body = new WireWriter().int53(2, result.hash).int53(3, result.compactRevision).finish();
      reply(null, headers.respond(member.revision, body));
    });
  });

  // No alarm can be raised yet, so the list is empty; and in etcd 3.4 this reply has no header.
  const alarm = decoding(readAlarmAction, logger, (action, _context, reply) => {
    if (action === ALARM_ACTION_GET) reply(null, EMPTY);
    else reply(NO_ALARMS);
  });

  const moveLeader = decoding(readTargetId, logger, (target, _context, reply) => {
    const { leaderId, memberId } = member.status();
    if (target === memberId && leaderId === memberId) {
      reply(null, EMPTY);
      return;
    }
    member.transferLeadership(target).then(
      () => reply(null, EMPTY),
      (thrown: unknown) => reply(transferFailure(asError(thrown), logger)),
    );
  });

  return {
    unary: new Map([
      ['/etcdserverpb.Maintenance/Status', status],
      ['/etcdserverpb.Maintenance/HashKV', hashKV],
      ['/etcdserverpb.Maintenance/Alarm', alarm],
      ['/etcdserverpb.Maintenance/MoveLeader', moveLeader],
    ]),
    streams: new Map(),
  };
}

const NO_ALARMS: CallStatus = {
  code: Status.UNIMPLEMENTED,
  message: 'this version of raftkv raises no alarms, so none can be set or cleared',
};

function transferFailure(error: Error, logger: Logger): CallStatus {
  const isTimeout = error instanceof MemberError && error.code === 'MEMBER_TIMEOUT';
  return isTimeout ? LEADER_TRANSFER_TIMEOUT : statusOf(error, logger);
}

/** StatusResponse without its header. */
function encodeStatus(member: MemberApi): Buffer {
  const status = member.status();
  const writer = new WireWriter()
    .string(2, ETCD_VERSION)
    .int53(3, status.dbSizeBytes)
    .int64(4, status.leaderId ?? 0n)
    .int53(5, status.commitIndex)
    .int53(6, status.term)
    .int53(7, status.lastApplied);
  if (status.leaderId === null) writer.string(8, NO_LEADER.message);
  return writer.int53(9, status.dbSizeInUseBytes).finish();
}

function readRevision(bytes: Buffer): number {
  const reader = new WireReader(bytes);
  let revision = 0;
  while (!reader.atEnd()) {
    const tag = reader.tag('HashKVRequest');
    if (tag === tagOf(1, VARINT)) revision = reader.int53();
    else reader.skip(tag, [undefined, 'Revision']);
  }
  return revision;
}

function readAlarmAction(bytes: Buffer): number {
  const reader = new WireReader(bytes);
  let action = ALARM_ACTION_GET;
  while (!reader.atEnd()) {
    const tag = reader.tag('AlarmRequest');
    if (tag === tagOf(1, VARINT)) action = reader.enumeration();
    else if (tag === tagOf(2, VARINT) || tag === tagOf(3, VARINT)) reader.int64();
    else reader.skip(tag, [undefined, 'Action', 'MemberID', 'Alarm']);
  }
  return action;
}

function readTargetId(bytes: Buffer): bigint {
  const reader = new WireReader(bytes);
  let target = 0n;
  while (!reader.atEnd()) {
    const tag = reader.tag('MoveLeaderRequest');
    if (tag === tagOf(1, VARINT)) target = reader.uint64();
    else reader.skip(tag, [undefined, 'TargetID']);
  }
  return target;
}
