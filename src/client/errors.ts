import { RaftkvError } from '../lib/errors.js';

/**
 * | code                 | what happened                                                | was a write done? |
 * |----------------------|--------------------------------------------------------------|-------------------|
 * | CLIENT_UNREACHABLE   | no endpoint could be connected to                            | no                |
 * | CLIENT_UNAVAILABLE   | the member cannot serve now, or the connection broke         | see maybeApplied  |
 * | CLIENT_TIMEOUT       | no answer within the time allowed                            | see maybeApplied  |
 * | CLIENT_REJECTED      | the server refused the request, in etcd's words              | no                |
 * | CLIENT_FAILED        | the server or the connection failed in another way           | see maybeApplied  |
 * | CLIENT_ABORTED       | the caller's signal fired, or the client was closed          | see maybeApplied  |
 * | CLIENT_BAD_ENDPOINT  | an endpoint is no host:port, or there is none                | no                |
 */
export type ClientErrorCode =
  | 'CLIENT_UNREACHABLE'
  | 'CLIENT_UNAVAILABLE'
  | 'CLIENT_TIMEOUT'
  | 'CLIENT_REJECTED'
  | 'CLIENT_FAILED'
  | 'CLIENT_ABORTED'
  | 'CLIENT_BAD_ENDPOINT';

/** A call that did not succeed. The message is the server's own text where there is one. */
export class ClientError extends RaftkvError {
  readonly code: ClientErrorCode;
  /** Who was asked last, as the user wrote it; several when none could be reached. */
  readonly endpoint: string;
  /** The same call may succeed later and cannot do harm twice. */
  readonly retryable: boolean;
  /** A write that may have been done all the same: read before writing again. */
  readonly maybeApplied: boolean;
  /** The gRPC status code of the server's or the connection's answer, if there was one. */
  readonly status: number | null;

  constructor(
    code: ClientErrorCode,
    message: string,
    details: {
      readonly endpoint: string;
      readonly retryable?: boolean;
      readonly maybeApplied?: boolean;
      readonly status?: number;
      readonly cause?: unknown;
    },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.endpoint = details.endpoint;
    this.retryable = details.retryable ?? false;
    this.maybeApplied = details.maybeApplied ?? false;
    this.status = details.status ?? null;
  }
}

/** gRPC status codes that a client tells apart. */
const CANCELLED = 1;
const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const ABORTED = 10;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const DATA_LOSS = 15;

/** Answers of a member that took nothing on: a write may go to another one at once. */
const SURELY_NOT_DONE = new Set(['etcdserver: no leader', 'etcdserver: rpc not supported for learner']);

/** What a failed call means, given how it ended. `isWrite`: it changes something. */
export function fromStatus(
  status: number,
  text: string,
  call: { readonly endpoint: string; readonly isWrite: boolean },
): ClientError {
  const { endpoint, isWrite } = call;
  const unknownOutcome = isWrite && !SURELY_NOT_DONE.has(text);
  const transient = { endpoint, status, maybeApplied: unknownOutcome, retryable: !unknownOutcome };
  switch (status) {
    case UNAVAILABLE:
      return new ClientError('CLIENT_UNAVAILABLE', text, transient);
    case DEADLINE_EXCEEDED:
      return new ClientError('CLIENT_TIMEOUT', 'no answer in time', transient);
    case CANCELLED:
      return new ClientError('CLIENT_ABORTED', text, transient);
    case UNKNOWN:
    case INTERNAL:
    case ABORTED:
    case DATA_LOSS:
      return new ClientError('CLIENT_FAILED', text, { endpoint, status, maybeApplied: unknownOutcome });
    default: {
      const retryable = status === RESOURCE_EXHAUSTED && text === 'etcdserver: too many requests';
      return new ClientError('CLIENT_REJECTED', text, { endpoint, status, retryable });
    }
  }
}
