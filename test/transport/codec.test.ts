import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { encodeRecords, makeEntry } from '../../src/raft/entry-codec.js';
import { encode, type Codec } from '../../src/transport/codec.js';
import { MalformedMessageError } from '../../src/transport/errors.js';
import { rpcCodecs, type RpcName } from '../../src/transport/rpcs.js';
import { anyMessage, RPC_NAMES, sampleArgs, sampleReplies } from './messages.js';

function roundTrips<T>(codec: Codec<T>, messages: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(messages, (message) => {
      const bytes = encode(codec, message);
      assert.equal(bytes.length, codec.sizeBytes(message));
      assert.deepEqual(codec.decode(bytes), message);
    }),
    { numRuns: 200 },
  );
}

function argsRoundTrip<N extends RpcName>(name: N): void {
  roundTrips(rpcCodecs[name].args, anyMessage[name].args);
}

function replyRoundTrips<N extends RpcName>(name: N): void {
  roundTrips(rpcCodecs[name].reply, anyMessage[name].reply);
}

for (const name of RPC_NAMES) {
  test(`the arguments of ${name} come out as they went in`, () => argsRoundTrip(name));
  test(`the reply of ${name} comes out as it went in`, () => replyRoundTrips(name));
}

const SERVICE = 'raftkv.raft.Raft';
const definitions = loadSync('raft.proto', { includeDirs: ['proto'], keepCase: true, longs: String, arrays: true });
type AnyMethod = MethodDefinition<object, object>;

function methodOf(name: RpcName): AnyMethod {
  const service = definitions[SERVICE] as Record<string, AnyMethod>;
  const method = Object.values(service).find((candidate) => candidate.path === rpcCodecs[name].path);
  assert.ok(method, `${rpcCodecs[name].path} is not in raft.proto`);
  return method;
}

/** Protobuf's own reader and writer, driven by raft.proto, must keep what our codec means. */
function survivesProtobuf<T>(codec: Codec<T>, message: T, again: (bytes: Buffer) => Buffer): void {
  assert.deepEqual(codec.decode(again(encode(codec, message))), message);
}

for (const name of RPC_NAMES) {
  test(`${name} is written as raft.proto says`, () => {
    const method = methodOf(name);
    const { args, reply } = rpcCodecs[name] as { args: Codec<unknown>; reply: Codec<unknown> };
    survivesProtobuf(args, sampleArgs(2n ** 63n + 1n)[name], (bytes) =>
      method.requestSerialize(method.requestDeserialize(bytes)),
    );
    survivesProtobuf(reply, sampleReplies[name], (bytes) =>
      method.responseSerialize(method.responseDeserialize(bytes)),
    );
  });
}

test('raft.proto gives fields the names of messages.ts', () => {
  const method = methodOf('requestVote');
  const bytes = encode(rpcCodecs.requestVote.args, sampleArgs(2n ** 64n - 1n).requestVote);
  assert.deepEqual(method.requestDeserialize(bytes), {
    term: '7',
    candidate_id: '18446744073709551615',
    last_log_index: '41',
    last_log_term: '6',
    pre_vote: true,
    leadership_transfer: false,
  });
});

const malformed = (pattern: RegExp) => (error: unknown) =>
  error instanceof MalformedMessageError && error.code === 'TRANSPORT_MALFORMED_MESSAGE' && pattern.test(error.message);

/** fixed64 field `field` with all eight bytes given. */
function fixed64(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | 1;
  bytes.writeBigUInt64LE(value, 1);
  return bytes;
}

test('a term or an index from 2^53 on is refused (A04)', () => {
  for (const value of [2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n]) {
    const bytes = Buffer.concat([fixed64(1, value), fixed64(2, 9n)]);
    assert.throws(() => rpcCodecs.timeoutNow.args.decode(bytes), malformed(/beyond 2\^53/));
    assert.throws(() => rpcCodecs.readIndex.reply.decode(fixed64(2, value)), malformed(/beyond 2\^53/));
  }
  assert.equal(rpcCodecs.readIndex.reply.decode(fixed64(2, 2n ** 53n - 1n)).readIndex, Number.MAX_SAFE_INTEGER);
});

test('a request in term 0 or from member 0 is refused', () => {
  assert.throws(() => rpcCodecs.timeoutNow.args.decode(fixed64(2, 9n)), malformed(/term 0/));
  assert.throws(() => rpcCodecs.timeoutNow.args.decode(fixed64(1, 9n)), malformed(/member 0/));
});

test('entries that do not continue the log they claim to continue are refused', () => {
  const { args } = rpcCodecs.appendEntries;
  const message = sampleArgs(5n).appendEntries;
  const decodeWith = (change: object) => () => args.decode(encode(args, { ...message, ...change }));
  assert.throws(decodeWith({ prevLogIndex: 40 }), malformed(/begin at index 42, expected 41/));
  assert.throws(decodeWith({ prevLogTerm: 7 }), malformed(/entry 42 has term 6, expected at least 7/));
  assert.throws(decodeWith({ term: 6 }), malformed(/term 7, above the leader's 6/));
  const gap = [makeEntry(42, 6, Buffer.alloc(1)), makeEntry(44, 6, Buffer.alloc(1))];
  assert.throws(decodeWith({ entries: gap }), malformed(/index 44, expected 43/));
});

test('an entry whose checksum does not fit is refused', () => {
  const { args } = rpcCodecs.appendEntries;
  const message = sampleArgs(5n).appendEntries;
  const bytes = encode(args, message);
  const position = bytes.indexOf(encodeRecords(message.entries)) + 24;
  bytes[position] = (bytes[position] as number) ^ 1;
  assert.throws(() => args.decode(bytes), malformed(/checksum/));
});

test('a snapshot without voters, or with voters out of order, is refused', () => {
  const { args } = rpcCodecs.installSnapshot;
  const message = sampleArgs(5n).installSnapshot;
  for (const voters of [[], [2n, 1n], [1n, 1n], [0n, 1n]]) {
    const snapshot = { ...message.snapshot, configuration: { voters } };
    assert.throws(() => args.decode(encode(args, { ...message, snapshot })), malformed(/voters/));
  }
});

test('a field that this build does not know is passed over', () => {
  const known = encode(rpcCodecs.readIndex.reply, sampleReplies.readIndex);
  const varint = Buffer.from([(9 << 3) | 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
  const fixed32 = Buffer.from([(10 << 3) | 5, 1, 2, 3, 4]);
  const content = Buffer.from([0xa2, 0x06, 2, 7, 7]);
  const bytes = Buffer.concat([varint, fixed32, fixed64(11, 1n), known, content]);
  assert.deepEqual(rpcCodecs.readIndex.reply.decode(bytes), sampleReplies.readIndex);
});

test('whatever the bytes are, decoding gives a message or a MalformedMessageError, never anything else', () => {
  const codecs = RPC_NAMES.flatMap((name) => [rpcCodecs[name].args, rpcCodecs[name].reply] as Codec<unknown>[]);
  const samples = RPC_NAMES.flatMap((name) => [
    encode(rpcCodecs[name].args as Codec<unknown>, sampleArgs(5n)[name]),
    encode(rpcCodecs[name].reply as Codec<unknown>, sampleReplies[name]),
  ]);
  const damaged = fc
    .tuple(fc.constantFrom(...samples), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
    .map(([sample, position, byte, length]) => {
      const bytes = Buffer.from(sample.subarray(0, length % (sample.length + 1)));
      if (bytes.length > 0) bytes[position % bytes.length] = byte;
      return bytes;
    });
  const anything = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(damaged, anything), (bytes) => {
      for (const codec of codecs) {
        try {
          codec.decode(bytes);
        } catch (error) {
          assert.ok(error instanceof MalformedMessageError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});
