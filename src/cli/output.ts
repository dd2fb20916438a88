import type { Output } from './print/printer.js';

/** Writes to stdout in one piece and waits until it is on its way: a pipe may be slower than we are. */
export function writeOut(output: Output): Promise<void> {
  const bytes = Buffer.concat(output.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
  if (bytes.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (failure) => {
      // `raftkv get ... | head -1` has what it wanted.
      if (failure === null || failure === undefined || (failure as NodeJS.ErrnoException).code === 'EPIPE') resolve();
      else reject(failure);
    });
  });
}

/** A note for people: stderr, so that stdout stays data. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
