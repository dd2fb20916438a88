import type { KvError } from '../../src/kv/errors.js';
import type { Recorded } from './checkers/history.js';
import type { Reply, Request } from './checkers/kv-model.js';

/** An operation of a client, from its beginning to what its client made of it. */
export interface Operation {
  readonly id: number;
  readonly request: Request;
  readonly serializable: boolean;
  readonly session: string;
  readonly invokedAt: number;
  returnedAt: number;
  /** refused: the member said that it was not and will not be done. unknown: nobody said anything definite. */
  status: 'pending' | 'answered' | 'refused' | 'unknown';
  reply: Reply | null;
  /** A member has said so, though the client may not have heard it yet. */
  isRefused: boolean;
}

/** What all clients of one simulation have asked and heard, with stamps of one clock. */
export class History {
  readonly operations: Operation[] = [];
  /** The highest revision that any client has seen. */
  seenRevision = 0;
  #stamp = 0;

  begin(request: Request, session: string, serializable: boolean): Operation {
    const operation: Operation = {
      id: this.operations.length,
      request,
      serializable,
      session,
      invokedAt: this.#stamp++,
      returnedAt: Infinity,
      status: 'pending',
      reply: null,
      isRefused: false,
    };
    this.operations.push(operation);
    return operation;
  }

  answer(operation: Operation, reply: Reply): void {
    operation.status = 'answered';
    operation.reply = reply;
    operation.returnedAt = this.#stamp++;
    this.seenRevision = Math.max(this.seenRevision, reply.revision);
  }

  refuse(operation: Operation): void {
    operation.status = 'refused';
    operation.returnedAt = this.#stamp++;
  }

  giveUp(operation: Operation): void {
    operation.status = 'unknown';
  }

  /** Marks a moment between all calls and answers. */
  nextStamp(): number {
    return this.#stamp++;
  }

  get(id: number): Operation | undefined {
    return this.operations[id];
  }

  /** For the checkers: refused operations are left out, others without an answer may have taken effect. */
  recorded(): Recorded[] {
    return this.operations.filter(({ status, request }) => {
      if (status === 'answered') return true;
      return status !== 'refused' && isWrite(request);
    });
  }
}

/** Whether the request goes through the log. */
export function isWrite(request: Request): boolean {
  if (request.kind === 'range') return false;
  if (request.kind !== 'txn') return true;
  return [...request.success, ...request.failure].some(({ kind }) => kind !== 'range');
}

/** A refusal of the state machine is an answer like any other, where the model knows it. */
export function replyOfError(error: KvError): Reply | null {
  if (error.code !== 'KV_COMPACTED' && error.code !== 'KV_FUTURE_REVISION') return null;
  return { revision: 0, result: { kind: 'error', code: error.code } };
}
