import { type Command, CommandKind } from './commands.js';
import { compacted, futureRevision } from './errors.js';
import type { MemberTable } from './member-table.js';
import { decodePublishMember } from './members.js';
import type { Mvcc } from './mvcc.js';
import { runTxn } from './txn.js';
import {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeTxnRequest,
} from './wire/decode.js';
import { EMPTY_BODY } from './wire/responses.js';
import { checkLease, deleteRange, put } from './write.js';

/**
 * Does what a command says, under the revision that is being made: the caller commits it, or takes it back when this throws.
 *
 * @returns the response without its header
 * @throws KvError
 */
export function execute(command: Command, mvcc: Mvcc, members: MemberTable): Buffer {
  const { kind, request } = command;
  switch (kind) {
    case CommandKind.put:
      return executePut(mvcc, request);
    case CommandKind.deleteRange:
      return deleteRange(mvcc, decodeDeleteRangeRequest(request));
    case CommandKind.txn:
      return runTxn(mvcc, decodeTxnRequest(request));
    case CommandKind.compact:
      return executeCompact(mvcc, request);
    case CommandKind.publishMember:
      members.publish(decodePublishMember(request));
      return EMPTY_BODY;
  }
}

function executePut(mvcc: Mvcc, request: Buffer): Buffer {
  const decoded = decodePutRequest(request);
  checkLease(decoded.lease);
  return put(mvcc, decoded);
}

/** Only the boundary moves here; kv/compaction.ts removes what is below it. */
function executeCompact(mvcc: Mvcc, request: Buffer): Buffer {
  const { revision } = decodeCompactionRequest(request);
  if (revision <= mvcc.compactRevision) throw compacted(revision, mvcc.compactRevision);
  if (revision > mvcc.revision) throw futureRevision(revision, mvcc.revision);
  mvcc.compactRevision = revision;
  return EMPTY_BODY;
}
