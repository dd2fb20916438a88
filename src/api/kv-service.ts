import { checkDeleteRange, checkPut, checkRange, checkTxn } from '../kv/checks.js';
import { CommandKind } from '../kv/commands.js';
import {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
} from '../kv/wire/decode.js';
import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import type { Done, KvResult, MemberApi } from '../member/api.js';
import { DEADLINE_PASSED, statusOf } from './errors.js';
import type { ServiceTable, UnaryHandler } from './handlers.js';
import type { Headers } from './header.js';

/** etcd's default for the conditions, and for the operations in a branch, of one transaction (`--max-txn-ops`). */
export const DEFAULT_MAX_TXN_OPS = 128;

/**
 * etcd's KV service. Every method reads the same: check, ask the member, put a header in front of its answer. A write is
 * logged as it came off the wire; what is decoded here is only looked at.
 */
export function kvService(
  member: MemberApi,
  headers: Headers,
  logger: Logger,
  maxTxnOps = DEFAULT_MAX_TXN_OPS,
): ServiceTable {
  /** `check` throws a KvError when the request cannot be done whatever the store holds; then nothing is proposed. */
  const method =
    (
      check: (request: Buffer) => void,
      ask: (request: Buffer, done: Done<KvResult>, patienceMs: number) => void,
    ): UnaryHandler =>
    (request, context, reply) => {
      try {
        check(request);
      } catch (thrown) {
        reply(statusOf(asError(thrown), logger));
        return;
      }
      // The client has given up while the request waited to be looked at: it must not happen behind its back.
      const patienceMs = context.remainingMs;
      if (patienceMs <= 0) {
        reply(DEADLINE_PASSED);
        return;
      }
      const done: Done<KvResult> = (error, result) => {
        if (result) reply(null, headers.respond(result.revision, result.body));
        else reply(statusOf(error ?? new Error('the member gave neither a result nor an error'), logger));
      };
      ask(request, done, patienceMs);
    };

  const propose = (kind: CommandKind) => (request: Buffer, done: Done<KvResult>, patienceMs: number) =>
    member.propose(kind, request, done, patienceMs);

  return {
    unary: new Map([
      [
        '/etcdserverpb.KV/Range',
        method(
          (request) => checkRange(decodeRangeRequest(request)),
          (request, done) => member.range(request, done),
        ),
      ],
      ['/etcdserverpb.KV/Put', method((request) => checkPut(decodePutRequest(request)), propose(CommandKind.put))],
      [
        '/etcdserverpb.KV/DeleteRange',
        method((request) => checkDeleteRange(decodeDeleteRangeRequest(request)), propose(CommandKind.deleteRange)),
      ],
      [
        '/etcdserverpb.KV/Txn',
        method(
          (request) => checkTxn(decodeTxnRequest(request), maxTxnOps),
          (request, done, patienceMs) => member.txn(request, done, patienceMs),
        ),
      ],
      [
        '/etcdserverpb.KV/Compact',
        method(decodeCompactionRequest, (request, done, patienceMs) => member.compact(request, done, patienceMs)),
      ],
    ]),
    streams: new Map(),
  };
}
