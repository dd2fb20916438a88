import { Connection } from './connection.js';
import { ClientError } from './errors.js';
import type {
  Bytes,
  CallOptions,
  Client,
  CompactResponse,
  DeleteOptions,
  DeleteResponse,
  GetOptions,
  GetResponse,
  MemberListResponse,
  PutOptions,
  PutResponse,
  StatusResponse,
  Txn,
  TxnResponse,
} from './types.js';
import * as wire from './wire.js';

export interface RemoteClientOptions {
  /** `host:port` or `http://host:port`, at least one. */
  readonly endpoints: readonly string[];
  /** Milliseconds for connecting to one endpoint. 2000 unless given. */
  readonly dialTimeoutMs?: number;
  /** Milliseconds for the answer, once connected. 5000 unless given. */
  readonly commandTimeoutMs?: number;
}

interface Request {
  readonly service: string;
  readonly method: string;
  readonly request: object;
  readonly isWrite: boolean;
}

const DEFAULT_DIAL_TIMEOUT_MS = 2_000;
const DEFAULT_COMMAND_TIMEOUT_MS = 5_000;

/**
 * The cluster over the network. Calls go round the endpoints. One that cannot be connected to is passed over; a read
 * that found a member unable to serve asks the next one; a write that may have been executed is never sent twice.
 */
export class RemoteClient implements Client {
  readonly #connections: readonly Connection[];
  readonly #dialTimeoutMs: number;
  readonly #commandTimeoutMs: number;
  /** The position of the endpoint that is asked first by the next call. */
  #next = 0;

  /** Connects when first used. @throws ClientError CLIENT_BAD_ENDPOINT */
  constructor(options: RemoteClientOptions) {
    if (options.endpoints.length === 0) {
      throw new ClientError('CLIENT_BAD_ENDPOINT', 'no endpoint is given; name one as host:port', { endpoint: '' });
    }
    this.#connections = options.endpoints.map((endpoint) => new Connection(endpoint));
    this.#dialTimeoutMs = options.dialTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS;
    this.#commandTimeoutMs = options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
  }

  async get(key: Bytes, options?: GetOptions, call?: CallOptions): Promise<GetResponse> {
    const request = { service: 'KV', method: 'Range', request: wire.rangeRequest(key, options), isWrite: false };
    return wire.toGetResponse(await this.#call(request, call));
  }

  async put(key: Bytes, value: Bytes, options?: PutOptions, call?: CallOptions): Promise<PutResponse> {
    const request = { service: 'KV', method: 'Put', request: wire.putRequest(key, value, options), isWrite: true };
    return wire.toPutResponse(await this.#call(request, call));
  }

  async del(key: Bytes, options?: DeleteOptions, call?: CallOptions): Promise<DeleteResponse> {
    const request = { service: 'KV', method: 'DeleteRange', request: wire.deleteRequest(key, options), isWrite: true };
    return wire.toDeleteResponse(await this.#call(request, call));
  }

  async txn(txn: Txn, call?: CallOptions): Promise<TxnResponse> {
    const request = { service: 'KV', method: 'Txn', request: wire.txnRequest(txn), isWrite: true };
    return wire.toTxnResponse(await this.#call(request, call));
  }

  async compact(
    revision: number,
    options: { readonly physical?: boolean } = {},
    call?: CallOptions,
  ): Promise<CompactResponse> {
    const message = { revision: String(revision), physical: options.physical ?? false };
    const request = { service: 'KV', method: 'Compact', request: message, isWrite: true };
    const response = await this.#call<{ header: wire.WireHeader | null }>(request, call);
    return { header: wire.toHeader(response.header) };
  }

  async memberList(call?: CallOptions): Promise<MemberListResponse> {
    const request = { service: 'Cluster', method: 'MemberList', request: {}, isWrite: false };
    return wire.toMemberList(await this.#call(request, call));
  }

  /** What the member at the first endpoint says of itself. For one endpoint at a time: never asks another member. */
  async status(call?: CallOptions): Promise<StatusResponse> {
    const request = { service: 'Maintenance', method: 'Status', request: {}, isWrite: false };
    const first = this.#connections.slice(0, 1);
    return wire.toStatus(await this.#callOneOf(first, request, call));
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #call<T>(request: Request, call: CallOptions | undefined): Promise<T> {
    const first = this.#next;
    this.#next = (first + 1) % this.#connections.length;
    const inTurn = [...this.#connections.slice(first), ...this.#connections.slice(0, first)];
    return this.#callOneOf(inTurn, request, call);
  }

  async #callOneOf<T>(
    connections: readonly Connection[],
    request: Request,
    { signal, timeoutMs = this.#commandTimeoutMs }: CallOptions = {},
  ): Promise<T> {
    const failures: ClientError[] = [];
    let spentMs = 0;
    for (const connection of connections) {
      try {
        await connection.ready(this.#dialTimeoutMs, signal);
        const started = performance.now();
        try {
          return await connection.unary<T>({ ...request, timeoutMs: timeoutMs - spentMs, signal });
        } finally {
          spentMs += performance.now() - started;
        }
      } catch (thrown) {
        if (!(thrown instanceof ClientError) || !mayAskAnother(thrown) || spentMs >= timeoutMs) throw thrown;
        failures.push(thrown);
      }
    }
    throw summary(failures);
  }
}

/** Nothing was executed there, or nothing that matters, and another member may do better. */
function mayAskAnother(failure: ClientError): boolean {
  if (failure.code === 'CLIENT_UNREACHABLE') return true;
  return failure.code === 'CLIENT_UNAVAILABLE' && failure.retryable;
}

/** A member that answered says more than one that could not be reached. */
function summary(failures: readonly ClientError[]): ClientError {
  const answered = failures.find((failure) => failure.code !== 'CLIENT_UNREACHABLE');
  if (answered !== undefined) return answered;
  const endpoint = failures.map((failure) => failure.endpoint).join(',');
  const reasons = failures.map((failure) => `${failure.endpoint}: ${failure.message}`).join('; ');
  return new ClientError('CLIENT_UNREACHABLE', `no endpoint answers (${reasons})`, { endpoint, retryable: true });
}
