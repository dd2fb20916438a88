import type { Codec } from './codec.js';
import { MalformedMessageError } from './errors.js';
import { delimitedFieldBytes, FieldReader, FieldWriter, FIXED64_FIELD_BYTES } from './fields.js';
import { rpcCodecs, type RpcName, type Rpcs } from './rpcs.js';

/** The RPCs that travel over the long-lived stream, in the order of their fields in Call and Answer. */
const STREAMED = ['appendEntries', 'forwardProposals', 'readIndex'] as const;

export type StreamedRpc = (typeof STREAMED)[number];

const NUMBER_FIELD = 1;
const FIRST_MESSAGE_FIELD = 2;
const FAILURE_FIELD = 5;

/** A Call or an Answer, opened but not yet looked into: `content` is the message of the RPC. */
export interface Envelope {
  readonly number: number;
  readonly name: StreamedRpc;
  readonly content: Buffer;
}

/** The answer that says that there is none, and why. */
export interface Failure {
  readonly number: number;
  readonly failure: string;
}

export function encodeCall<N extends StreamedRpc>(number: number, name: N, args: Rpcs[N]['args']): Buffer {
  return encodeEnvelope(number, name, rpcCodecs[name].args, args);
}

export function encodeAnswer<N extends StreamedRpc>(number: number, name: N, reply: Rpcs[N]['reply']): Buffer {
  return encodeEnvelope(number, name, rpcCodecs[name].reply, reply);
}

export function encodeFailure(number: number, failure: string): Buffer {
  const text = Buffer.from(failure);
  const writer = new FieldWriter(FIXED64_FIELD_BYTES + delimitedFieldBytes(text.length));
  writer.number(NUMBER_FIELD, number);
  writer.content(FAILURE_FIELD, text);
  return writer.bytes;
}

/** @throws MalformedMessageError when the bytes are neither a Call nor an Answer. */
export function openEnvelope(bytes: Buffer): Envelope | Failure {
  const reader = new FieldReader(bytes);
  let number = 0;
  let opened: { name: RpcName & StreamedRpc; content: Buffer } | null = null;
  let failure: string | null = null;
  while (reader.next()) {
    const name = STREAMED[reader.field - FIRST_MESSAGE_FIELD];
    if (reader.field === NUMBER_FIELD) number = reader.number();
    else if (name) opened = { name, content: reader.content() };
    else if (reader.field === FAILURE_FIELD) failure = reader.content().toString();
    else reader.passOver();
  }
  if (opened) return { number, ...opened };
  if (failure !== null) return { number, failure };
  throw new MalformedMessageError('message on the stream holds neither a request nor a reply that this build knows');
}

function encodeEnvelope<T>(number: number, name: StreamedRpc, codec: Codec<T>, message: T): Buffer {
  const length = codec.sizeBytes(message);
  const writer = new FieldWriter(FIXED64_FIELD_BYTES + delimitedFieldBytes(length));
  writer.number(NUMBER_FIELD, number);
  writer.begin(FIRST_MESSAGE_FIELD + STREAMED.indexOf(name), length);
  codec.write(writer, message);
  return writer.bytes;
}
