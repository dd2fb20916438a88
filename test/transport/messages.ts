import fc from 'fast-check';
import { makeEntry } from '../../src/raft/entry-codec.js';
import type { Entry } from '../../src/raft/messages.js';
import type { RpcName, Rpcs } from '../../src/transport/rpcs.js';

/** Records as a decoder makes them. */
function record<T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** Terms, indexes, counters: up to 2^53 - 1. */
const uint53 = fc.maxSafeNat();
const term = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const id = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const content = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** A leader's message: entries that continue prevLogIndex, in terms that never fall nor pass the leader's. */
const appendEntriesArgs: fc.Arbitrary<Rpcs['appendEntries']['args']> = record({
  leaderId: id,
  prevLogIndex: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 10 }),
  leaderCommit: uint53,
  round: uint53,
  payloads: fc.array(content, { maxLength: 5 }),
  terms: fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 7, maxLength: 7 }),
}).map(({ payloads, terms, ...rest }) => {
  terms.sort((a, b) => a - b);
  const entries: Entry[] = payloads.map((payload, position) =>
    makeEntry(rest.prevLogIndex + 1 + position, terms[position + 1] as number, payload),
  );
  return { ...rest, prevLogTerm: terms[0] as number, term: terms[6] as number, entries };
});

const voters = fc.uniqueArray(id, { minLength: 1, maxLength: 7 }).map((ids) => ids.sort((a, b) => (a < b ? -1 : 1)));

const installSnapshotArgs: fc.Arbitrary<Rpcs['installSnapshot']['args']> = record({
  terms: fc.tuple(term, term),
  leaderId: id,
  index: uint53,
  voters,
  transferId: uint53,
  offset: uint53,
  data: content,
  done: fc.boolean(),
}).map(({ terms, index, voters, ...rest }) => ({
  ...rest,
  term: Math.max(...terms),
  snapshot: { index, term: Math.min(...terms), configuration: { voters } },
}));

/** Any message a member may send, of every kind. */
export const anyMessage: {
  [N in RpcName]: { args: fc.Arbitrary<Rpcs[N]['args']>; reply: fc.Arbitrary<Rpcs[N]['reply']> };
} = {
  requestVote: {
    args: record({
      terms: fc.tuple(term, term),
      candidateId: id,
      lastLogIndex: uint53,
      preVote: fc.boolean(),
      leadershipTransfer: fc.boolean(),
    }).map(({ terms, ...rest }) => ({ ...rest, term: Math.max(...terms), lastLogTerm: Math.min(...terms) })),
    reply: record({ term: uint53, voteGranted: fc.boolean() }),
  },
  appendEntries: {
    args: appendEntriesArgs,
    reply: record({ term: uint53, success: fc.boolean(), hintIndex: uint53, hintTerm: uint53 }),
  },
  installSnapshot: {
    args: installSnapshotArgs,
    reply: record({ term: uint53, nextOffset: uint53, installed: fc.boolean() }),
  },
  timeoutNow: {
    args: record({ term, leaderId: id }),
    reply: record({ term: uint53 }),
  },
  forwardProposals: {
    args: record({
      term,
      originId: id,
      bootId: uint53,
      proposals: fc.array(record({ sequence: uint53, payload: content }), { maxLength: 5 }),
    }),
    reply: record({
      term: uint53,
      indexes: fc.array(uint53, { maxLength: 5 }),
      refusal: fc.constantFrom('none', 'notLeader', 'overloaded'),
    }),
  },
  readIndex: {
    args: record({ term, originId: id }),
    reply: record({ term: uint53, readIndex: uint53 }),
  },
};

/** One message of each kind, as a peer with id `from` would send it. */
export function sampleArgs(from: bigint): { [N in RpcName]: Rpcs[N]['args'] } {
  return {
    requestVote: {
      term: 7,
      candidateId: from,
      lastLogIndex: 41,
      lastLogTerm: 6,
      preVote: true,
      leadershipTransfer: false,
    },
    appendEntries: {
      term: 7,
      leaderId: from,
      prevLogIndex: 41,
      prevLogTerm: 6,
      entries: [makeEntry(42, 6, Buffer.from('a')), makeEntry(43, 7, Buffer.alloc(0))],
      leaderCommit: 41,
      round: 9,
    },
    installSnapshot: {
      term: 7,
      leaderId: from,
      snapshot: { index: 30, term: 5, configuration: { voters: [1n, 2n, 2n ** 64n - 1n] } },
      transferId: 3,
      offset: 1 << 20,
      data: Buffer.from('a piece'),
      done: true,
    },
    timeoutNow: { term: 7, leaderId: from },
    forwardProposals: {
      term: 7,
      originId: from,
      bootId: 5,
      proposals: [
        { sequence: 1, payload: Buffer.from('x') },
        { sequence: 2, payload: Buffer.alloc(0) },
      ],
    },
    readIndex: { term: 7, originId: from },
  };
}

export const sampleReplies: { [N in RpcName]: Rpcs[N]['reply'] } = {
  requestVote: { term: 7, voteGranted: true },
  appendEntries: { term: 7, success: false, hintIndex: 17, hintTerm: 3 },
  installSnapshot: { term: 7, nextOffset: 2 ** 52, installed: true },
  timeoutNow: { term: 8 },
  forwardProposals: { term: 7, indexes: [44, 0], refusal: 'overloaded' },
  readIndex: { term: 7, readIndex: 43 },
};

export const RPC_NAMES: readonly RpcName[] = [
  'requestVote',
  'appendEntries',
  'installSnapshot',
  'timeoutNow',
  'forwardProposals',
  'readIndex',
];
