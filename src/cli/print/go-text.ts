/* Go's ways of writing text, which etcdctl's output formats consist of. */

const SHORT_ESCAPES = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x0c, '\\f'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x0b, '\\v'],
  [0x22, '\\"'],
  [0x5c, '\\\\'],
]);

/** What Go prints as it is: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Bytes as Go's %q writes them: quoted, UTF-8 where it is valid and printable, escapes elsewhere. */
export function goQuote(bytes: Buffer): string {
  let quoted = '"';
  for (let position = 0; position < bytes.length;) {
    const length = runeLength(bytes, position);
    if (length === 0) {
      quoted += `\\x${hexByte(bytes[position] ?? 0)}`;
      position += 1;
      continue;
    }
    quoted += quoteRune(bytes.toString('utf8', position, position + length));
    position += length;
  }
  return `${quoted}"`;
}

function quoteRune(rune: string): string {
  const code = rune.codePointAt(0) ?? 0;
  const short = SHORT_ESCAPES.get(code);
  if (short !== undefined) return short;
  if (PRINTABLE.test(rune)) return rune;
  if (code < 0x20 || code === 0x7f) return `\\x${hexByte(code)}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Bytes of the UTF-8 sequence that begins here; 0 when none does. */
function runeLength(bytes: Buffer, position: number): number {
  const first = bytes[position] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const sequence = bytes.subarray(position, position + length);
  // What decodes and encodes back to itself is valid: no overlong form, no surrogate, nothing cut off.
  return sequence.length === length && Buffer.from(sequence.toString('utf8')).equals(sequence) ? length : 0;
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** `\x61\x62` for `ab`: what --hex prints. */
export function hexEscaped(bytes: Buffer): string {
  return bytes.toString('hex').replaceAll(/../g, '\\x$&');
}

/** A size with one decimal below ten, in powers of 1000: `20 kB`, `1.5 MB`. */
export function humanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes} B`;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let exponent = 0;
  while (exponent < units.length - 1 && bytes >= 1000 ** (exponent + 1)) exponent += 1;
  const value = Math.floor((bytes / 1000 ** exponent) * 10 + 0.5) / 10;
  return `${value < 10 ? value.toFixed(1) : halfToEven(value)} ${units[exponent] ?? ''}`;
}

/** Go rounds 20.5 to 20 and 21.5 to 22. */
function halfToEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 && below % 2 === 0 ? below : Math.round(value);
}

/** What Go's JSON encoder makes of a value: bigints as numbers, bytes as base64, and <, >, & escaped. */
export function goJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Buffer.isBuffer(value)) return `"${value.toString('base64')}"`;
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return `{${members.map(([name, inner]) => `${goJson(name)}:${goJson(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
