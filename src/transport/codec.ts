import { asError } from '../lib/errors.js';
import { decodeRecords } from '../raft/entry-codec.js';
import type {
  AppendEntriesArgs,
  AppendEntriesReply,
  Entry,
  MemberId,
  RequestVoteArgs,
  RequestVoteReply,
  TimeoutNowArgs,
  TimeoutNowReply,
} from '../raft/messages.js';
import { MalformedMessageError } from './errors.js';
import { delimitedFieldBytes, FieldReader, FieldWriter, FIXED64_FIELD_BYTES, SMALL_FIELD_BYTES } from './fields.js';

/** One message of raft.proto, to bytes and back. */
export interface Codec<T> {
  /** Exactly what `write` will write. */
  sizeBytes(message: T): number;
  write(writer: FieldWriter, message: T): void;
  /**
   * Buffers of the message are views into `bytes`, which must not be written to any more.
   * @throws MalformedMessageError when the bytes are no such message, or one that no member would send (A04).
   */
  decode(bytes: Buffer): T;
}

export function encode<T>(codec: Codec<T>, message: T): Buffer {
  const writer = new FieldWriter(codec.sizeBytes(message));
  codec.write(writer, message);
  return writer.bytes;
}

export const requestVoteArgs: Codec<RequestVoteArgs> = {
  sizeBytes: () => 4 * FIXED64_FIELD_BYTES + 2 * SMALL_FIELD_BYTES,
  write(writer, args) {
    writer.number(1, args.term);
    writer.id(2, args.candidateId);
    writer.number(3, args.lastLogIndex);
    writer.number(4, args.lastLogTerm);
    writer.claim(5, args.preVote);
    writer.claim(6, args.leadershipTransfer);
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    let candidateId = 0n;
    let lastLogIndex = 0;
    let lastLogTerm = 0;
    let preVote = false;
    let leadershipTransfer = false;
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) candidateId = reader.id();
      else if (reader.field === 3) lastLogIndex = reader.number();
      else if (reader.field === 4) lastLogTerm = reader.number();
      else if (reader.field === 5) preVote = reader.claim();
      else if (reader.field === 6) leadershipTransfer = reader.claim();
      else reader.passOver();
    }
    requireTerm(term);
    requireId(candidateId);
    if (lastLogTerm > term) throw new MalformedMessageError(`last log term ${lastLogTerm} is above term ${term}`);
    return { term, candidateId, lastLogIndex, lastLogTerm, preVote, leadershipTransfer };
  },
};

export const requestVoteReply: Codec<RequestVoteReply> = {
  sizeBytes: () => FIXED64_FIELD_BYTES + SMALL_FIELD_BYTES,
  write(writer, reply) {
    writer.number(1, reply.term);
    writer.claim(2, reply.voteGranted);
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    let voteGranted = false;
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) voteGranted = reader.claim();
      else reader.passOver();
    }
    return { term, voteGranted };
  },
};

export const appendEntriesArgs: Codec<AppendEntriesArgs> = {
  sizeBytes: (args) => 6 * FIXED64_FIELD_BYTES + delimitedFieldBytes(recordsBytes(args.entries)),
  write(writer, args) {
    writer.number(1, args.term);
    writer.id(2, args.leaderId);
    writer.number(3, args.prevLogIndex);
    writer.number(4, args.prevLogTerm);
    writer.number(5, args.leaderCommit);
    writer.number(6, args.round);
    writer.begin(7, recordsBytes(args.entries));
    for (const entry of args.entries) writer.raw(entry.record);
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    let leaderId = 0n;
    let prevLogIndex = 0;
    let prevLogTerm = 0;
    let leaderCommit = 0;
    let round = 0;
    let entries: readonly Entry[] = [];
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) leaderId = reader.id();
      else if (reader.field === 3) prevLogIndex = reader.number();
      else if (reader.field === 4) prevLogTerm = reader.number();
      else if (reader.field === 5) leaderCommit = reader.number();
      else if (reader.field === 6) round = reader.number();
      else if (reader.field === 7) entries = decodeEntries(reader.content());
      else reader.passOver();
    }
    requireTerm(term);
    requireId(leaderId);
    const args = { term, leaderId, prevLogIndex, prevLogTerm, entries, leaderCommit, round };
    requireOneLog(args);
    return args;
  },
};

export const appendEntriesReply: Codec<AppendEntriesReply> = {
  sizeBytes: () => 3 * FIXED64_FIELD_BYTES + SMALL_FIELD_BYTES,
  write(writer, reply) {
    writer.number(1, reply.term);
    writer.claim(2, reply.success);
    writer.number(3, reply.hintIndex);
    writer.number(4, reply.hintTerm);
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    let success = false;
    let hintIndex = 0;
    let hintTerm = 0;
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else if (reader.field === 2) success = reader.claim();
      else if (reader.field === 3) hintIndex = reader.number();
      else if (reader.field === 4) hintTerm = reader.number();
      else reader.passOver();
    }
    return { term, success, hintIndex, hintTerm };
  },
};

export const timeoutNowArgs: Codec<TimeoutNowArgs> = {
  sizeBytes: () => 2 * FIXED64_FIELD_BYTES,
  write(writer, args) {
    writer.number(1, args.term);
    writer.id(2, args.leaderId);
  },
  decode(bytes) {
    const { term, id: leaderId } = decodeTermAndId(bytes);
    return { term, leaderId };
  },
};

export const timeoutNowReply: Codec<TimeoutNowReply> = {
  sizeBytes: () => FIXED64_FIELD_BYTES,
  write(writer, reply) {
    writer.number(1, reply.term);
  },
  decode(bytes) {
    const reader = new FieldReader(bytes);
    let term = 0;
    while (reader.next()) {
      if (reader.field === 1) term = reader.number();
      else reader.passOver();
    }
    return { term };
  },
};

/** The messages that are a term in field 1 and the caller's id in field 2. */
export function decodeTermAndId(bytes: Buffer): { term: number; id: MemberId } {
  const reader = new FieldReader(bytes);
  let term = 0;
  let id = 0n;
  while (reader.next()) {
    if (reader.field === 1) term = reader.number();
    else if (reader.field === 2) id = reader.id();
    else reader.passOver();
  }
  requireTerm(term);
  requireId(id);
  return { term, id };
}

/** Terms begin at 1: nobody sends a request in term 0. */
export function requireTerm(term: number): void {
  if (term === 0) throw new MalformedMessageError('request from a peer has term 0, expected 1 or more');
}

export function requireId(id: MemberId): void {
  if (id === 0n) throw new MalformedMessageError('request from a peer names member 0, expected its own id');
}

function recordsBytes(entries: readonly Entry[]): number {
  let sum = 0;
  for (const entry of entries) sum += entry.record.length;
  return sum;
}

function decodeEntries(records: Buffer): Entry[] {
  try {
    return decodeRecords(records);
  } catch (thrown) {
    throw new MalformedMessageError(`entries from a peer: ${asError(thrown).message}`, { cause: thrown });
  }
}

/** The entries must continue prevLogIndex, and terms never fall along a log nor pass the leader's own (§5.3, §5.4). */
function requireOneLog(args: AppendEntriesArgs): void {
  const first = args.entries[0];
  if (first && first.index !== args.prevLogIndex + 1) {
    throw new MalformedMessageError(`entries begin at index ${first.index}, expected ${args.prevLogIndex + 1}`);
  }
  let term = args.prevLogTerm;
  for (const entry of args.entries) {
    if (entry.term < term) {
      throw new MalformedMessageError(`entry ${entry.index} has term ${entry.term}, expected at least ${term}`);
    }
    term = entry.term;
  }
  if (term > args.term) throw new MalformedMessageError(`an entry has term ${term}, above the leader's ${args.term}`);
}
