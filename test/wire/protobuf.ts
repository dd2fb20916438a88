/**
 * A small protobuf codec, driven by message types written as text. It is not the one the product uses: a witness that
 * read the wire with the same code would share its mistakes. Decoding is strict and keeps fields it does not know.
 */

export type FieldValue = Uint8Array | string | boolean | number | bigint | Fields | readonly FieldValue[];
export interface Fields {
  readonly [name: string]: FieldValue | undefined;
}

export type DecodedValue = Buffer | string | boolean | bigint | Decoded | DecodedValue[];
export interface Decoded {
  [name: string]: DecodedValue;
}

const SCALARS = ['bytes', 'string', 'bool', 'int64', 'uint64', 'uint32', 'enum'] as const;
type Scalar = (typeof SCALARS)[number];

export interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: Scalar | MessageType;
  readonly repeated: boolean;
}

export class MessageType {
  readonly byName = new Map<string, Field>();
  readonly byNumber = new Map<number, Field>();

  constructor(readonly name: string) {}

  add(field: Field): void {
    this.byName.set(field.name, field);
    this.byNumber.set(field.number, field);
  }
}

const isScalar = (type: string): type is Scalar => (SCALARS as readonly string[]).includes(type);

/** Message types from `{ Name: 'field:type=number other:Type[]=2' }`. */
export function messageTypes<Name extends string>(texts: Readonly<Record<Name, string>>): Record<Name, MessageType> {
  const names = Object.keys(texts) as Name[];
  const types = Object.fromEntries(names.map((name) => [name, new MessageType(name)])) as Record<Name, MessageType>;
  for (const name of names) {
    for (const text of texts[name].split(' ').filter((part) => part !== '')) {
      const [, field = '', type = '', list = '', number = ''] = /^(\w+):(\w+)(\[\])?=(\d+)$/.exec(text) ?? [];
      const fieldType = isScalar(type) ? type : types[type as Name];
      types[name].add({ name: field, number: Number(number), type: fieldType, repeated: list !== '' });
    }
  }
  return types;
}

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** One field as bytes: its tag, then `payload`, with a length before it where it is bytes. */
function tagged(number: number, wireType: number, payload: Uint8Array): Buffer {
  const tag = varint(number * 8 + wireType);
  return Buffer.concat(wireType === WIRE_BYTES ? [tag, varint(payload.length), payload] : [tag, payload]);
}

function encodeField(field: Field, value: FieldValue): Buffer {
  if (field.type instanceof MessageType) {
    return tagged(field.number, WIRE_BYTES, encode(field.type, value as Fields));
  }
  if (field.type === 'bytes' || field.type === 'string') {
    return tagged(field.number, WIRE_BYTES, Buffer.from(value as string | Uint8Array));
  }
  return tagged(
    field.number,
    WIRE_VARINT,
    varint(typeof value === 'boolean' ? Number(value) : BigInt(value as number)),
  );
}

/** Encodes `fields` in the order they are written. What is undefined is left out; what is zero is not. */
export function encode(type: MessageType, fields: Fields): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const field = type.byName.get(name);
    if (field === undefined) throw new Error(`message ${type.name} has no field ${name}`);
    const values = field.repeated ? (value as readonly FieldValue[]) : [value];
    for (const one of values) parts.push(encodeField(field, one));
  }
  return Buffer.concat(parts);
}

/** Decodes `bytes`. Fields of unknown number appear as `?number`. Throws when the bytes are no such message. */
export function decode(type: MessageType, bytes: Buffer): Decoded {
  const message: Decoded = {};
  let at = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error(`${type.name} ends within a varint`);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error(`${type.name} holds a varint of more than ten bytes`);
  };
  const readBytes = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error(`${type.name} ends within a field`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  const put = (name: string, value: DecodedValue, repeated: boolean): void => {
    const before = message[name];
    if (!repeated) message[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else message[name] = [value];
  };
  while (at < bytes.length) {
    const tag = Number(readVarint());
    const wireType = tag & 7;
    const field = type.byNumber.get(tag >>> 3);
    if (wireType === WIRE_VARINT) {
      const value = readVarint();
      if (field === undefined) put(`?${tag >>> 3}`, value, true);
      else put(field.name, scalar(field, value), field.repeated);
    } else if (wireType === WIRE_BYTES) {
      const value = readBytes(Number(readVarint()));
      if (field === undefined) put(`?${tag >>> 3}`, value, true);
      else if (field.type instanceof MessageType) put(field.name, decode(field.type, value), field.repeated);
      else if (field.type === 'bytes') put(field.name, value, field.repeated);
      else if (field.type === 'string') put(field.name, value.toString('utf8'), field.repeated);
      else throw new Error(`${type.name}.${field.name} is encoded as bytes`);
    } else if (wireType === WIRE_FIXED64 || wireType === WIRE_FIXED32) {
      put(`?${tag >>> 3}`, readBytes(wireType === WIRE_FIXED64 ? 8 : 4), true);
    } else throw new Error(`${type.name} holds wire type ${wireType}`);
  }
  return message;
}

function scalar(field: Field, value: bigint): DecodedValue {
  if (field.type === 'bool') return value !== 0n;
  if (field.type === 'uint64' || field.type === 'uint32') return value;
  if (field.type === 'int64' || field.type === 'enum') return BigInt.asIntN(64, value);
  throw new Error(`field ${field.name} is encoded as a varint`);
}
