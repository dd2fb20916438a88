import type { MemberApi } from '../member/api.js';
import { NO_LEADER } from './errors.js';
import type { CallContext, ServiceTable, StreamHandler, UnaryHandler } from './handlers.js';

/** Clients that would rather go elsewhere than wait at a member that is cut off send this key with the value `true`. */
const HAS_LEADER = 'hasleader';

/** The same services, refusing such calls at once while the member knows no leader. */
export function requireLeader(table: ServiceTable, member: MemberApi): ServiceTable {
  const isRefused = (context: CallContext) =>
    context.metadata(HAS_LEADER) === 'true' && member.status().leaderId === null;
  const unary = new Map<string, UnaryHandler>();
  const streams = new Map<string, StreamHandler>();
  for (const [path, handler] of table.unary) {
    unary.set(path, (request, context, reply) => {
      if (isRefused(context)) reply(NO_LEADER);
      else handler(request, context, reply);
    });
  }
  for (const [path, handler] of table.streams) {
    streams.set(path, (stream, context) => {
      if (!isRefused(context)) return handler(stream, context);
      stream.end(NO_LEADER);
      return { onMessage() {}, onEnd() {}, onCancel() {} };
    });
  }
  return { unary, streams };
}
