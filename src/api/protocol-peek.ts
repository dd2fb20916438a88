import type { Socket } from 'node:net';

/** What every HTTP/2 client says first (RFC 9113, 3.4). No HTTP/1.1 method begins so. */
const HTTP2_PREFACE = Buffer.from('PRI ');

/** A connection that says nothing is dropped after this time. */
const FIRST_WORD_TIMEOUT_MS = 30_000;

/** Reads the first bytes of a connection, puts them back, and gives it to the protocol that they belong to. */
export function peekProtocol(socket: Socket, http2: (socket: Socket) => void, http1: (socket: Socket) => void): void {
  let first: Buffer = Buffer.alloc(0);
  const onError = () => socket.destroy();
  const onReadable = () => {
    const more = socket.read() as Buffer | null;
    if (!more) return;
    first = first.length === 0 ? more : Buffer.concat([first, more]);
    const compared = Math.min(first.length, HTTP2_PREFACE.length);
    const isHttp2 = first.subarray(0, compared).equals(HTTP2_PREFACE.subarray(0, compared));
    if (isHttp2 && compared < HTTP2_PREFACE.length) return; // could still become either
    socket.off('readable', onReadable);
    socket.off('error', onError);
    socket.setTimeout(0);
    socket.off('timeout', onError);
    socket.unshift(first);
    (isHttp2 ? http2 : http1)(socket);
  };
  socket.setTimeout(FIRST_WORD_TIMEOUT_MS);
  socket.on('timeout', onError);
  socket.on('error', onError);
  socket.on('readable', onReadable);
}
