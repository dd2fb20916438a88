import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { ListenError } from '../../src/lib/listener.js';
import { silentLogger, type Logger } from '../../src/lib/logger.js';
import { makeEntry } from '../../src/raft/entry-codec.js';
import type { PeerHandler } from '../../src/raft/ports.js';
import { encode } from '../../src/transport/codec.js';
import { identityMetadata } from '../../src/transport/identity.js';
import { MAX_IN_FLIGHT_BYTES } from '../../src/transport/limits.js';
import { GrpcTransport } from '../../src/transport/peer-client.js';
import { startPeerServer, type PeerServer } from '../../src/transport/peer-service.js';
import { CONVERSE_PATH, rpcCodecs, type RpcName, type Rpcs } from '../../src/transport/rpcs.js';
import { FakeHandler } from './handler.js';
import { LossyProxy } from './lossy-proxy.js';
import { recordingLogger, type LogLine } from './log-lines.js';
import { RPC_NAMES, sampleArgs, sampleReplies } from './messages.js';

const CLUSTER = 0xcdf8_1881_0000_0001n;
const ME = 0x8e9e_05c5_2164_694dn;
const PEER = 0xfd42_2379_fda5_0e48n;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(handler: PeerHandler, change: object = {}): Promise<PeerServer> {
  const server = await startPeerServer({
    listenUrls: ['http://127.0.0.1:0'],
    clusterId: CLUSTER,
    memberId: PEER,
    peers: new Set([ME]),
    handler,
    logger: silentLogger,
    ...change,
  });
  cleanups.push(() => server.close());
  return server;
}

function dial(
  url: string,
  change: { clusterId?: bigint; memberId?: bigint; electionTimeoutMs?: number; logger?: Logger } = {},
) {
  const transport = new GrpcTransport({
    clusterId: CLUSTER,
    memberId: ME,
    electionTimeoutMs: 5_000,
    logger: silentLogger,
    ...change,
  });
  cleanups.push(() => transport.close());
  transport.setPeer(PEER, [url]);
  return transport;
}

function ask<N extends RpcName>(
  transport: GrpcTransport,
  name: N,
  args: Rpcs[N]['args'],
): Promise<Rpcs[N]['reply'] | null> {
  type Methods = { [M in RpcName]: (peer: bigint, args: Rpcs[M]['args']) => Promise<Rpcs[M]['reply'] | null> };
  const methods: Methods = transport;
  return methods[name](PEER, args);
}

async function eventually<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const result = await attempt();
    if (result !== null) return result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came about');
}

/** A call as a program of our own making would place it. */
function rawCall(url: string, path: string, metadata: Metadata, content: Buffer): Promise<ServiceError | Buffer> {
  const client = new Client(url.slice('http://'.length), credentials.createInsecure());
  cleanups.push(() => client.close());
  const identity = (bytes: Buffer) => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, identity, identity, content, metadata, (error, reply) =>
      resolve(error ?? (reply as Buffer)),
    );
  });
}

for (const name of RPC_NAMES) {
  test(`${name} reaches the peer as it was sent, and so does the reply`, async () => {
    const handler = new FakeHandler();
    const server = await serve(handler);
    const args = sampleArgs(ME)[name];
    assert.deepEqual(await ask(dial(server.addresses[0] as string), name, args), sampleReplies[name]);
    assert.deepEqual(handler.asked, [{ name, args }]);
  });

  test(`${name} resolves to null when the peer has nothing to say`, async () => {
    const server = await serve(new FakeHandler({ [name]: async () => null }));
    assert.equal(await ask(dial(server.addresses[0] as string), name, sampleArgs(ME)[name]), null);
  });

  test(`${name} resolves to null when the peer fails, and the peer says so in its log`, async () => {
    const lines: LogLine[] = [];
    const fails = new FakeHandler({ [name]: () => Promise.reject(new Error('out of ink')) });
    const server = await serve(fails, { logger: recordingLogger(lines) });
    assert.equal(await ask(dial(server.addresses[0] as string), name, sampleArgs(ME)[name]), null);
    assert.deepEqual(
      lines.map(({ level, message }) => [level, message]),
      [['error', 'request from a peer failed']],
    );
  });

  test(`${name} from another cluster is refused before the peer sees it (A03)`, async () => {
    const lines: LogLine[] = [];
    const handler = new FakeHandler();
    const server = await serve(handler, { logger: recordingLogger(lines) });
    const stranger = dial(server.addresses[0] as string, { clusterId: CLUSTER + 1n });
    assert.equal(await ask(stranger, name, sampleArgs(ME)[name]), null);
    assert.deepEqual(handler.asked, []);
    assert.equal(lines[0]?.level, 'warn');
    assert.equal(lines[0]?.fields['reason'], 'cluster ID mismatch');
  });

  test(`${name} that names another member than its caller is refused (A02)`, async () => {
    const handler = new FakeHandler();
    const server = await serve(handler, { peers: new Set([ME, 3n]) });
    assert.equal(await ask(dial(server.addresses[0] as string), name, sampleArgs(3n)[name]), null);
    assert.deepEqual(handler.asked, []);
  });
}

test('a refusal tells the caller, with a status and in words, what was wrong', async () => {
  const server = await serve(new FakeHandler());
  const [url] = server.addresses as [string];
  const { path, args } = rpcCodecs.readIndex;
  const content = encode(args, sampleArgs(ME).readIndex);
  const refusal = async (metadata: Metadata, bytes = content) => {
    const { code, details } = (await rawCall(url, path, metadata, bytes)) as ServiceError;
    return `${status[code]} ${details}`;
  };
  const good = { clusterId: CLUSTER, from: ME, to: PEER };
  assert.equal(await refusal(identityMetadata({ ...good, clusterId: 1n })), 'FAILED_PRECONDITION cluster ID mismatch');
  assert.equal(
    await refusal(identityMetadata({ ...good, to: 5n })),
    'FAILED_PRECONDITION this is member fd422379fda50e48, the call is for 5',
  );
  assert.equal(
    await refusal(identityMetadata({ ...good, from: 6n })),
    'PERMISSION_DENIED member 6 does not belong to this cluster',
  );
  assert.match(await refusal(new Metadata()), /^FAILED_PRECONDITION raftkv-cluster-id is missing/);
  assert.match(
    await refusal(identityMetadata(good), Buffer.from([9])),
    /^INVALID_ARGUMENT message from a peer is malf/,
  );
  assert.ok(Buffer.isBuffer(await rawCall(url, path, identityMetadata(good), content)));
});

test('a member that is removed is not heard any more, even on the stream it has open', async () => {
  const peers = new Set([ME]);
  const server = await serve(new FakeHandler(), { peers });
  const transport = dial(server.addresses[0] as string);
  assert.ok(await transport.appendEntries(PEER, sampleArgs(ME).appendEntries));
  peers.delete(ME);
  assert.equal(await transport.appendEntries(PEER, sampleArgs(ME).appendEntries), null);
});

test('many calls are in flight at once and each gets its own answer, whatever the order', async () => {
  const held: (() => void)[] = [];
  const handler = new FakeHandler({
    appendEntries: (args) =>
      new Promise((resolve) => {
        held.push(() => resolve({ term: args.term, success: true, hintIndex: args.round, hintTerm: 0 }));
        if (held.length < 200) return;
        for (const answer of held.splice(0).reverse()) answer();
      }),
  });
  const server = await serve(handler);
  const transport = dial(server.addresses[0] as string);
  const rounds = Array.from({ length: 200 }, (_, round) => round + 1);
  const calls = rounds.map((round) => transport.appendEntries(PEER, { ...sampleArgs(ME).appendEntries, round }));
  const replies = await Promise.all(calls);
  assert.deepEqual(
    replies.map((reply) => reply?.hintIndex),
    rounds,
  );
});

test('more calls than a stream may hold open are answered all the same', async () => {
  const server = await serve(new FakeHandler({ readIndex: async () => ({ term: 7, readIndex: 1 }) }));
  const transport = dial(server.addresses[0] as string);
  const calls = Array.from({ length: 5_000 }, () => transport.readIndex(PEER, { term: 7, originId: ME }));
  assert.ok((await Promise.all(calls)).every((reply) => reply?.readIndex === 1));
});

test('a call without an answer is given up after the election timeout, and its late answer harms nobody', async () => {
  const held: (() => void)[] = [];
  let isHolding = true;
  const answer = { term: 7, readIndex: 1 };
  const readIndex = () =>
    isHolding ? new Promise<typeof answer>((resolve) => held.push(() => resolve(answer))) : Promise.resolve(answer);
  const server = await serve(new FakeHandler({ readIndex }));
  const transport = dial(server.addresses[0] as string, { electionTimeoutMs: 300 });
  assert.equal(await transport.readIndex(PEER, { term: 7, originId: ME }), null);
  isHolding = false;
  for (const letGo of held) letGo();
  assert.deepEqual(await transport.readIndex(PEER, { term: 7, originId: ME }), answer);
});

test('calls to a peer that is gone resolve to null, and it is found again when it comes back', async () => {
  const first = await serve(new FakeHandler());
  const [url] = first.addresses as [string];
  const transport = dial(url, { electionTimeoutMs: 500 });
  assert.ok(await transport.appendEntries(PEER, sampleArgs(ME).appendEntries));
  await first.close();
  for (const name of RPC_NAMES) assert.equal(await ask(transport, name, sampleArgs(ME)[name]), null);
  await serve(new FakeHandler(), { listenUrls: [url] });
  for (const name of RPC_NAMES) {
    assert.deepEqual(await eventually(() => ask(transport, name, sampleArgs(ME)[name])), sampleReplies[name]);
  }
});

test('calls under way when the peer dies resolve to null at once', async () => {
  const asked: unknown[] = [];
  const hangs = new FakeHandler({ appendEntries: (args) => new Promise(() => asked.push(args)) });
  const server = await serve(hangs);
  const transport = dial(server.addresses[0] as string, { electionTimeoutMs: 3_600_000 });
  const calls = [1, 2, 3].map(() => transport.appendEntries(PEER, sampleArgs(ME).appendEntries));
  await eventually(async () => (asked.length === 3 ? true : null));
  await server.close();
  assert.deepEqual(await Promise.all(calls), [null, null, null]);
});

test('an attempt to connect that hangs is given up, and the peer is found once the link works again', async () => {
  const server = await serve(new FakeHandler());
  const link = new LossyProxy(server.addresses[0] as string);
  cleanups.push(() => link.close());
  link.isCut = true;
  const transport = dial(await link.listen(), { electionTimeoutMs: 200 });
  assert.equal(await transport.readIndex(PEER, { term: 7, originId: ME }), null);
  link.isCut = false;
  assert.ok(await eventually(() => transport.readIndex(PEER, { term: 7, originId: ME })));
  assert.ok(await eventually(() => transport.requestVote(PEER, sampleArgs(ME).requestVote)));
});

test('a connection whose link was cut without a word is given up, and the peer is found again', async () => {
  const lines: LogLine[] = [];
  const server = await serve(new FakeHandler());
  const link = new LossyProxy(server.addresses[0] as string);
  cleanups.push(() => link.close());
  const transport = dial(await link.listen(), { electionTimeoutMs: 200, logger: recordingLogger(lines) });
  assert.ok(await eventually(() => transport.readIndex(PEER, { term: 7, originId: ME })));
  link.isCut = true;
  await eventually(async () => {
    assert.equal(await transport.readIndex(PEER, { term: 7, originId: ME }), null);
    return lines.some(({ message }) => message === 'peer is unreachable') || null;
  });
  link.isCut = false;
  assert.ok(await eventually(() => transport.readIndex(PEER, { term: 7, originId: ME })));
  assert.deepEqual(
    lines.map(({ level, message }) => `${level} ${message}`),
    ['info peer is reachable', 'warn peer is unreachable', 'info peer is reachable'],
  );
});

test('an unknown peer is not called', async () => {
  const transport = dial('http://127.0.0.1:1');
  assert.equal(await transport.readIndex(99n, { term: 1, originId: ME }), null);
  assert.equal(await transport.requestVote(99n, sampleArgs(ME).requestVote), null);
});

test('a peer that has moved is called at its new address', async () => {
  const transport = dial('http://127.0.0.1:1');
  assert.equal(await transport.readIndex(PEER, { term: 7, originId: ME }), null);
  const server = await serve(new FakeHandler());
  transport.setPeer(PEER, server.addresses);
  assert.deepEqual(await transport.readIndex(PEER, { term: 7, originId: ME }), sampleReplies.readIndex);
});

test('of several addresses of a peer, one that answers is found', async () => {
  const server = await serve(new FakeHandler());
  const transport = dial('http://127.0.0.1:1');
  transport.setPeer(PEER, ['http://127.0.0.1:1', server.addresses[0] as string]);
  const reply = await eventually(() => transport.readIndex(PEER, { term: 7, originId: ME }));
  assert.deepEqual(reply, sampleReplies.readIndex);
});

test('a batch of the largest size arrives whole', async () => {
  const handler = new FakeHandler();
  const server = await serve(handler);
  const entries = [makeEntry(42, 7, Buffer.alloc(12 << 20, 1))];
  const args = { ...sampleArgs(ME).appendEntries, entries };
  assert.ok(await dial(server.addresses[0] as string).appendEntries(PEER, args));
  assert.deepEqual(handler.asked[0]?.args, args);
});

test('more bytes than may be on their way to one peer are not even sent', async () => {
  const server = await serve(new FakeHandler({ appendEntries: () => new Promise(() => undefined) }));
  const transport = dial(server.addresses[0] as string, { electionTimeoutMs: 3_600_000 });
  const sizeBytes = 8 << 20;
  const entries = [makeEntry(42, 7, Buffer.alloc(sizeBytes))];
  const args = { ...sampleArgs(ME).appendEntries, entries };
  for (let sent = 0; sent + sizeBytes < MAX_IN_FLIGHT_BYTES; sent += sizeBytes)
    void transport.appendEntries(PEER, args);
  assert.equal(await transport.appendEntries(PEER, args), null);
});

test('close ends every open call on both sides and does not wait for handlers', async () => {
  const server = await serve(new FakeHandler({ readIndex: () => new Promise(() => undefined) }));
  const transport = dial(server.addresses[0] as string, { electionTimeoutMs: 3_600_000 });
  const open = transport.readIndex(PEER, { term: 7, originId: ME });
  transport.close();
  assert.equal(await open, null);
  assert.equal(await transport.readIndex(PEER, { term: 7, originId: ME }), null);
  await Promise.all([server.close(), server.close()]);
});

test('a stream that carries no calls is ended with a reason', async () => {
  const server = await serve(new FakeHandler());
  const client = new Client((server.addresses[0] as string).slice('http://'.length), credentials.createInsecure());
  cleanups.push(() => client.close());
  const identity = (bytes: Buffer) => bytes;
  const metadata = identityMetadata({ clusterId: CLUSTER, from: ME, to: PEER });
  const stream = client.makeBidiStreamRequest(CONVERSE_PATH, identity, identity, metadata);
  const failure = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
  stream.resume();
  stream.write(Buffer.from([0xff, 0xff]));
  const { code, details } = await failure;
  assert.equal(code, status.INVALID_ARGUMENT);
  assert.match(details, /malformed/);
});

test('a port that is taken is reported in one line that names it and the way out', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => blocker.close());
  const url = `http://127.0.0.1:${(blocker.address() as AddressInfo).port}`;
  await assert.rejects(serve(new FakeHandler(), { listenUrls: ['http://127.0.0.1:0', url] }), (error: unknown) => {
    assert.ok(error instanceof ListenError);
    assert.equal(
      error.message,
      `cannot listen on ${url}: the port is in use (EADDRINUSE); stop the process that holds it or choose another port`,
    );
    return true;
  });
});

test('what is no URL to listen on is refused with an example', async () => {
  for (const url of [
    '127.0.0.1:2380',
    'https://127.0.0.1:2380',
    'http://127.0.0.1',
    'http://a:70000',
    'http://a:1/x',
  ]) {
    await assert.rejects(serve(new FakeHandler(), { listenUrls: [url] }), /expected http:\/\/host:port/);
  }
});

test('a name or an IPv6 address can be listened on', async () => {
  const server = await serve(new FakeHandler(), { listenUrls: ['http://localhost:0', 'http://[::1]:0'] });
  assert.match(server.addresses[0] as string, /^http:\/\/localhost:\d+$/);
  for (const url of server.addresses) {
    assert.deepEqual(await dial(url).readIndex(PEER, { term: 7, originId: ME }), sampleReplies.readIndex);
  }
});
