import { setTimeout as sleep } from 'node:timers/promises';
import { methods } from '../wire/etcd-messages.js';
import { GrpcConnection } from '../wire/grpc-connection.js';
import { encode } from '../wire/protobuf.js';
import type { Cluster, MemberProcess } from './harness.js';

/** A client that gets no answer asks the next member after this long. The write may still happen: it counts as unknown. */
const WRITE_TIMEOUT_MS = 3_000;
const PAUSE_AFTER_FAILURE_MS = 20;

/**
 * Clients that write all the time, each to one member after the other, without ever repeating a write: each key is
 * put once, so that what the cluster holds at the end can be compared with what it acknowledged.
 */
export class Writers {
  static #instances = 0;
  /** What all keys of these writers begin with. */
  readonly prefix = `writers-${Writers.#instances++}/`;
  /** Keys whose put was acknowledged. */
  readonly acknowledged = new Set<string>();
  /** Every key that was ever sent. */
  readonly sent = new Set<string>();
  readonly #running: Promise<void>[] = [];
  #isStopped = false;

  constructor(
    readonly cluster: Cluster,
    count: number,
  ) {
    for (let writer = 0; writer < count; writer++) this.#running.push(this.#write(writer));
  }

  /** Resolves when another `count` writes have been acknowledged. */
  async progress(count: number, timeoutMs = 30_000): Promise<void> {
    const wanted = this.acknowledged.size + count;
    const deadline = performance.now() + timeoutMs;
    while (this.acknowledged.size < wanted) {
      if (performance.now() > deadline) {
        throw new Error(`${wanted - this.acknowledged.size} of ${count} writes are missing after ${timeoutMs} ms`);
      }
      await sleep(5);
    }
  }

  /** Ends all writers and waits for their last replies. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  async #write(writer: number): Promise<void> {
    const connections = new Map<MemberProcess, GrpcConnection>();
    for (let n = 0; !this.#isStopped; n++) {
      const { members } = this.cluster;
      const member = members[(writer + n) % members.length] as MemberProcess;
      const connection = await connected(connections, member);
      const key = `${this.prefix}${writer}/${n}`;
      const message = encode(methods.put.request, { key, value: valueOf(key) });
      if (connection !== null) {
        this.sent.add(key);
        const reply = await connection.call(methods.put.path, message, WRITE_TIMEOUT_MS);
        if (reply.status === 0) {
          this.acknowledged.add(key);
          continue;
        }
      }
      await sleep(PAUSE_AFTER_FAILURE_MS);
    }
    for (const connection of connections.values()) connection.close();
  }
}

/** The value that belongs to a key: a read that finds another one has found a mistake. */
export const valueOf = (key: string) => `value of ${key}`;

async function connected(
  connections: Map<MemberProcess, GrpcConnection>,
  member: MemberProcess,
): Promise<GrpcConnection | null> {
  const known = connections.get(member);
  if (known?.isOpen === true) return known;
  try {
    const connection = await GrpcConnection.open('127.0.0.1', member.clientPort);
    connections.set(member, connection);
    return connection;
  } catch {
    return null; // it is down: the caller goes on with the next member
  }
}
