import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range from which the operating system takes the ports of outgoing connections. */
const LOWEST_PORT = 20_001;
const HIGHEST_PORT = 32_000;
const MAX_ATTEMPTS = 100;

/** Given out by this process and perhaps not bound yet. */
const taken = new Set<number>();

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A port of this machine that nobody listens on, chosen at random. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (taken.has(port)) continue;
    taken.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${LOWEST_PORT} and ${HIGHEST_PORT} in ${MAX_ATTEMPTS} attempts`);
}
