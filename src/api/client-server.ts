import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, type Listener } from '../lib/listener.js';
import { GrpcFront, type GrpcFrontOptions } from './grpc-front.js';
import { ProtocolPeek } from './protocol-peek.js';

/** An HTTP/1.1 client that keeps its connection but asks nothing is dropped after this time. */
const HTTP_IDLE_MS = 60_000;
/** Time for one HTTP/1.1 request's header to arrive, and how often that is looked at. */
const HTTP_HEADERS_MS = 5_000;
const HTTP_CHECK_INTERVAL_MS = 1_000;

export interface ClientServerOptions extends GrpcFrontOptions {
  /** `http://host:port`; port 0 takes a free one. */
  readonly listenUrls: readonly string[];
  /** Answers what is not gRPC. */
  readonly http: RequestListener;
}

export interface ClientServer {
  /** The URLs with the ports that were really bound. */
  readonly addresses: readonly string[];
  /**
   * Takes no new connections and calls, ends streams so that clients come again elsewhere, and lets calls finish for up
   * to `graceMs` milliseconds; what is open then is cut. Safe to call twice.
   */
  close(graceMs: number): Promise<void>;
}

/** Listens for clients: gRPC and HTTP/1.1 on the same port, told apart by their first bytes. @throws ListenError */
export async function startClientServer(options: ClientServerOptions): Promise<ClientServer> {
  const front = new GrpcFront(options);
  const http = new HttpFront(options.http);
  const peek = new ProtocolPeek(
    { http2: (connection) => front.accept(connection), http1: (socket) => http.accept(socket) },
    front.settings,
  );
  const listeners: Listener[] = [];
  const destroyAll = () => Promise.all(listeners.map((listener) => listener.destroy()));
  try {
    for (const url of options.listenUrls) {
      listeners.push(await listen(url, (socket) => peek.accept(socket)));
    }
  } catch (error) {
    for (const listener of listeners) listener.stop();
    await destroyAll();
    throw error;
  }

  const close = async (graceMs: number) => {
    for (const listener of listeners) listener.stop();
    peek.dropWaiting();
    const patience = new AbortController();
    const drained = Promise.all([front.drain(), http.drain()]);
    const isOutOfTime = await Promise.race([
      drained.then(() => false),
      sleep(graceMs, true, { signal: patience.signal }).catch(() => false),
    ]);
    patience.abort();
    if (isOutOfTime) options.logger.warn({ graceMs }, 'clients still had calls open and were cut off');
    await destroyAll();
  };
  let closing: Promise<void> | null = null;
  return {
    addresses: listeners.map((listener) => listener.url),
    close: (graceMs) => (closing ??= close(graceMs)),
  };
}

/** HTTP/1.1 on connections that somebody else accepted. */
class HttpFront {
  readonly #server: Server;
  #open = 0;
  #onIdle: (() => void) | null = null;

  constructor(listener: RequestListener) {
    this.#server = createServer(
      {
        headersTimeout: HTTP_HEADERS_MS,
        requestTimeout: HTTP_IDLE_MS,
        connectionsCheckingInterval: HTTP_CHECK_INTERVAL_MS,
      },
      (request, response) => {
        this.#open++;
        if (this.#onIdle) response.setHeader('connection', 'close');
        response.once('close', () => {
          if (--this.#open === 0) this.#onIdle?.();
        });
        listener(request, response);
      },
    );
    this.#server.setTimeout(HTTP_IDLE_MS);
    // It never listens itself, but begins to enforce its timeouts when it is told that it does.
    this.#server.emit('listening');
  }

  accept(socket: Socket): void {
    // A client may end its side once it has asked.
    socket.allowHalfOpen = true;
    this.#server.emit('connection', socket);
  }

  /** Resolves when no request is waiting for its response. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#server.close();
      if (this.#open === 0) resolve();
    });
  }
}
