import type { Duplex } from 'node:stream';
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { SERVER_STOPPED, statusOf } from './errors.js';
import {
  Status,
  type CallContext,
  type CallStatus,
  type ServerStream,
  type ServiceTable,
  type StreamHandler,
  type StreamListener,
  type UnaryHandler,
} from './handlers.js';

type UnaryCall = ServerUnaryCall<Buffer, Uint8Array>;
type StreamCall = ServerDuplexStream<Buffer, Uint8Array>;

/** What a request may be larger than `--max-request-bytes`: the limit proper is on what enters the log, and answers kindlier. */
const GRPC_OVERHEAD_BYTES = 512 * 1024;

/** How often we ask a silent client whether it lives, and how long it may take to say so, unless told. etcd's defaults. */
const KEEPALIVE_INTERVAL_MS = 2 * 60 * 60 * 1000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

export interface GrpcFrontOptions {
  /** What clients can call. */
  readonly tables: readonly ServiceTable[];
  /** The largest request that may enter the log (`--max-request-bytes`). */
  readonly maxRequestBytes: number;
  readonly logger: Logger;
  readonly keepaliveIntervalMs?: number;
  readonly keepaliveTimeoutMs?: number;
  /** Calls that one connection may have open at a time. Unlimited unless given. */
  readonly maxConcurrentStreams?: number;
}

/** Lets gRPC clients reach the handlers, through grpc-js. The only file of this floor that knows the library. */
export class GrpcFront {
  /** What it tells HTTP/2 clients of its limits. */
  readonly settings: { readonly maxConcurrentStreams?: number };
  readonly #server: Server;
  readonly #injector: ReturnType<Server['createConnectionInjector']>;
  readonly #streams = new Set<OpenStream>();
  readonly #receiveLimitBytes: number;
  readonly #logger: Logger;

  constructor({ tables, maxRequestBytes, logger, ...options }: GrpcFrontOptions) {
    this.#logger = logger;
    this.#receiveLimitBytes = maxRequestBytes + GRPC_OVERHEAD_BYTES;
    const { maxConcurrentStreams } = options;
    this.settings = maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams };
    this.#server = new Server({
      'grpc.enable_channelz': 0,
      // Up to here our own check answers, in etcd's words; beyond, the library does, before the message is all here.
      'grpc.max_receive_message_length': 2 * this.#receiveLimitBytes,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': options.keepaliveIntervalMs ?? KEEPALIVE_INTERVAL_MS,
      'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs ?? KEEPALIVE_TIMEOUT_MS,
      ...(maxConcurrentStreams === undefined ? {} : { 'grpc.max_concurrent_streams': maxConcurrentStreams }),
    });
    for (const { unary, streams } of tables) {
      for (const [path, handler] of unary) this.#registerUnary(path, handler);
      for (const [path, handler] of streams) this.#registerStream(path, handler);
    }
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Takes over a connection whose client speaks HTTP/2. */
  accept(connection: Duplex): void {
    this.#injector.injectConnection(connection);
  }

  /**
   * Says goodbye: streams end with a status after which clients go elsewhere and come again, connections take no new
   * calls. Resolves when the last call has been answered and every connection is closed. May take for ever: a client
   * need not read.
   */
  drain(): Promise<void> {
    for (const stream of [...this.#streams]) stream.cutOff(SERVER_STOPPED);
    return new Promise((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  #registerUnary(path: string, handler: UnaryHandler): void {
    const handle = (call: UnaryCall, callback: sendUnaryData<Uint8Array>) => {
      const { request } = call;
      if (request.length > this.#receiveLimitBytes) {
        callback(forGrpc(this.#tooLarge(request.length)));
        return;
      }
      try {
        handler(request, new GrpcContext(call), (failure, response) => {
          if (failure) callback(forGrpc(failure));
          else callback(null, response);
        });
      } catch (thrown) {
        callback(forGrpc(statusOf(asError(thrown), this.#logger)));
      }
    };
    this.#server.register(path, handle, asBuffer, asIs, 'unary');
  }

  /** A method with a single request is registered as if it streamed them: on the wire it is the same. */
  #registerStream(path: string, handler: StreamHandler): void {
    const handle = (call: StreamCall) => {
      const stream = new OpenStream(call, this.#streams);
      let listener: StreamListener;
      try {
        listener = handler(stream, new GrpcContext(call));
      } catch (thrown) {
        stream.end(statusOf(asError(thrown), this.#logger));
        return;
      }
      stream.listen(listener, (sizeBytes) => (sizeBytes > this.#receiveLimitBytes ? this.#tooLarge(sizeBytes) : null));
    };
    this.#server.register(path, handle, asBuffer, asIs, 'bidi');
  }

  #tooLarge(sizeBytes: number): CallStatus {
    const message = `grpc: received message larger than max (${sizeBytes} vs. ${this.#receiveLimitBytes})`;
    return { code: Status.RESOURCE_EXHAUSTED, message };
  }
}

/** One stream of one client. Whatever comes first ends it: the handler, the client, or the front. */
class OpenStream implements ServerStream {
  #isOver = false;
  #listener: StreamListener | null = null;

  constructor(
    private readonly call: StreamCall,
    private readonly all: Set<OpenStream>,
  ) {
    all.add(this);
    call.on('cancelled', () => {
      if (this.#over()) this.#listener?.onCancel();
    });
  }

  listen(listener: StreamListener, check: (sizeBytes: number) => CallStatus | null): void {
    this.#listener = listener;
    this.call.on('data', (message: Buffer) => {
      if (this.#isOver) return;
      const refusal = check(message.length);
      if (refusal) this.cutOff(refusal);
      else listener.onMessage(message);
    });
    this.call.on('end', () => {
      if (!this.#isOver) listener.onEnd();
    });
  }

  send(message: Uint8Array): boolean {
    return this.#isOver || this.call.write(message);
  }

  onDrain(listener: () => void): void {
    this.call.on('drain', listener);
  }

  end(status: CallStatus | null): void {
    if (!this.#over()) return;
    // What has been sent goes out first. grpc-js takes a status from an error event.
    if (status) this.call.emit('error', forGrpc(status));
    else this.call.end();
  }

  /** Ends it against the handler's will. */
  cutOff(status: CallStatus): void {
    if (this.#isOver) return;
    this.end(status);
    this.#listener?.onCancel();
  }

  /** False when it was over already. */
  #over(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.all.delete(this);
    return true;
  }
}

class GrpcContext implements CallContext {
  constructor(private readonly call: UnaryCall | StreamCall) {}

  metadata(key: string): string | undefined {
    const [value] = this.call.metadata.get(key);
    return value?.toString();
  }

  get remainingMs(): number {
    const deadline = this.call.getDeadline();
    return deadline === Infinity ? Infinity : Number(deadline) - Date.now();
  }
}

function forGrpc(status: CallStatus): { code: Status; details: string } {
  return { code: status.code, details: status.message };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
