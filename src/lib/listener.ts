import { lookup } from 'node:dns/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { RaftkvError } from './errors.js';

/** An address could not be listened on. The message is one line for the operator, with the way out. */
export class ListenError extends RaftkvError {
  readonly code = 'LISTEN_FAILED';
}

/** A TCP port that is listened on, and the connections that came in through it. */
export interface Listener {
  /** The URL with the port that was really bound: port 0 asks the system for a free one. */
  readonly url: string;
  /** Accepts no more connections. Those that are open live on. */
  stop(): void;
  /** Closes the connections that are still open, at once. Resolves when nothing is left. Call `stop` first. */
  destroy(): Promise<void>;
}

/**
 * Listens on `http://host:port`. The host may be an IP address, a name, or `[::1]`.
 * @throws ListenError when the URL is none, or the address is taken or not ours.
 */
export async function listen(url: string, onConnection: (socket: Socket) => void): Promise<Listener> {
  const { host, port, shown } = parseListenUrl(url);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await bound(server, host, port, url);
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    url: `http://${shown}:${(server.address() as AddressInfo).port}`,
    stop: () => server.close(),
    destroy() {
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

/** @throws ListenError when `listen` would. */
export async function mustBeFree(url: string): Promise<void> {
  const listener = await listen(url, (socket) => socket.destroy());
  listener.stop();
  await listener.destroy();
}

/** `shown` keeps the brackets that an IPv6 address needs in a URL. */
function parseListenUrl(url: string): { host: string; port: number; shown: string } {
  const match = /^http:\/\/(\[[0-9a-f:.%a-z]+\]|[^:/?#[\]@]+):(\d{1,5})\/?$/i.exec(url);
  const [, shown = '', digits = ''] = match ?? [];
  const port = Number(digits);
  if (!match || port > 65_535) {
    throw new ListenError(`cannot listen on ${url}: expected http://host:port, such as http://127.0.0.1:2379`);
  }
  return { host: shown.replace(/^\[|\]$/g, ''), port, shown };
}

async function bound(server: Server, host: string, port: number, url: string): Promise<void> {
  const refused = (error: NodeJS.ErrnoException) =>
    new ListenError(`cannot listen on ${url}: ${reasonOf(error)}`, { cause: error });
  // A name with addresses of both kinds, as localhost often is, means the IPv4 one: 127.0.0.1 is what clients try.
  const { address } = await lookup(host, { verbatim: false }).catch((error: NodeJS.ErrnoException) => {
    throw refused(error);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refused(error)));
    server.listen({ host: address, port }, () => {
      server.removeAllListeners('error');
      // Accepting can fail later (out of file descriptors); the connection is lost, the listener goes on.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is in use (EADDRINUSE); stop the process that holds it or choose another port';
    case 'EACCES':
      return 'not permitted (EACCES); choose a port above 1023';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL); choose one of its own, or 0.0.0.0 for all';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name cannot be resolved (${error.code}); choose an IP address of this machine`;
    default:
      return error.message;
  }
}
