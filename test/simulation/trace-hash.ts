const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** A running 64-bit hash of everything that happened, so that two runs of one seed can be compared. Not cryptographic. */
export class TraceHash {
  #low = 0x811c_9dc5;
  #high = 0x9e37_79b1;

  addWord(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x0100_0193);
    this.#high = Math.imul(((this.#high << 13) | (this.#high >>> 19)) ^ word, 0x85eb_ca6b) ^ (this.#low >>> 15);
  }

  addNumber(value: number): void {
    float[0] = value;
    this.addWord(words[0] as number);
    this.addWord(words[1] as number);
  }

  addText(text: string): void {
    for (let position = 0; position < text.length; position++) this.addWord(text.charCodeAt(position));
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex(this.#high) + hex(this.#low);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
