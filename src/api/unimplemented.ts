import { Status, type ServiceTable, type StreamHandler, type UnaryHandler } from './handlers.js';

interface Methods {
  readonly unary: readonly string[];
  readonly streams: readonly string[];
}

/** Every method of the client API by its service, as the files in proto/ have them. */
export const CLIENT_API: Readonly<Record<string, Methods>> = {
  'etcdserverpb.KV': { unary: ['Range', 'Put', 'DeleteRange', 'Txn', 'Compact'], streams: ['RangeStream'] },
  'etcdserverpb.Watch': { unary: [], streams: ['Watch'] },
  'etcdserverpb.Lease': {
    unary: ['LeaseGrant', 'LeaseRevoke', 'LeaseTimeToLive', 'LeaseLeases'],
    streams: ['LeaseKeepAlive'],
  },
  'etcdserverpb.Cluster': {
    unary: ['MemberAdd', 'MemberRemove', 'MemberUpdate', 'MemberList', 'MemberPromote'],
    streams: [],
  },
  'etcdserverpb.Maintenance': {
    unary: ['Alarm', 'Status', 'Defragment', 'Hash', 'HashKV', 'MoveLeader', 'Downgrade'],
    streams: ['Snapshot'],
  },
  'etcdserverpb.Auth': {
    unary: [
      'AuthEnable',
      'AuthDisable',
      'AuthStatus',
      'Authenticate',
      'UserAdd',
      'UserGet',
      'UserList',
      'UserDelete',
      'UserChangePassword',
      'UserGrantRole',
      'UserRevokeRole',
      'RoleAdd',
      'RoleGet',
      'RoleList',
      'RoleDelete',
      'RoleGrantPermission',
      'RoleRevokePermission',
    ],
    streams: [],
  },
  'v3lockpb.Lock': { unary: ['Lock', 'Unlock'], streams: [] },
  'v3electionpb.Election': { unary: ['Campaign', 'Proclaim', 'Leader', 'Resign'], streams: ['Observe'] },
  'grpc.health.v1.Health': { unary: ['Check'], streams: ['Watch'] },
};

/** Answers for the methods that none of `built` has: they are part of the API but not yet of this version. */
export function unimplemented(built: readonly ServiceTable[]): ServiceTable {
  const unary = new Map<string, UnaryHandler>();
  const streams = new Map<string, StreamHandler>();
  for (const [service, methods] of Object.entries(CLIENT_API)) {
    const failureOf = (method: string) => ({
      code: Status.UNIMPLEMENTED,
      message: `method ${method} of service ${service} is not implemented by this version of raftkv`,
    });
    for (const method of methods.unary) {
      const path = `/${service}/${method}`;
      if (built.some((table) => table.unary.has(path))) continue;
      unary.set(path, (_request, _context, reply) => reply(failureOf(method)));
    }
    for (const method of methods.streams) {
      const path = `/${service}/${method}`;
      if (built.some((table) => table.streams.has(path))) continue;
      streams.set(path, (stream) => {
        stream.end(failureOf(method));
        return { onMessage() {}, onEnd() {}, onCancel() {} };
      });
    }
  }
  return { unary, streams };
}
