import { once } from 'node:events';

/** All of stdin, as bytes. */
export async function readAll(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Stdin line by line; null at its end. A last line without a line feed is no line, as in etcdctl. */
export class LineReader {
  #pending = '';
  #ended = false;

  constructor(private readonly input: NodeJS.ReadStream = process.stdin) {
    input.setEncoding('utf8');
  }

  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#pending.indexOf('\n');
      if (end >= 0) {
        const line = this.#pending.slice(0, end);
        this.#pending = this.#pending.slice(end + 1);
        return line;
      }
      if (this.#ended) return null;
      const chunk = this.input.read() as string | null;
      if (chunk !== null) this.#pending += chunk;
      else if (this.input.readableEnded) this.#ended = true;
      else await Promise.race([once(this.input, 'readable'), once(this.input, 'end')]);
    }
  }

  close(): void {
    this.input.destroy();
  }
}
