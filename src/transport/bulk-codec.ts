import type {
  ForwardedProposal,
  ForwardProposalsArgs,
  ForwardProposalsReply,
  InstallSnapshotArgs,
  InstallSnapshotReply,
  LogIndex,
  MemberId,
  ReadIndexArgs,
  ReadIndexReply,
} from '../raft/messages.js';
import { decodeTermAndId, requireId, requireTerm, type Codec } from './codec.js';
import { MalformedMessageError } from './errors.js';
import { delimitedFieldBytes, FieldReader, FIXED64_FIELD_BYTES, SMALL_FIELD_BYTES } from './fields.js';

export const installSnapshotArgs: Codec<InstallSnapshotArgs> = {
  sizeBytes: (args) =>
    6 * FIXED64_FIELD_BYTES +
    SMALL_FIELD_BYTES +
    delimitedFieldBytes(8 * args.snapshot.configuration.voters.length) +
    delimitedFieldBytes(args.data.length),
  write(writer, args) {
    writer.number(1, args.term);
    writer.id(2, args.leaderId);
    writer.number(3, args.snapshot.index);
    writer.number(4, args.snapshot.term);
    writer.ids(5, args.snapshot.configuration.voters);
    writer.number(6, args.transferId);
    writer.number(7, args.offset);
    writer.claim(8, args.done);
    writer.content(9, args.data);
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    let leaderId = 0n;
    let index = 0;
    let lastTerm = 0;
    const voters: MemberId[] = [];
    let transferId = 0;
    let offset = 0;
    let done = false;
    let data: Buffer = Buffer.alloc(0);
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) leaderId = reader.id();
      else if (reader.field === 3) index = reader.number();
      else if (reader.field === 4) lastTerm = reader.number();
      else if (reader.field === 5) reader.ids(voters);
      else if (reader.field === 6) transferId = reader.number();
      else if (reader.field === 7) offset = reader.number();
      else if (reader.field === 8) done = reader.claim();
      else if (reader.field === 9) data = reader.content();
      else reader.passOver();
    }
    requireTerm(term);
    requireId(leaderId);
    if (lastTerm > term) throw new MalformedMessageError(`snapshot has term ${lastTerm}, above the leader's ${term}`);
    requireVoters(voters);
    const snapshot = { index, term: lastTerm, configuration: { voters } };
    return { term, leaderId, snapshot, transferId, offset, data, done };
  },
};

export const installSnapshotReply: Codec<InstallSnapshotReply> = {
  sizeBytes: () => 2 * FIXED64_FIELD_BYTES + SMALL_FIELD_BYTES,
  write(writer, reply) {
    writer.number(1, reply.term);
    writer.number(2, reply.nextOffset);
    writer.claim(3, reply.installed);
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    let nextOffset = 0;
    let installed = false;
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) nextOffset = reader.number();
      else if (reader.field === 3) installed = reader.claim();
      else reader.passOver();
    }
    return { term, nextOffset, installed };
  },
};

export const forwardProposalsArgs: Codec<ForwardProposalsArgs> = {
  sizeBytes(args) {
    let sum = 3 * FIXED64_FIELD_BYTES;
    for (const proposal of args.proposals) sum += delimitedFieldBytes(proposalBytes(proposal));
    return sum;
  },
  write(writer, args) {
    writer.number(1, args.term);
    writer.id(2, args.originId);
    writer.number(3, args.bootId);
    for (const proposal of args.proposals) {
      writer.begin(4, proposalBytes(proposal));
      writer.number(1, proposal.sequence);
      writer.content(2, proposal.payload);
    }
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    let originId = 0n;
    let bootId = 0;
    const proposals: ForwardedProposal[] = [];
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) originId = reader.id();
      else if (reader.field === 3) bootId = reader.number();
      else if (reader.field === 4) proposals.push(decodeProposal(reader.content()));
      else reader.passOver();
    }
    requireTerm(term);
    requireId(originId);
    return { term, originId, bootId, proposals };
  },
};

/** By number on the wire. */
const REFUSALS: readonly ForwardProposalsReply['refusal'][] = ['none', 'notLeader', 'overloaded'];

export const forwardProposalsReply: Codec<ForwardProposalsReply> = {
  sizeBytes: (reply) => FIXED64_FIELD_BYTES + delimitedFieldBytes(8 * reply.indexes.length) + SMALL_FIELD_BYTES,
  write(writer, reply) {
    writer.number(1, reply.term);
    writer.numbers(2, reply.indexes);
    writer.small(3, REFUSALS.indexOf(reply.refusal));
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    const indexes: LogIndex[] = [];
    let refusal: ForwardProposalsReply['refusal'] = 'none';
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) reader.numbers(indexes);
      else if (reader.field === 3) refusal = refusalOf(reader.small());
      else reader.passOver();
    }
    return { term, indexes, refusal };
  },
};

export const readIndexArgs: Codec<ReadIndexArgs> = {
  sizeBytes: () => 2 * FIXED64_FIELD_BYTES,
  write(writer, args) {
    writer.number(1, args.term);
    writer.id(2, args.originId);
  },
  decode(bytes) {
    const { term, id: originId } = decodeTermAndId(bytes);
    return { term, originId };
  },
};

export const readIndexReply: Codec<ReadIndexReply> = {
  sizeBytes: () => 2 * FIXED64_FIELD_BYTES,
  write(writer, reply) {
    writer.number(1, reply.term);
    writer.number(2, reply.readIndex);
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    let readIndex = 0;
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) readIndex = reader.number();
      else reader.passOver();
    }
    return { term, readIndex };
  },
};

function proposalBytes(proposal: ForwardedProposal): number {
  return FIXED64_FIELD_BYTES + delimitedFieldBytes(proposal.payload.length);
}

function decodeProposal(bytes: Buffer): ForwardedProposal {
  const reader = new FieldReader(bytes);
  let sequence = 0;
  let payload: Buffer = Buffer.alloc(0);
  while (reader.next()) {
    if (reader.field === 1) sequence = reader.number();
    else if (reader.field === 2) payload = reader.content();
    else reader.passOver();
  }
  return { sequence, payload };
}

function refusalOf(number: number): ForwardProposalsReply['refusal'] {
  const refusal = REFUSALS[number];
  if (!refusal) throw new MalformedMessageError(`refusal ${number} is unknown to this build`);
  return refusal;
}

/** A configuration is never empty, and sorted without repetition (messages.ts). */
function requireVoters(voters: readonly MemberId[]): void {
  if (voters.length === 0) throw new MalformedMessageError('snapshot has no voters, expected at least one');
  let previous = 0n;
  for (const voter of voters) {
    if (voter <= previous) throw new MalformedMessageError(`voters are not ascending at ${voter.toString(16)}`);
    previous = voter;
  }
}
