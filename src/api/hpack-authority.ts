import { decodeHuffman } from './hpack-huffman.js';

/** Where `:authority` stands in HPACK's static table (RFC 7541, appendix A). */
const AUTHORITY_INDEX = 1;
const AUTHORITY_NAME = ':authority';

/** What an authority may consist of (RFC 3986, 3.2). */
const LEGAL_AUTHORITY = /^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]%]*$/;
const ILLEGAL_CHARACTER = /[^A-Za-z0-9\-._~!$&'()*+,;=:@[\]%]/g;
/** Stands where a character was that may not. */
const SUBSTITUTE = '-';

/** Integers in a header block are lengths and table indexes; ours end after this many bytes, at 28 bits. */
const MAX_INTEGER_BYTES = 4;

/**
 * The header block given, with an `:authority` that HTTP/2 libraries accept: each illegal character has been replaced by
 * a legal one. A value thus keeps its length, and length is all that HPACK's dynamic table counts: the tables of both ends
 * evict the same entries, and what later blocks refer to by index is the repaired value. So no table need be kept here.
 *
 * Returns the very block when there is nothing to repair, or when it is malformed: that is for the HTTP/2 library to say.
 * An empty authority stays as it is. So does one whose name is an index into the dynamic table; encoders take the
 * static table's, which is shorter.
 */
export function withLegalAuthority(block: Buffer): Buffer {
  const reader = new BlockReader(block);
  const parts: Buffer[] = [];
  let copied = 0;
  while (!reader.isAtEnd) {
    const first = reader.peek();
    // The kinds of field of RFC 7541, 6: indexed, table size update, literal with and without indexing.
    if ((first & 0x80) !== 0) {
      reader.integer(7);
      continue;
    }
    if ((first & 0xe0) === 0x20) {
      reader.integer(5);
      continue;
    }
    const nameIndex = reader.integer((first & 0x40) !== 0 ? 6 : 4);
    const isAuthority = nameIndex === 0 ? textOf(reader.string()) === AUTHORITY_NAME : nameIndex === AUTHORITY_INDEX;
    const valueAt = reader.at;
    const value = reader.string();
    if (!isAuthority) continue;
    const authority = textOf(value);
    if (authority === null || LEGAL_AUTHORITY.test(authority)) continue;
    parts.push(block.subarray(copied, valueAt), literal(authority.replaceAll(ILLEGAL_CHARACTER, SUBSTITUTE)));
    copied = reader.at;
  }
  if (copied === 0 || reader.isMalformed) return block;
  parts.push(block.subarray(copied));
  return Buffer.concat(parts);
}

interface CodedString {
  readonly isHuffman: boolean;
  readonly bytes: Buffer;
}

/** Null when the Huffman code is broken. One character per byte. */
function textOf({ isHuffman, bytes }: CodedString): string | null {
  return (isHuffman ? decodeHuffman(bytes) : bytes)?.toString('latin1') ?? null;
}

/** A string as HPACK writes it without Huffman's code (RFC 7541, 5.2). */
function literal(text: string): Buffer {
  const head: number[] = [];
  let rest = text.length - 0x7f;
  if (rest < 0) {
    head.push(text.length);
  } else {
    head.push(0x7f);
    for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
    head.push(rest);
  }
  return Buffer.concat([Buffer.from(head), Buffer.from(text, 'latin1')]);
}

/** Walks over the integers and strings of a header block (RFC 7541, 5). Past a malformed one it is at the end. */
class BlockReader {
  at = 0;
  isMalformed = false;

  constructor(private readonly block: Buffer) {}

  get isAtEnd(): boolean {
    return this.at >= this.block.length;
  }

  peek(): number {
    return this.block[this.at] ?? 0;
  }

  integer(prefixBits: number): number {
    if (this.isAtEnd) return this.#malformed();
    const prefix = (1 << prefixBits) - 1;
    let value = this.#byte() & prefix;
    if (value < prefix) return value;
    for (let i = 0; i < MAX_INTEGER_BYTES; i++) {
      if (this.isAtEnd) return this.#malformed();
      const byte = this.#byte();
      value += (byte & 0x7f) << (7 * i);
      if ((byte & 0x80) === 0) return value;
    }
    return this.#malformed();
  }

  string(): CodedString {
    const isHuffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const bytes = this.block.subarray(this.at, this.at + length);
    if (bytes.length < length) this.#malformed();
    else this.at += length;
    return { isHuffman, bytes };
  }

  #byte(): number {
    return this.block[this.at++] ?? 0;
  }

  #malformed(): 0 {
    this.isMalformed = true;
    this.at = this.block.length;
    return 0;
  }
}
