import assert from 'node:assert/strict';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { CONNECTION_LOST, GrpcConnection, STREAM_RESET, framed, messagesOf, type Reply } from './grpc-connection.js';

// The other end is Node's own HTTP/2 server, which shares no code with the client under test.

let server: Http2Server;
let connection: GrpcConnection;

function reply(stream: ServerHttp2Stream, body: Buffer, trailers: Record<string, string>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

before(async () => {
  server = createServer();
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const body = Buffer.concat(parts);
      const path = headers[':path'];
      if (path === '/echo') reply(stream, body, { 'grpc-status': '0' });
      else if (path === '/metadata') reply(stream, Buffer.from(String(headers['token'])), { 'grpc-status': '0' });
      else if (path === '/reset') stream.close(7);
      else if (path === '/plain') stream.respond({ ':status': 503 }, { endStream: true });
      else if (path === '/destroy') stream.session?.destroy();
      else {
        const trailers = { ':status': 200, 'grpc-status': '5', 'grpc-message': `caf%C3%A9 ${String(path)} ~{|}^` };
        stream.respond(trailers, { endStream: true });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  connection = await GrpcConnection.open('127.0.0.1', (server.address() as AddressInfo).port);
});

after(() => {
  connection.close();
  server.close();
});

test('a reply gives its messages and status', async () => {
  for (let i = 0; i < 3; i++) {
    const { status, body } = await connection.call('/echo', Buffer.from(`hello ${i}`));
    assert.equal(status, 0);
    assert.deepEqual(messagesOf(body), [Buffer.from(`hello ${i}`)]);
  }
});

test('a message beyond the windows waits for room, and others are not disturbed', async () => {
  const large = Buffer.alloc(5_000_000, 'x');
  const replies = await Promise.all([
    connection.call('/echo', large),
    ...Array.from({ length: 50 }, (_, i) => connection.call('/echo', Buffer.from(String(i)))),
  ]);
  assert.ok(replies[0] !== undefined && replies[0].body.subarray(5).equals(large));
  for (let i = 0; i < 50; i++) assert.deepEqual(replies[i + 1]?.body, framed(Buffer.from(String(i))));
});

test('status and text of a refusal come through, percent-decoded', async () => {
  assert.deepEqual(await connection.call('/nowhere', Buffer.alloc(0)), {
    status: 5,
    message: 'café /nowhere ~{|}^',
    body: Buffer.alloc(0),
  } satisfies Reply);
});

test('metadata is sent', async () => {
  const { body } = await connection.call('/metadata', Buffer.alloc(0), 5_000, [['token', 'abc']]);
  assert.equal(body.toString(), 'abc');
});

test('a reset stream and a reply without grpc-status are failures of their own kind', async () => {
  assert.equal((await connection.call('/reset', Buffer.alloc(0))).status, STREAM_RESET);
  const plain = await connection.call('/plain', Buffer.alloc(0));
  assert.equal(plain.status, STREAM_RESET);
  assert.match(plain.message, /HTTP status 503/);
});

test('calls on a connection that breaks end as lost', async () => {
  const own = await GrpcConnection.open('127.0.0.1', (server.address() as AddressInfo).port);
  assert.equal((await own.call('/destroy', Buffer.alloc(0))).status, CONNECTION_LOST);
  assert.equal(own.isOpen, false);
  assert.equal((await own.call('/echo', Buffer.alloc(0))).status, CONNECTION_LOST);
});
