import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { targetOf } from './endpoint.js';
import { ClientError, fromStatus } from './errors.js';

type Method = MethodDefinition<object, object>;

const PROTO_FOLDER = fileURLToPath(new URL('../../proto', import.meta.url));

const definitions = loadSync('rpc.proto', {
  includeDirs: [PROTO_FOLDER],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});

/** The definition of `/etcdserverpb.KV/Range` by `('KV', 'Range')`. */
function methodOf(service: string, name: string): Method {
  const found = (definitions[`etcdserverpb.${service}`] as Record<string, unknown> | undefined)?.[name];
  if (found === undefined) throw new TypeError(`rpc.proto has no ${service}/${name}`);
  return found as Method;
}

const CHANNEL_OPTIONS: grpc.ClientOptions = {
  // Range replies may be as large as the server makes them.
  'grpc.max_receive_message_length': -1,
  // Whether a call may be repeated is decided by who knows what it does (remote-client.ts).
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.use_local_subchannel_pool': 1,
};

export interface UnaryCall {
  readonly service: string;
  readonly method: string;
  readonly request: object;
  readonly isWrite: boolean;
  /** Milliseconds from now. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One endpoint: a gRPC channel that connects when it is first used. */
export class Connection {
  readonly endpoint: string;
  readonly #client: grpc.Client;

  /** @throws ClientError when `endpoint` is no host:port. */
  constructor(endpoint: string) {
    this.endpoint = endpoint;
    this.#client = new grpc.Client(targetOf(endpoint), grpc.credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  /**
   * Resolves once connected. Nothing has been sent before, so that a failure here surely executed nothing.
   * Rejects with CLIENT_UNREACHABLE at the first refusal, or after `timeoutMs`; with CLIENT_ABORTED when `signal` fires.
   */
  async ready(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const channel = this.#client.getChannel();
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (signal?.aborted === true) throw this.#aborted('the call was aborted before it was sent');
      if (state === grpc.connectivityState.READY) return;
      if (state === grpc.connectivityState.TRANSIENT_FAILURE) throw this.#unreachable(await this.#whyNot());
      if (state === grpc.connectivityState.SHUTDOWN) {
        throw this.#aborted('the client is closed');
      }
      const changed = await new Promise<boolean>((resolve) => {
        channel.watchConnectivityState(state, deadline, (late) => resolve(late === undefined));
        signal?.addEventListener('abort', () => resolve(true), { once: true });
      });
      if (!changed) throw this.#unreachable(`no connection within ${timeoutMs} ms`);
    }
  }

  unary<T>(call: UnaryCall): Promise<T> {
    const { path, requestSerialize, responseDeserialize } = methodOf(call.service, call.method);
    return new Promise((resolve, reject) => {
      const under = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        call.request,
        new grpc.Metadata(),
        { deadline: Date.now() + call.timeoutMs },
        (failure, response) => {
          call.signal?.removeEventListener('abort', cancel);
          if (failure === null) resolve(response as T);
          else reject(fromStatus(failure.code, failure.details, { endpoint: this.endpoint, isWrite: call.isWrite }));
        },
      );
      const cancel = (): void => under.cancel();
      call.signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  close(): void {
    this.#client.close();
  }

  #aborted(why: string): ClientError {
    return new ClientError('CLIENT_ABORTED', why, { endpoint: this.endpoint });
  }

  #unreachable(why: string): ClientError {
    return new ClientError('CLIENT_UNREACHABLE', why, { endpoint: this.endpoint, retryable: true });
  }

  /** A channel does not tell why it failed, but a call that fails with it does. Status changes nothing if it gets through. */
  #whyNot(): Promise<string> {
    const { path, requestSerialize, responseDeserialize } = methodOf('Maintenance', 'Status');
    return new Promise((resolve) => {
      const metadata = new grpc.Metadata({ waitForReady: false });
      const options = { deadline: Date.now() + 100 };
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, options, (failure) => {
        const text = failure?.details ?? '';
        const system = /Last error: (?:Error: )?(.*?)(?:\. Resolution note:.*)?$/s.exec(text)?.[1];
        resolve(plain(system ?? text));
      });
    });
  }
}

/** The system's own names of errors, in words. */
function plain(text: string): string {
  if (text.includes('ECONNREFUSED')) return 'connection refused';
  if (/ENOTFOUND|EAI_AGAIN|Name resolution failed/.test(text)) return 'this host name is not known';
  if (/EHOSTUNREACH|ENETUNREACH/.test(text)) return 'no route to this host';
  return text === '' ? 'no connection' : text.replaceAll(/\s+/g, ' ');
}
