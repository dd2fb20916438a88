import { performance } from 'node:perf_hooks';
import { Client, connectivityState, credentials, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { encode } from './codec.js';
import { Conversation } from './conversation.js';
import { MAX_MESSAGE_BYTES } from './limits.js';
import { rpcCodecs, type RpcName, type Rpcs } from './rpcs.js';
import type { StreamedRpc } from './stream-codec.js';

/** After a stream broke, how long calls come to nothing before the next is opened. Consensus asks often enough. */
const REOPEN_PAUSE_MS = 50;
/** An attempt to connect that takes longer is given up: its packets may have been swallowed, and TCP waits ever longer. */
const CONNECT_TIMEOUT_MS = 2_000;

/** A peer that lost a call is called unreachable in the log only after it has said nothing for so long. */
const UNREACHABLE_AFTER_MS = 1_000;

const CHANNEL_OPTIONS = {
  // A repeated message is harmless to consensus but never needed: it repeats itself, with newer content.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_channelz': 0,
  'grpc.enable_http_proxy': 0,
  // Each channel its own connection, so that giving up a channel gives up its connection.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // A half-open connection (the peer's machine vanished) is noticed in at most four seconds.
  'grpc.keepalive_time_ms': 2_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  // A snapshot piece of 1 MiB must not wait for window updates on a slow link.
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
};

const identity = (bytes: Buffer): Buffer => bytes;

/** Everything on the way to one peer: one channel, and on it the stream and the unary calls. */
export class PeerConnection {
  #client: Client;
  #conversation: Conversation | null = null;
  /** Position in `urls` of the address in use. */
  #urlPosition = 0;
  /** `performance.now()` before which no stream is opened. */
  #reopenAtMs = 0;
  /** Since when the channel has been connecting without success; null when it has not. */
  #connectingSinceMs: number | null = null;
  #lastHeardMs = performance.now();
  /** What was said last about the peer; null before the first word. */
  #isReachable: boolean | null = null;
  #isClosed = false;

  constructor(
    readonly urls: readonly string[],
    private readonly metadata: Metadata,
    private readonly logger: Logger,
  ) {
    this.#client = this.#newClient();
  }

  /** Over the stream. Resolves to null when there is no answer. */
  converse<N extends StreamedRpc>(name: N, args: Rpcs[N]['args'], timeoutMs: number): Promise<Rpcs[N]['reply'] | null> {
    return this.#currentConversation()?.call(name, args, timeoutMs) ?? Promise.resolve(null);
  }

  /** As a call of its own. Resolves to null when there is no answer. */
  unary<N extends RpcName>(name: N, args: Rpcs[N]['args'], timeoutMs: number): Promise<Rpcs[N]['reply'] | null> {
    if (this.#isClosed) return Promise.resolve(null);
    const { path, args: codec } = rpcCodecs[name];
    const bytes = encode(codec, args);
    const options = { deadline: Date.now() + timeoutMs };
    return new Promise((resolve) => {
      const onReply = (error: ServiceError | null, content?: Buffer) => {
        if (error || !content) this.#lost(error?.details ?? 'empty reply');
        resolve(error || !content ? null : this.#decoded(name, content));
      };
      this.#client.makeUnaryRequest(path, identity, identity, bytes, this.metadata, options, onReply);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#conversation?.close();
    this.#client.close();
  }

  #currentConversation(): Conversation | null {
    if (this.#conversation && !this.#conversation.isOver) return this.#conversation;
    if (this.#isClosed || performance.now() < this.#reopenAtMs) return null;
    this.#conversation = new Conversation(this.#client, this.metadata, {
      heard: () => this.#heard(),
      lost: (reason) => this.#lost(reason),
      ended: (reason) => {
        this.#reopenAtMs = performance.now() + REOPEN_PAUSE_MS;
        this.#lost(reason);
      },
    });
    return this.#conversation;
  }

  #decoded<N extends RpcName>(name: N, content: Buffer): Rpcs[N]['reply'] | null {
    try {
      const reply = rpcCodecs[name].reply.decode(content);
      this.#heard();
      return reply;
    } catch (thrown) {
      this.#lost(asError(thrown).message);
      return null;
    }
  }

  #heard(): void {
    this.#lastHeardMs = performance.now();
    this.#connectingSinceMs = null;
    if (this.#isReachable === true) return;
    this.#isReachable = true;
    this.logger.info({ url: this.#url() }, 'peer is reachable');
  }

  #lost(reason: string): void {
    if (this.#isClosed) return;
    if (this.#isReachable !== false && performance.now() - this.#lastHeardMs >= UNREACHABLE_AFTER_MS) {
      this.#isReachable = false;
      this.logger.warn({ url: this.#url(), reason }, 'peer is unreachable');
    }
    this.#watchConnecting();
  }

  /** Begins anew when the channel hangs in an attempt to connect, or when there is another address to try. */
  #watchConnecting(): void {
    const state = this.#client.getChannel().getConnectivityState(false);
    if (state === connectivityState.READY) {
      this.#connectingSinceMs = null;
      return;
    }
    const now = performance.now();
    this.#connectingSinceMs ??= now;
    const triesOther = this.urls.length > 1 && state === connectivityState.TRANSIENT_FAILURE;
    if (!triesOther && (state !== connectivityState.CONNECTING || now - this.#connectingSinceMs < CONNECT_TIMEOUT_MS)) {
      return;
    }
    this.#connectingSinceMs = null;
    this.#urlPosition = (this.#urlPosition + 1) % this.urls.length;
    const given = this.#client;
    this.#client = this.#newClient();
    this.#conversation?.close();
    given.close();
  }

  #url(): string {
    return this.urls[this.#urlPosition] as string;
  }

  #newClient(): Client {
    const hostAndPort = this.#url()
      .replace(/^http:\/\//, '')
      .replace(/\/$/, '');
    return new Client(hostAndPort, credentials.createInsecure(), CHANNEL_OPTIONS);
  }
}
