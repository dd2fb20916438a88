/*
 * Many writers count up one key together, without a lock: read, then write on the condition that nobody wrote meanwhile.
 * Start a cluster with `npm start`, then in a second terminal: npx tsx examples/counter.ts
 */
import { RemoteClient } from 'raftkv/client';

const WRITERS = 5;
const STEPS = 20;
const endpoints = (process.env['RAFTKV_ENDPOINTS'] ?? '127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379').split(',');

const client = new RemoteClient({ endpoints });

/** Adds one to the number under `key` and resolves to how often somebody else was faster. */
async function increment(key: string): Promise<number> {
  for (let retries = 0; ; retries++) {
    const [current] = (await client.get(key)).kvs;
    const next = Number(current?.value.toString() ?? 0) + 1;
    const { succeeded } = await client.txn({
      // 0 stands for "the key is not there".
      compares: [{ key, target: 'MOD', relation: 'EQUAL', expected: BigInt(current?.modRevision ?? 0) }],
      success: [{ type: 'put', key, value: String(next) }],
      failure: [],
    });
    if (succeeded) return retries;
  }
}

async function countUp(key: string): Promise<number> {
  let retries = 0;
  for (let step = 0; step < STEPS; step++) retries += await increment(key);
  return retries;
}

await client.del('examples/counter');
const retries = await Promise.all(Array.from({ length: WRITERS }, () => countUp('examples/counter')));
const [counted] = (await client.get('examples/counter')).kvs;
console.log(`${counted?.value.toString()} of ${WRITERS * STEPS} counted, ${retries.reduce((a, b) => a + b)} retries`);
client.close();
