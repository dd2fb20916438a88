import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { HTTP2_PREFACE, Http2Repair } from '../../src/api/http2-repair.js';
import { ProtocolPeek } from '../../src/api/protocol-peek.js';
import { RepairedConnection } from '../../src/api/repaired-connection.js';
import { MEMBER_ID } from './fake-member.js';
import { atEnd, serve } from './server.js';

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const CONTINUATION = 9;
const END_STREAM = 0x1;
const ACK = 0x1;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

function frame(type: number, flags = 0, stream = 0, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** The whole frames at the beginning of the bytes. */
function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const [type = 0, flags = 0] = bytes.subarray(at + 3, at + 5);
    frames.push({ type, flags, stream: bytes.readUInt32BE(at + 5), payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return frames;
}

const plain = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);

/** The headers of a call, all of them put into the dynamic table; and of the same call, all of them taken from there. */
function headersOf(authority: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x83, 0x86, 0x44]),
    plain('/etcdserverpb.Maintenance/Status'),
    Buffer.from([0x41]),
    plain(authority),
    Buffer.from([0x5f]),
    plain('application/grpc'),
    Buffer.from([0x40]),
    plain('te'),
    plain('trailers'),
  ]);
}
const SAME_HEADERS = Buffer.from([0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe]);
const EMPTY_MESSAGE = Buffer.alloc(5);

const opening = Buffer.concat([HTTP2_PREFACE, frame(SETTINGS)]);
const callOf = (stream: number, headers: Buffer): Buffer =>
  Buffer.concat([frame(HEADERS, END_HEADERS, stream, headers), frame(DATA, END_STREAM, stream, EMPTY_MESSAGE)]);

/** All that comes out, when it goes in by so many bytes at a time. */
function repaired(said: Buffer, step = said.length, repair = new Http2Repair()): Buffer {
  const out: Buffer[] = [];
  for (let at = 0; at < said.length; at += step) out.push(...repair.push(said.subarray(at, at + step)));
  return Buffer.concat([...out, ...repair.rest()]);
}

/** A client that can say anything. */
class RawClient {
  heard: Buffer = Buffer.alloc(0);

  private constructor(readonly socket: Socket) {
    socket.on('data', (bytes: Buffer) => (this.heard = Buffer.concat([this.heard, bytes])));
    socket.on('error', () => undefined); // a server may cut it off
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    atEnd(() => socket.destroy());
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  say(...parts: Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  async hears(isEnough: (frames: Frame[]) => boolean): Promise<Frame[]> {
    while (!isEnough(framesIn(this.heard))) {
      assert.ok(!this.socket.closed, 'the server has hung up');
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
    return framesIn(this.heard);
  }

  /** Resolves when the stream has ended; with what came as DATA. */
  async answer(stream: number): Promise<Buffer> {
    const frames = await this.hears((all) => all.some((one) => one.stream === stream && isLast(one)));
    const own = frames.filter((one) => one.stream === stream);
    assert.deepEqual(
      own.filter(({ type }) => type === RST_STREAM),
      [],
      'the stream is reset',
    );
    return Buffer.concat(own.filter(({ type }) => type === DATA).map(({ payload }) => payload));
  }
}

function isLast({ type, flags }: Frame): boolean {
  return type === RST_STREAM || (type !== SETTINGS && (flags & END_STREAM) !== 0);
}

const { member, hostAndPort } = await serve();
const port = Number(hostAndPort.split(':')[1]);
const isStatus = (answer: Buffer): void => assert.match(answer.toString('latin1'), /3\.4\.23/);

test('what needs no repair comes out as it went in, however it was cut', () => {
  const said = Buffer.concat([
    opening,
    frame(SETTINGS, ACK),
    frame(HEADERS, PADDED | PRIORITY, 1, Buffer.from([2, 0, 0, 0, 0, 15, 0x83, 0x86, 0, 0])),
    frame(CONTINUATION, 0, 1, Buffer.alloc(0)),
    frame(CONTINUATION, END_HEADERS, 1, headersOf('127.0.0.1:2379').subarray(2)),
    frame(DATA, END_STREAM, 1, Buffer.alloc(300, 7)),
    frame(PING, 0, 0, Buffer.alloc(8)),
  ]);
  for (let step = 1; step <= said.length; step++) {
    const repair = new Http2Repair();
    assert.ok(repaired(said, step, repair).equals(said), `${step} bytes at a time`);
    assert.deepEqual([repair.blocks, repair.repaired, repair.hasPing, repair.hasGivenUp], [1, 0, true, false]);
  }
});

test('a repaired block loses its padding and its cuts, and keeps its priority and its end of stream', () => {
  const illegal = headersOf('http://a/b#c');
  const priority = Buffer.from([0, 0, 0, 0, 15]);
  const head = Buffer.concat([Buffer.from([3]), priority, illegal.subarray(0, 50), Buffer.alloc(3)]);
  const said = Buffer.concat([
    opening,
    frame(HEADERS, PADDED | PRIORITY | END_STREAM, 1, head),
    frame(CONTINUATION, END_HEADERS, 1, illegal.subarray(50)),
    callOf(3, SAME_HEADERS),
  ]);
  const expected = Buffer.concat([
    opening,
    frame(HEADERS, PRIORITY | END_STREAM | END_HEADERS, 1, Buffer.concat([priority, headersOf('http:--a-b-c')])),
    callOf(3, SAME_HEADERS),
  ]);
  for (let step = 1; step <= said.length; step++) {
    assert.ok(repaired(said, step).equals(expected), `${step} bytes at a time`);
  }
});

test('a block that has grown by its repair is cut into frames again', () => {
  // Huffman's code for '/' has 6 bits, so the plain text is longer.
  const coded = Buffer.alloc(13_500);
  for (let bit = 0; bit < coded.length * 8; bit++) {
    if ('011000'[bit % 6] === '1') coded[bit >> 3] = (coded[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  }
  const size = coded.length - 127;
  const block = Buffer.concat([Buffer.from([0x41, 0xff, 0x80 | (size & 127), size >> 7]), coded]);
  const frames = framesIn(repaired(Buffer.concat([HTTP2_PREFACE, frame(HEADERS, END_HEADERS, 1, block)])).subarray(24));
  assert.deepEqual(
    frames.map(({ type, flags, stream }) => [type, flags, stream]),
    [
      [HEADERS, 0, 1],
      [CONTINUATION, END_HEADERS, 1],
    ],
  );
  const out = Buffer.concat(frames.map(({ payload }) => payload));
  assert.equal(out.subarray(5).toString(), '-'.repeat(18_000));
});

test('only the acknowledgement of what was sent in the place of the library is kept from it', () => {
  const repair = new Http2Repair();
  repair.owesSettingsAck = true;
  const said = Buffer.concat([opening, frame(SETTINGS, ACK), frame(SETTINGS, ACK)]);
  assert.deepEqual(repaired(said, 1, repair), Buffer.concat([opening, frame(SETTINGS, ACK)]));
});

test('what is no HTTP/2 is passed on', () => {
  const illegal = frame(HEADERS, 0, 1, headersOf('http://a'));
  for (const wrong of [
    Buffer.concat([illegal, frame(DATA)]),
    Buffer.concat([illegal, illegal]),
    frame(CONTINUATION, END_HEADERS, 1, headersOf('http://a')),
    frame(HEADERS, END_HEADERS | PADDED, 1, Buffer.from([9, 0x83])),
    frame(HEADERS, END_HEADERS, 1, Buffer.alloc(16_385)),
    Buffer.concat([illegal, ...Array.from({ length: 5 }, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16_384)))]),
  ]) {
    const said = Buffer.concat([HTTP2_PREFACE, wrong, illegal]);
    const repair = new Http2Repair();
    assert.ok(repaired(said, 1_000, repair).equals(said));
    assert.ok(repair.hasGivenUp);
  }
});

test('a client with an illegal authority is answered, call after call on one connection', async () => {
  for (const authority of [`http://${hostAndPort}`, '#initially=[http://a;http://b]', '/run/etcd.sock', 'n1 \u0001']) {
    const client = await RawClient.connect(port);
    client.say(opening, callOf(1, headersOf(authority)));
    isStatus(await client.answer(1));
    for (const stream of [3, 5, 7]) {
      client.say(callOf(stream, SAME_HEADERS));
      isStatus(await client.answer(stream));
    }
    client.socket.end();
    await once(client.socket, 'close');
  }
});

test('it is answered when it speaks byte by byte, and in CONTINUATION frames', async () => {
  const client = await RawClient.connect(port);
  const headers = headersOf('http://a');
  const said = Buffer.concat([
    opening,
    frame(HEADERS, 0, 1, headers.subarray(0, 45)),
    frame(CONTINUATION, 0, 1, headers.subarray(45, 46)),
    frame(CONTINUATION, END_HEADERS, 1, headers.subarray(46)),
    frame(DATA, END_STREAM, 1, EMPTY_MESSAGE),
  ]);
  for (const byte of said) {
    client.say(Buffer.from([byte]));
    await turn();
  }
  await client.hears((frames) => frames.some(({ type, flags }) => type === SETTINGS && (flags & ACK) === 0));
  client.say(frame(SETTINGS, ACK));
  isStatus(await client.answer(1));
});

/** Says the preface, waits for the server's, and only then calls: the way of gRPC clients. */
async function callPolitely(headers: Buffer, before: Buffer = Buffer.alloc(0)): Promise<RawClient> {
  const client = await RawClient.connect(port);
  client.say(HTTP2_PREFACE);
  const isSettings = ({ type, flags }: Frame): boolean => type === SETTINGS && (flags & ACK) === 0;
  await client.hears((frames) => frames.some(isSettings));
  client.say(frame(SETTINGS), before, frame(SETTINGS, ACK), callOf(1, headers));
  isStatus(await client.answer(1));
  client.say(frame(SETTINGS, ACK), callOf(3, SAME_HEADERS));
  isStatus(await client.answer(3));
  const frames = await client.hears((all) => all.filter(isSettings).length === 2);
  assert.ok(!frames.some(({ type }) => type === GOAWAY));
  return client;
}

test('a client that waits for the SETTINGS of the server is not kept waiting', async () => {
  await callPolitely(headersOf('127.0.0.1:2379'));
  await callPolitely(headersOf('http://127.0.0.1:2379'));
});

test('a client that asks for a sign of life before its first call gets one', async () => {
  const client = await RawClient.connect(port);
  client.say(opening, frame(PING, 0, 0, Buffer.from('are you?')));
  const isPong = ({ type, flags }: Frame): boolean => type === PING && (flags & ACK) !== 0;
  const pong = (await client.hears((frames) => frames.some(isPong))).find(isPong);
  assert.equal(pong?.payload.toString(), 'are you?');
  client.say(callOf(1, headersOf('http://a')));
  isStatus(await client.answer(1));
});

test('a large request and a large answer pass the repair', async () => {
  const received: Buffer[] = [];
  const server = createServer((socket) => {
    const connection = new RepairedConnection(socket, new Http2Repair(), []);
    // Reads slowly, answers with what it has read.
    void (async () => {
      for await (const bytes of connection) {
        received.push(bytes as Buffer);
        await turn();
        if (!connection.write(bytes)) await once(connection, 'drain');
      }
      connection.end();
    })();
  }).listen(0, '127.0.0.1');
  atEnd(() => server.close());
  await once(server, 'listening');
  const client = await RawClient.connect((server.address() as AddressInfo).port);
  const data = frame(DATA, 0, 1, Buffer.alloc(16_384, 'x'));
  const said = Buffer.concat([opening, ...Array.from({ length: 200 }, () => data)]);
  client.say(said);
  while (client.heard.length < said.length) await once(client.socket, 'data');
  client.socket.end();
  await once(client.socket, 'close');
  assert.ok(Buffer.concat(received).equals(said));
  assert.ok(client.heard.equals(said));
});

/** What the HTTP/2 server gets for a client that says this. */
async function handedOn(said: Buffer): Promise<{ connection: Duplex; socket: Socket }> {
  let accepted: Socket | undefined;
  const connection = await new Promise<Duplex>((resolve, reject) => {
    const peek = new ProtocolPeek({ http2: resolve, http1: () => reject(new Error('taken for HTTP/1.1')) }, {});
    const server = createServer((socket) => {
      accepted = socket;
      atEnd(() => socket.destroy());
      peek.accept(socket);
    }).listen(0, '127.0.0.1', () => {
      void RawClient.connect((server.address() as AddressInfo).port).then((client) => client.say(said));
    });
    atEnd(() => server.close());
  });
  return { connection, socket: accepted as Socket };
}

test('the connection of a client with a legal authority is handed on itself, with all that was said', async () => {
  const said = Buffer.concat([opening, callOf(1, headersOf('127.0.0.1:2379')), frame(DATA).subarray(0, 5)]);
  const { connection, socket } = await handedOn(said);
  assert.equal(connection, socket);
  assert.deepEqual(connection.read(), said);
});

test('the connection of any other client is handed on with its repair', async () => {
  const { connection, socket } = await handedOn(Buffer.concat([opening, callOf(1, headersOf('http://a'))]));
  assert.ok(connection instanceof RepairedConnection);
  const lost = once(connection, 'close');
  socket.destroy();
  await lost;
  assert.ok(connection.destroyed);
});

test('a repaired connection takes its socket along when it is destroyed', async () => {
  const { connection, socket } = await handedOn(Buffer.concat([opening, callOf(1, headersOf('http://a'))]));
  connection.destroy();
  if (!socket.closed) await once(socket, 'close');
});

test('closing drops the connections that wait for nothing', async () => {
  const { server, hostAndPort: own } = await serve();
  const silent = await RawClient.connect(Number(own.split(':')[1]));
  silent.say(opening);
  await silent.hears((frames) => frames.length > 0);
  const dropped = once(silent.socket, 'close');
  await server.close(60_000);
  await dropped;
});

const run = promisify(execFile);
const isInstalled = spawnSync('etcdctl', ['version']).status === 0;

test(
  'etcdctl gets the status of endpoints that it was given with their scheme',
  isInstalled ? {} : { skip: 'etcdctl is not installed' },
  async () => {
    const second = await serve();
    const urls = [`http://${hostAndPort}`, `http://${second.hostAndPort}`];
    member.records = urls.map((url, index) => ({
      id: MEMBER_ID + BigInt(index),
      name: `n${index + 1}`,
      peerURLs: ['http://127.0.0.1:2380'],
      clientURLs: [url],
    }));
    const etcdctl = async (...args: string[]) =>
      (await run('etcdctl', args, { env: { ...process.env, ETCDCTL_API: '3' } })).stdout;
    const given = JSON.parse(await etcdctl('--endpoints', urls.join(','), 'endpoint', 'status', '-w', 'json')) as {
      Endpoint: string;
      Status: { version: string };
    }[];
    assert.deepEqual(
      given.map(({ Endpoint, Status }) => [Endpoint, Status.version]),
      urls.map((url) => [url, '3.4.23']),
    );
    const found = await etcdctl('--endpoints', urls[0] as string, 'endpoint', 'status', '--cluster');
    assert.deepEqual(
      found
        .split('\n')
        .flatMap((line) => line.match(/^http:[^,]+/) ?? [])
        .sort(),
      [...urls].sort(),
    );
    assert.equal(await etcdctl('--endpoints', urls[0] as string, 'endpoint', 'hashkv'), `${urls[0]}, 4294967294\n`);
  },
);
