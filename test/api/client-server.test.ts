import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import type { CallStatus, ServerStream, ServiceTable, StreamHandler, UnaryReply } from '../../src/api/handlers.js';
import { Status } from '../../src/api/handlers.js';
import { ListenError } from '../../src/lib/listener.js';
import { recordingLogger, type LogLine } from '../transport/log-lines.js';
import { atEnd, call, callRaw, dial, failsWith, MAX_REQUEST_BYTES, serve } from './server.js';

const PUT = '/etcdserverpb.KV/Put';
const a = Buffer.from('a');
const asIs = (bytes: Buffer): Buffer => bytes;

/** Everything the server says on a plain connection until it closes it, after saying each of `parts` in turn. */
async function converse(hostAndPort: string, parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = await open(hostAndPort);
  const heard: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => heard.push(bytes));
  const closed = once(socket, 'close');
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await closed;
  return Buffer.concat(heard).toString('latin1');
}

async function open(hostAndPort: string): Promise<Socket> {
  const [host, port] = hostAndPort.split(':') as [string, string];
  const socket = connect(Number(port), host);
  atEnd(() => socket.destroy());
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

/** A table with one stream method that gives the test its ends. */
function streamTable(onOpen: (stream: ServerStream, events: string[]) => void): {
  table: ServiceTable;
  events: string[];
} {
  const events: string[] = [];
  const handler: StreamHandler = (stream) => {
    onOpen(stream, events);
    return {
      onMessage: (message) => events.push(`message ${message.toString()}`),
      onEnd: () => events.push('end'),
      onCancel: () => events.push('cancel'),
    };
  };
  return { table: { unary: new Map(), streams: new Map([['/test.T/S', handler]]) }, events };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000 && !isTrue(); tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(isTrue(), 'it never came about');
}

test('gRPC and HTTP/1.1 share a port', async () => {
  const { hostAndPort } = await serve();
  const client = dial(hostAndPort);
  const versions = () => fetch(`http://${hostAndPort}/version`).then((response) => response.status);
  const replies = await Promise.all([
    call(client, PUT, { key: a }),
    versions(),
    call(client, PUT, { key: a }),
    versions(),
  ]);
  assert.deepEqual([replies[1], replies[3]], [200, 200]);
});

test('a request that comes in pieces finds its protocol, even one that begins like the other', async () => {
  const { hostAndPort } = await serve();
  const rest = 'UT /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  assert.match(await converse(hostAndPort, ['P', rest]), /^HTTP\/1\.1 405 /);
  const trace = 'ROPFIND /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  assert.match(await converse(hostAndPort, ['P', trace.slice(0, 1), trace.slice(1)]), /^HTTP\/1\.1 405 /);
  const http2 = await open(hostAndPort);
  for (const part of ['P', 'RI', ' * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
    http2.write(part);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const [frame] = (await once(http2, 'data')) as [Buffer];
  assert.equal(frame[3], 4, 'expected a SETTINGS frame');
});

test('a client that ends its side after asking still gets its answer', async () => {
  const { hostAndPort } = await serve();
  const socket = await open(hostAndPort);
  const heard: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => heard.push(bytes));
  socket.end('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  assert.match(Buffer.concat(heard).toString(), /^HTTP\/1\.1 200 /);
});

test('what is neither protocol gets a 400 and harms nobody', async () => {
  const { hostAndPort } = await serve();
  assert.match(await converse(hostAndPort, [Buffer.from([0, 1, 2, 3, 255])]), /^HTTP\/1\.1 400 /);
  assert.ok(await converse(hostAndPort, ['PRI \r\n\r\nno HTTP/2 either\r\n\r\n']));
  await call(dial(hostAndPort), PUT, { key: a });
});

test('a connection that is reset before its first word harms nobody', async () => {
  const { hostAndPort } = await serve();
  for (let count = 0; count < 10; count++) (await open(hostAndPort)).resetAndDestroy();
  await call(dial(hostAndPort), PUT, { key: a });
});

test('a stream handler hears messages and the half-close in order, and what it sends arrives', async () => {
  let stream: ServerStream | undefined;
  const { table, events } = streamTable((opened) => (stream = opened));
  const { hostAndPort } = await serve({ tables: [table] });
  const client = dial(hostAndPort).makeBidiStreamRequest('/test.T/S', asIs, asIs);
  const heard: string[] = [];
  client.on('data', (message: Buffer) => heard.push(message.toString()));
  client.on('error', () => undefined);
  client.write(Buffer.from('1'));
  client.write(Buffer.from('2'));
  client.end();
  await until(() => events.length === 3);
  assert.deepEqual(events, ['message 1', 'message 2', 'end']);
  stream?.send(Buffer.from('x'));
  stream?.send(Buffer.from('y'));
  const ended = new Promise((resolve) => client.on('status', resolve));
  stream?.end(null);
  assert.equal(((await ended) as { code: number }).code, Status.OK);
  assert.deepEqual(heard, ['x', 'y']);
  assert.deepEqual(events, ['message 1', 'message 2', 'end'], 'a stream that has ended is not cancelled');
  assert.equal(stream?.send(Buffer.from('late')), true, 'sending after the end does nothing');
});

test('a stream that its handler ends with a failure delivers what was sent before, then the status', async () => {
  const failure: CallStatus = { code: Status.UNAVAILABLE, message: 'etcdserver: no leader (100% sure)' };
  const { table } = streamTable((stream) => {
    stream.send(Buffer.from('last words'));
    stream.end(failure);
  });
  const { hostAndPort } = await serve({ tables: [table] });
  const client = dial(hostAndPort).makeBidiStreamRequest('/test.T/S', asIs, asIs);
  const heard: string[] = [];
  client.on('data', (message: Buffer) => heard.push(message.toString()));
  const error = await new Promise((resolve) => client.on('error', resolve));
  assert.deepEqual(heard, ['last words']);
  assert.ok(failsWith(failure.code, failure.message)(error));
});

test('a stream handler hears once that the client is gone', async () => {
  const { table, events } = streamTable(() => undefined);
  const { hostAndPort } = await serve({ tables: [table] });
  const client = dial(hostAndPort);
  const stream = client.makeBidiStreamRequest('/test.T/S', asIs, asIs);
  stream.on('error', () => undefined);
  stream.write(a);
  await until(() => events.length === 1);
  stream.cancel();
  await until(() => events.includes('cancel'));
  // A reset stream also looks half-closed for a moment.
  assert.deepEqual(
    events.filter((event) => event !== 'end'),
    ['message a', 'cancel'],
  );
});

test('a client that does not read makes send say so, and drain tells when it reads again', async () => {
  let stream: ServerStream | undefined;
  let drained = 0;
  const { table } = streamTable((opened) => {
    stream = opened;
    opened.onDrain(() => drained++);
  });
  const { hostAndPort } = await serve({ tables: [table] });
  const client = dial(hostAndPort).makeBidiStreamRequest('/test.T/S', asIs, asIs);
  client.on('error', () => undefined);
  await until(() => stream !== undefined);
  let sent = 0;
  while (stream?.send(Buffer.alloc(64 * 1024)) && sent < 10_000) sent++;
  assert.ok(sent < 10_000, 'send never asked to wait');
  client.resume();
  await until(() => drained > 0);
  client.cancel();
});

test('a message on a stream that is too large ends it with the words of grpc-go', async () => {
  const { table, events } = streamTable(() => undefined);
  const { hostAndPort } = await serve({ tables: [table] });
  const client = dial(hostAndPort).makeBidiStreamRequest('/test.T/S', asIs, asIs);
  const limit = MAX_REQUEST_BYTES + 512 * 1024;
  const error = new Promise((resolve) => client.on('error', resolve));
  client.resume();
  client.write(Buffer.alloc(limit + 1));
  const text = `grpc: received message larger than max (${limit + 1} vs. ${limit})`;
  assert.ok(failsWith(Status.RESOURCE_EXHAUSTED, text)(await error));
  assert.deepEqual(events, ['cancel']);
});

test('a handler that throws is logged and its client gets a status', async () => {
  const lines: LogLine[] = [];
  const table: ServiceTable = {
    unary: new Map([
      [
        '/test.T/U',
        () => {
          throw new Error('out of ink');
        },
      ],
    ]),
    streams: new Map([
      [
        '/test.T/S',
        () => {
          throw new Error('out of ink');
        },
      ],
    ]),
  };
  const { hostAndPort } = await serve({ tables: [table], logger: recordingLogger(lines) });
  const client = dial(hostAndPort);
  await assert.rejects(callRaw(client, '/test.T/U', a), { code: Status.UNKNOWN });
  const stream = client.makeBidiStreamRequest('/test.T/S', asIs, asIs);
  const error = await new Promise<ServiceError>((resolve) => stream.on('error', resolve));
  assert.equal(Number(error.code), Status.UNKNOWN);
  assert.equal(lines.filter(({ level }) => level === 'error').length, 2);
});

test('a handler knows how long its client will wait', async () => {
  const remaining: number[] = [];
  const table: ServiceTable = {
    unary: new Map([
      [
        '/test.T/U',
        (_request, context, reply) => {
          remaining.push(context.remainingMs);
          reply(null, a);
        },
      ],
    ]),
    streams: new Map(),
  };
  const { hostAndPort } = await serve({ tables: [table] });
  const client = dial(hostAndPort);
  await callRaw(client, '/test.T/U', a);
  await callRaw(client, '/test.T/U', a, { timeoutMs: 60_000 });
  assert.equal(remaining[0], Infinity);
  assert.ok((remaining[1] as number) > 0 && (remaining[1] as number) <= 60_000, String(remaining[1]));
});

test('close lets calls under way finish, and refuses new connections meanwhile', async () => {
  const held: UnaryReply[] = [];
  const table: ServiceTable = {
    unary: new Map([['/test.T/U', (_request, _context, reply) => void held.push(reply)]]),
    streams: new Map(),
  };
  const { hostAndPort, server } = await serve({ tables: [table] });
  const underWay = callRaw(dial(hostAndPort), '/test.T/U', a);
  await until(() => held.length === 1);
  const closed = server.close(60_000);
  await assert.rejects(open(hostAndPort), { code: 'ECONNREFUSED' });
  held[0]?.(null, Buffer.from('done'));
  assert.equal((await underWay).toString(), 'done');
  await closed;
});

test('close ends streams with a status that makes clients come again', async () => {
  const { table, events } = streamTable(() => undefined);
  const { hostAndPort, server } = await serve({ tables: [table] });
  const stream = dial(hostAndPort).makeBidiStreamRequest('/test.T/S', asIs, asIs);
  const error = new Promise((resolve) => stream.on('error', resolve));
  stream.resume();
  stream.write(a);
  await until(() => events.length === 1);
  await Promise.all([server.close(60_000), server.close(60_000)]);
  assert.ok(failsWith(Status.UNAVAILABLE, 'etcdserver: server stopped')(await error));
  assert.deepEqual(events, ['message a', 'cancel']);
});

test('close cuts off what is still open when the grace is over; such clients see UNAVAILABLE', async () => {
  const lines: LogLine[] = [];
  const { hostAndPort, server, member } = await serve({ logger: recordingLogger(lines) });
  member.kvOutcome = 'silence';
  const underWay = assert.rejects(call(dial(hostAndPort), PUT, { key: a }), { code: Status.UNAVAILABLE });
  await until(() => member.asked.length === 1);
  member.readOutcome = 'silence';
  const http = assert.rejects(fetch(`http://${hostAndPort}/health`));
  const idle = await open(hostAndPort);
  const idleClosed = new Promise((resolve) => idle.once('close', resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server.close(100);
  await Promise.all([underWay, http, idleClosed]);
  assert.equal(lines.at(-1)?.message, 'clients still had calls open and were cut off');
});

test('close waits for an HTTP request that is being answered', async () => {
  const { hostAndPort, server, member } = await serve();
  let answer: (() => void) | undefined;
  member.linearizableRead = (done) => (answer = () => done(null));
  const response = fetch(`http://${hostAndPort}/health`);
  await until(() => answer !== undefined);
  const closed = server.close(60_000);
  answer?.();
  assert.equal((await response).status, 200);
  await closed;
});

test('close with nothing open takes no time', async () => {
  const { hostAndPort, server } = await serve();
  await call(dial(hostAndPort), PUT, { key: a });
  assert.equal((await fetch(`http://${hostAndPort}/version`)).status, 200);
  await server.close(3_600_000);
});

test('a port that is taken is reported in one line that names it and the way out', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  atEnd(() => blocker.close());
  const url = `http://127.0.0.1:${(blocker.address() as AddressInfo).port}`;
  await assert.rejects(serve({ listenUrls: ['http://127.0.0.1:0', url] }), (error: unknown) => {
    assert.ok(error instanceof ListenError);
    assert.equal(
      error.message,
      `cannot listen on ${url}: the port is in use (EADDRINUSE); stop the process that holds it or choose another port`,
    );
    return true;
  });
});

test('several addresses serve the same member', async () => {
  const { server } = await serve({ listenUrls: ['http://127.0.0.1:0', 'http://localhost:0'] });
  for (const url of server.addresses) await call(dial(url.slice('http://'.length)), PUT, { key: a });
});
