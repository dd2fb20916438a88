/*
 * Just enough of the protocol buffers encoding to speak to a member as a client does. Written apart from the product's own
 * code on purpose: what both got wrong alike would go unseen.
 */

/** A message on its way out. Fields that hold their default are left out, as proto3 says. */
export class ProtoWriter {
  readonly #parts: Buffer[] = [];

  /** int64, int32, bool or enum. */
  number(field: number, value: number | boolean): this {
    if (Number(value) !== 0) this.#parts.push(varint(field * 8), varint(Number(value)));
    return this;
  }

  bytes(field: number, value: Uint8Array | string): this {
    const content = Buffer.from(value);
    return content.length > 0 ? this.message(field, content) : this;
  }

  /** A message within this one. Written even when it is empty. */
  message(field: number, value: Uint8Array): this {
    this.#parts.push(varint(field * 8 + 2), varint(value.length), Buffer.from(value));
    return this;
  }

  fixed32(field: number, value: number): this {
    const content = Buffer.alloc(4);
    content.writeUInt32LE(value);
    this.#parts.push(varint(field * 8 + 5), content);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A message that came in: its fields by number, repeated ones in order. */
export class ProtoMessage {
  readonly #numbers = new Map<number, number>();
  readonly #bytes = new Map<number, Buffer[]>();

  constructor(content: Uint8Array) {
    const source = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    let offset = 0;
    const readVarint = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = source.readUInt8(offset++);
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    while (offset < source.length) {
      const tag = readVarint();
      const field = Math.floor(tag / 8);
      const wireType = tag % 8;
      if (wireType === 0) {
        this.#numbers.set(field, readVarint());
      } else if (wireType === 2) {
        const length = readVarint();
        const values = this.#bytes.get(field) ?? [];
        values.push(source.subarray(offset, offset + length));
        this.#bytes.set(field, values);
        offset += length;
      } else {
        throw new RangeError(`field ${field} has wire type ${wireType}, expected 0 or 2`);
      }
      if (offset > source.length) throw new RangeError('message ends within a field');
    }
  }

  number(field: number): number {
    return this.#numbers.get(field) ?? 0;
  }

  text(field: number): string {
    return this.#bytes.get(field)?.at(-1)?.toString() ?? '';
  }

  /** null when the message within is absent. */
  message(field: number): ProtoMessage | null {
    const content = this.#bytes.get(field)?.at(-1);
    return content ? new ProtoMessage(content) : null;
  }

  messages(field: number): ProtoMessage[] {
    return (this.#bytes.get(field) ?? []).map((content) => new ProtoMessage(content));
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
