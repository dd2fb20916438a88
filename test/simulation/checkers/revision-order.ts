import { isDeepStrictEqual } from 'node:util';
import type { Recorded, Violation } from './history.js';
import { KvModel, type Reply, changesStore } from './kv-model.js';

/** An operation whose answer is known. */
type Answered = Recorded & { readonly reply: Reply };

/**
 * Checker A. Sorts writes by the revision the server reports, replays them on a model, and compares every answer with the
 * state at its revision; then requires that revisions never contradict real time. Near-linear, any kind of operation, but
 * it trusts the reported revisions: the search in linearizability.ts does not.
 *
 * @param placed which operations without an answer took effect after all, by the revision at which they did. Where their
 *   returnedAt is finite, it is known that they had by then.
 * @returns null when the history is strictly serializable in the order of its revisions.
 */
export function checkRevisionOrder(
  history: readonly Recorded[],
  placed: ReadonlyMap<number, Recorded> = new Map(),
): Violation | null {
  const answered = history.filter((operation): operation is Answered => operation.reply !== null);
  const succeeded = answered.filter(({ reply }) => reply.result.kind !== 'error');
  const writers = new Map<number, Recorded>(placed);
  for (const operation of succeeded) {
    const { revision, result } = operation.reply;
    if (!changesStore(result)) continue;
    const other = writers.get(revision);
    if (other) return { reason: `two operations made revision ${revision}`, operations: [other, operation] };
    writers.set(revision, operation);
  }
  return (
    checkAnswers(succeeded, writers) ??
    checkRealTime(succeeded, placed) ??
    checkSessions(succeeded) ??
    checkOldRevisions(answered)
  );
}

/** Every answer is what the model says at that revision. */
function checkAnswers(succeeded: readonly Answered[], writers: ReadonlyMap<number, Recorded>): Violation | null {
  const readersAt = new Map<number, Answered[]>();
  let lastRevision = 1;
  for (const operation of succeeded) {
    const { revision, result } = operation.reply;
    lastRevision = Math.max(lastRevision, revision);
    if (changesStore(result)) continue;
    const seenRevision = (operation.request.kind === 'range' && operation.request.revision) || revision;
    const readers = readersAt.get(seenRevision);
    if (readers) readers.push(operation);
    else readersAt.set(seenRevision, [operation]);
  }
  for (const [revision, writer] of writers) {
    if (revision < 2) return { reason: `made revision ${revision}, expected 2 or above`, operations: [writer] };
    lastRevision = Math.max(lastRevision, revision);
  }

  const model = new KvModel();
  for (let revision = 1; revision <= lastRevision; revision++) {
    if (revision > 1) {
      const violation = replayWriter(model, revision, writers.get(revision));
      if (violation) return violation;
    }
    for (const reader of readersAt.get(revision) ?? []) {
      if (reader.request.kind === 'compact') continue; // changes no pairs; see checkOldRevisions
      const expected = model.apply(reader.request).result;
      if (model.revision !== revision) {
        return {
          reason: `should have changed the store at revision ${revision}, says it did not`,
          operations: [reader],
        };
      }
      const violation = compare(reader, expected);
      if (violation) return violation;
    }
  }
  return null;
}

function replayWriter(model: KvModel, revision: number, writer: Recorded | undefined): Violation | null {
  if (writer === undefined) return { reason: `nothing known made revision ${revision}`, operations: [] };
  const expected = model.apply(writer.request);
  if (model.revision !== revision) {
    return { reason: `cannot have made revision ${revision}: it changes nothing there`, operations: [writer] };
  }
  return writer.reply === null ? null : compare(writer as Answered, expected.result);
}

function compare(operation: Answered, expected: Reply['result']): Violation | null {
  if (isDeepStrictEqual(operation.reply.result, expected)) return null;
  const reason = `the answer at revision ${operation.reply.revision} should have been ${JSON.stringify(expected)}`;
  return { reason, operations: [operation] };
}

/** If X returned before Y began, Y is not at an earlier revision than X, and at a later one if Y made it. */
function checkRealTime(succeeded: readonly Answered[], placed: ReadonlyMap<number, Recorded>): Violation | null {
  interface Moment {
    readonly at: number;
    readonly operation: Recorded;
    readonly revision: number;
    readonly isReturn: boolean;
    readonly isWrite: boolean;
  }
  const moments: Moment[] = [];
  for (const operation of succeeded) {
    const { revision, result } = operation.reply;
    const isWrite = changesStore(result);
    moments.push({ at: operation.returnedAt, operation, revision, isReturn: true, isWrite });
    if (operation.serializable) continue; // may be old, but what it saw had happened
    moments.push({ at: operation.invokedAt, operation, revision, isReturn: false, isWrite });
  }
  for (const [revision, operation] of placed) {
    moments.push({ at: operation.invokedAt, operation, revision, isReturn: false, isWrite: true });
    if (operation.returnedAt === Infinity) continue;
    moments.push({ at: operation.returnedAt, operation, revision, isReturn: true, isWrite: true });
  }
  moments.sort((a, b) => a.at - b.at);
  let latest: Moment | null = null;
  for (const moment of moments) {
    if (moment.isReturn) {
      if (latest === null || moment.revision > latest.revision) latest = moment;
      continue;
    }
    if (latest === null) continue;
    const floor = moment.isWrite ? latest.revision + 1 : latest.revision;
    if (moment.revision < floor) {
      const reason = `revision ${moment.revision} although revision ${latest.revision} had been seen before it began`;
      return { reason, operations: [latest.operation, moment.operation] };
    }
  }
  return null;
}

/** One client on one process of one member never sees an older revision than it has seen there. */
function checkSessions(succeeded: readonly Answered[]): Violation | null {
  const bySession = new Map<string, Answered[]>();
  for (const operation of succeeded) {
    const operations = bySession.get(operation.session);
    if (operations) operations.push(operation);
    else bySession.set(operation.session, [operation]);
  }
  for (const operations of bySession.values()) {
    operations.sort((a, b) => a.invokedAt - b.invokedAt);
    let latest: Answered | null = null;
    for (const operation of operations) {
      if (latest && latest.returnedAt < operation.invokedAt && latest.reply.revision > operation.reply.revision) {
        return { reason: `session ${operation.session} went back in revision`, operations: [latest, operation] };
      }
      if (latest === null || operation.reply.revision > latest.reply.revision) latest = operation;
    }
  }
  return null;
}

/** Reads at a revision of their own: below a finished compaction never, above all that can have happened never. */
function checkOldRevisions(answered: readonly Answered[]): Violation | null {
  const compactions = answered.flatMap((operation) =>
    operation.request.kind === 'compact' && operation.reply.result.kind === 'compact'
      ? [{ operation, revision: operation.request.revision }]
      : [],
  );
  for (const operation of answered) {
    const { request, reply } = operation;
    if (request.kind !== 'range' || request.revision === 0) continue;
    if (reply.result.kind === 'error') {
      const violation = reply.result.code === 'KV_FUTURE_REVISION' ? checkFuture(operation, answered) : null;
      if (violation) return violation;
    } else if (request.revision > reply.revision) {
      return { reason: `read revision ${request.revision} at revision ${reply.revision}`, operations: [operation] };
    } else if (!operation.serializable) {
      const compaction = compactions.find(
        (other) => other.revision > request.revision && other.operation.returnedAt < operation.invokedAt,
      );
      if (compaction) {
        const reason = `read revision ${request.revision} after compaction at ${compaction.revision}`;
        return { reason, operations: [compaction.operation, operation] };
      }
    }
  }
  return null;
}

/** "Required revision is a future revision" is wrong when that revision had been seen before. */
function checkFuture(operation: Answered, answered: readonly Answered[]): Violation | null {
  const { request } = operation;
  if (operation.serializable || request.kind !== 'range') return null;
  const witness = answered.find(
    (other) => other.returnedAt < operation.invokedAt && other.reply.revision >= request.revision,
  );
  if (!witness) return null;
  return { reason: `called revision ${request.revision} a future one`, operations: [witness, operation] };
}
