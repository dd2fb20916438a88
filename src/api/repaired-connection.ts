import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Http2Repair } from './http2-repair.js';

/** The connection of a client whose headers need repair: what it says goes through Http2Repair, what it hears does not. */
export class RepairedConnection extends Duplex {
  #isWanted = false;

  /** `first` is what the repair has let through already. Nobody else may read from the socket. */
  constructor(
    private readonly socket: Socket,
    private readonly repair: Http2Repair,
    first: readonly Buffer[],
  ) {
    super();
    for (const bytes of first) this.push(bytes);
    socket.on('readable', () => this.#pump());
    socket.once('end', () => {
      for (const bytes of repair.rest()) if (bytes.length > 0) this.push(bytes);
      this.push(null);
    });
    socket.once('error', (error) => this.destroy(error));
    socket.once('close', () => this.destroy());
  }

  override _read(): void {
    this.#isWanted = true;
    this.#pump();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: (error?: Error | null) => void): void {
    this.socket.write(chunk, written);
  }

  override _writev(chunks: { chunk: Buffer }[], written: (error?: Error | null) => void): void {
    this.socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), written);
  }

  override _final(ended: () => void): void {
    this.socket.end(ended);
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    this.socket.destroy();
    destroyed(error);
  }

  #pump(): void {
    while (this.#isWanted) {
      const chunk = this.socket.read() as Buffer | null;
      if (!chunk) return;
      for (const bytes of this.repair.push(chunk)) if (!this.push(bytes)) this.#isWanted = false;
    }
  }
}
