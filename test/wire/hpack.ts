/**
 * HPACK (RFC 7541), as much as a test client needs: a complete decoder for what servers send, and an encoder that
 * puts the headers of a gRPC call into the server's table once, so that each later call costs a few bytes.
 */

/** Static table, RFC 7541 appendix A. Position 0 is index 1. */
const STATIC_TABLE: readonly (readonly [name: string, value: string])[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...[
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control',
    'content-disposition content-encoding content-language content-length content-location content-range content-type',
    'cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since',
    'last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after',
    'server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate',
  ]
    .join(' ')
    .split(' ')
    .map((name): [string, string] => [name, '']),
];

/** Code lengths of the symbols 0 to 256 (256 ends the string), RFC 7541 appendix B, written as length x count. */
const HUFFMAN_LENGTHS = (
  '13 23 28x7 24 30 28x2 30 28x8 30 28x9 6 10x2 12 13 6 8 11 10x2 8 11 8 6x3 5x3 6x7 7 8 15 6 12 10 13 6 7x22 8 7 8 13 ' +
  '19 13 14 6 15 5 6 5 6 5 6x3 5 7x2 6x3 5 6 7 6 5x2 6 7x5 15 11 14 13 28 20 22 20x2 22x3 23 22 23x5 24 23 24x2 22 23 ' +
  '24 23x4 21 22 23 22 23x2 24 22 21 20 22x2 23x2 21 23 22x2 24 21 22 23x2 21x2 22 21 23 22 23x2 20 22x3 23 22x2 23 ' +
  '26x2 20 19 22 23 22 25 26x3 27x2 26 24 25 19 21 26 27x2 26 27 24 21x2 26x2 28 27x3 20 24 20 21 22 21x2 23 22x2 25x2 ' +
  '24x2 26 23 26 27 26x2 27x5 28 27x5 26 30'
)
  .split(' ')
  .flatMap((run) => {
    const [length = '', count = '1'] = run.split('x');
    return Array<number>(Number(count)).fill(Number(length));
  });

/** The code is canonical: sorted by length and symbol, each code is the one before plus one. Key = length * 2^32 + code. */
const HUFFMAN_SYMBOLS = ((): ReadonlyMap<number, number> => {
  const symbols = new Map<number, number>();
  let code = 0;
  let length = 0;
  const order = HUFFMAN_LENGTHS.map((bits, symbol) => ({ bits, symbol }));
  order.sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  for (const { bits, symbol } of order) {
    code *= 2 ** (bits - length);
    length = bits;
    symbols.set(bits * 2 ** 32 + code, symbol);
    code++;
  }
  return symbols;
})();

function huffmanDecode(bytes: Buffer): string {
  let text = '';
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length++;
      const symbol = HUFFMAN_SYMBOLS.get(length * 2 ** 32 + code);
      if (symbol === undefined) continue;
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  }
  return text;
}

/** RFC 7541 4.1: what an entry counts in the table. */
const entrySize = (name: string, value: string) => name.length + value.length + 32;

const DEFAULT_TABLE_SIZE = 4096;

/** Decodes the header blocks of one connection, in the order they came. */
export class HpackDecoder {
  /** Newest first, as the indexes run. */
  readonly #table: (readonly [string, string])[] = [];
  #tableSize = 0;
  #maxTableSize = DEFAULT_TABLE_SIZE;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Blocks that are nothing but references to table entries, while the table stays as it is. */
  readonly #memo = new Map<string, ReadonlyMap<string, string>>();

  decode(block: Buffer): ReadonlyMap<string, string> {
    const memoKey = block.length <= 16 ? block.toString('latin1') : '';
    const known = this.#memo.get(memoKey);
    if (known !== undefined) return known;
    this.#block = block;
    this.#at = 0;
    const headers = new Map<string, string>();
    let changedTable = false;
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      if (first >= 0x80) {
        const [name, value] = this.#entry(this.#integer(7));
        headers.set(name, value);
      } else if ((first & 0xe0) === 0x20) {
        this.#maxTableSize = this.#integer(5);
        this.#evict();
        changedTable = true;
      } else {
        const indexed = (first & 0xc0) === 0x40;
        const nameIndex = this.#integer(indexed ? 6 : 4);
        const name = nameIndex > 0 ? this.#entry(nameIndex)[0] : this.#string();
        const value = this.#string();
        headers.set(name, value);
        if (indexed) {
          this.#table.unshift([name, value]);
          this.#tableSize += entrySize(name, value);
          this.#evict();
          changedTable = true;
        }
      }
    }
    if (changedTable) this.#memo.clear();
    else if (memoKey !== '') this.#memo.set(memoKey, headers);
    return headers;
  }

  #entry(index: number): readonly [string, string] {
    const entry = index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table[index - STATIC_TABLE.length - 1];
    if (entry === undefined) throw new Error(`header block refers to entry ${index}, which is not in the table`);
    return entry;
  }

  #evict(): void {
    while (this.#tableSize > this.#maxTableSize) {
      const [name, value] = this.#table.pop() ?? ['', ''];
      this.#tableSize -= entrySize(name, value);
    }
  }

  #integer(prefixBits: number): number {
    const limit = 2 ** prefixBits - 1;
    let value = (this.#block[this.#at++] ?? 0) & limit;
    if (value < limit) return value;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#block[this.#at++];
      if (byte === undefined) throw new Error('header block ends within an integer');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  #string(): string {
    const huffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw new Error('header block ends within a string');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return huffman ? huffmanDecode(bytes) : bytes.toString('latin1');
  }
}

const METHOD_POST = 0x83;
const SCHEME_HTTP = 0x86;

function integer(value: number, prefixBits: number, pattern: number): number[] {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) return [pattern | value];
  const bytes = [pattern | limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

const string = (text: string) => [...integer(text.length, 7, 0), ...Buffer.from(text, 'latin1')];

/** Encodes the headers of gRPC calls on one connection, in the order they are sent. */
export class HpackEncoder {
  readonly #authority: string;
  /** Place of "name value" in the order of insertion into the server's table. */
  readonly #inserted = new Map<string, number>();
  #insertedSize = 0;
  readonly #memo = new Map<string, Buffer>();

  constructor(authority: string) {
    this.#authority = authority;
  }

  /** The header block of a call to `path`, such as `/etcdserverpb.KV/Put`, with `metadata` in lower case. */
  callHeaders(path: string, metadata: readonly (readonly [string, string])[] = []): Buffer {
    const known = metadata.length === 0 ? this.#memo.get(path) : undefined;
    if (known !== undefined) return known;
    const before = this.#inserted.size;
    const block = Buffer.from([
      METHOD_POST,
      SCHEME_HTTP,
      ...this.#header(':path', path),
      ...this.#header(':authority', this.#authority),
      ...this.#header('content-type', 'application/grpc'),
      ...this.#header('te', 'trailers'),
      ...metadata.flatMap(([name, value]) => this.#header(name, value)),
    ]);
    // Each insertion shifts the indexes of the entries before it.
    if (this.#inserted.size > before) this.#memo.clear();
    else if (metadata.length === 0) this.#memo.set(path, block);
    return block;
  }

  #header(name: string, value: string): number[] {
    const key = `${name} ${value}`;
    const place = this.#inserted.get(key);
    if (place !== undefined) return integer(STATIC_TABLE.length + this.#inserted.size - place, 7, 0x80);
    // The server's table must never evict: then a place, once taken, stays right.
    const fits = this.#insertedSize + entrySize(name, value) <= DEFAULT_TABLE_SIZE;
    if (!fits) return [0x00, ...string(name), ...string(value)];
    this.#insertedSize += entrySize(name, value);
    this.#inserted.set(key, this.#inserted.size);
    return [0x40, ...string(name), ...string(value)];
  }
}
