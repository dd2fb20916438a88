/** gRPC status codes (grpc/grpc, doc/statuscodes.md). */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type Status = (typeof Status)[keyof typeof Status];

/** How a call failed, as the client sees it: etcd's code and etcd's text. */
export interface CallStatus {
  readonly code: Status;
  readonly message: string;
}

/** What a handler may know of a call besides its message. Knows nothing of any gRPC library. */
export interface CallContext {
  /** First value of a metadata key, lower case, or undefined. */
  metadata(key: string): string | undefined;
  /** Milliseconds the client is still willing to wait; Infinity without a deadline. */
  readonly remainingMs: number;
}

/** Gives the reply's bytes, or says how the call failed. Called exactly once. */
export type UnaryReply = (failure: CallStatus | null, response?: Uint8Array) => void;

/** Bytes in, bytes out. No promise, no object graph: the hot methods go through here. */
export type UnaryHandler = (request: Buffer, context: CallContext, reply: UnaryReply) => void;

/** The server's end of a stream, client-streaming or not. */
export interface ServerStream {
  /** False when the client reads too slowly: the caller then waits for `drained`. */
  send(message: Uint8Array): boolean;
  onDrain(listener: () => void): void;
  end(status: CallStatus | null): void;
}

/** What a stream handler does with what comes in. */
export interface StreamListener {
  onMessage(message: Buffer): void;
  /** The client has half-closed. */
  onEnd(): void;
  /** The call is gone: cancelled, reset, deadline. Nothing may be sent any more. */
  onCancel(): void;
}

export type StreamHandler = (stream: ServerStream, context: CallContext) => StreamListener;

/** A gRPC service by full method path, such as `/etcdserverpb.KV/Put`. */
export interface ServiceTable {
  readonly unary: ReadonlyMap<string, UnaryHandler>;
  readonly streams: ReadonlyMap<string, StreamHandler>;
}
