/**
 * The code of RFC 7541, appendix B: for each length in bits the symbols that have it. Within a length the codes count up
 * with the symbols and each length goes on where the one before ended, so the codes themselves need no table.
 */
const SYMBOLS_BY_LENGTH: readonly (readonly [bits: number, symbols: string | readonly number[]])[] = [
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
  [10, '!"()?'],
  [11, "'+|"],
  [12, '#>'],
  [13, '\0$@[]~'],
  [14, '^}'],
  [15, '<`{'],
  [19, [92, 195, 208]],
  [20, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  [
    22,
    [
      129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198,
      228, 232, 233,
    ],
  ],
  [
    23,
    [
      1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182,
      183, 188, 191, 197, 231, 239,
    ],
  ],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [27, [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254]],
  [
    28,
    [2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249],
  ],
  [30, [10, 13, 22, 256]],
];

/** End of string. It has a code but must not occur (RFC 7541, 5.2). */
const EOS = 256;
const LONGEST_BITS = 30;

interface CodesOfLength {
  readonly first: number;
  readonly symbols: readonly number[];
}

const codes: readonly (CodesOfLength | undefined)[] = numberCodes();

function numberCodes(): (CodesOfLength | undefined)[] {
  const numbered: (CodesOfLength | undefined)[] = new Array<undefined>(LONGEST_BITS + 1).fill(undefined);
  let next = 0;
  let lengthBefore = 0;
  for (const [bits, given] of SYMBOLS_BY_LENGTH) {
    const symbols = typeof given === 'string' ? [...Buffer.from(given, 'latin1')] : given;
    next *= 2 ** (bits - lengthBefore);
    numbered[bits] = { first: next, symbols };
    next += symbols.length;
    lengthBefore = bits;
  }
  return numbered;
}

/** The string that was Huffman-coded for HPACK; null when the bytes are not such a string. */
export function decodeHuffman(coded: Uint8Array): Buffer | null {
  const decoded: number[] = [];
  let code = 0;
  let bits = 0;
  for (const byte of coded) {
    for (let shift = 7; shift >= 0; shift--) {
      code = (code << 1) | ((byte >> shift) & 1);
      bits++;
      if (bits > LONGEST_BITS) return null;
      const ofLength = codes[bits];
      const symbol = ofLength?.symbols[code - ofLength.first];
      if (symbol === undefined) continue;
      if (symbol === EOS) return null;
      decoded.push(symbol);
      code = 0;
      bits = 0;
    }
  }
  // Less than a byte of ones fills up the last byte.
  return bits < 8 && code === (1 << bits) - 1 ? Buffer.from(decoded) : null;
}
