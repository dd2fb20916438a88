import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP link in front of a peer that can swallow everything without closing anything, as a cut cable does. */
export class LossyProxy {
  isCut = false;
  readonly #server = createServer((socket) => this.#onConnection(socket));
  readonly #sockets = new Set<Socket>();

  constructor(private readonly target: string) {}

  /** @returns the URL to call instead of the target's */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What began while the link was cut stays lost for ever; what was open hangs while it is. */
  #onConnection(near: Socket): void {
    this.#keep(near);
    if (this.isCut) return;
    const { hostname, port } = new URL(this.target);
    const far = this.#keep(connect(Number(port), hostname));
    near.on('data', (bytes) => this.isCut || far.write(bytes));
    far.on('data', (bytes) => this.isCut || near.write(bytes));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
