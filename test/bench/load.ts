import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcConnection, type Reply } from '../wire/grpc-connection.js';
import type { Workload } from './workloads.js';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
}

export interface LoadResult {
  /** Right answers within the window. */
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of this process, the client's side of the work, per 1000 requests. */
  readonly clientCpuMsPer1000: number;
  /** Right answers in all, before, within and after the window: how many writes the store must hold. */
  readonly acknowledged: number;
}

/** Called at both ends of the window. */
export type AtWindowEdge = () => void;

/** The value below which `part` of the sorted `values` lie. */
const percentile = (values: Float64Array, part: number) => values[Math.floor((values.length - 1) * part)] ?? NaN;

/** Latencies of one window, in milliseconds. */
class Latencies {
  #values = new Float64Array(65_536);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = ms;
  }

  sorted(): Float64Array {
    return this.#values.subarray(0, this.#count).sort();
  }
}

/**
 * Keeps `connections` times `inFlight` requests under way for a warm-up and then a window, and measures the window.
 * Rejects at the first reply that is wrong: a number made of failures is worth nothing.
 */
export async function runLoad(workload: Workload, options: LoadOptions, atEdge: AtWindowEdge): Promise<LoadResult> {
  const connections: GrpcConnection[] = [];
  for (let i = 0; i < options.connections; i++) connections.push(await GrpcConnection.open('127.0.0.1', options.port));
  const latencies = new Latencies();
  let acknowledged = 0;
  let underWay = 0;
  let inWindow = false;
  let isOver = false;
  let wrong: Reply | null = null;
  let wakeDrained = () => {};
  const drained = new Promise<void>((resolve) => (wakeDrained = resolve));

  const startOne = (connection: GrpcConnection): void => {
    const startedAt = performance.now();
    underWay++;
    connection.start(workload.path, workload.next(), (reply) => {
      underWay--;
      if (workload.isRight(reply)) acknowledged++;
      else wrong ??= reply;
      if (inWindow) latencies.add(performance.now() - startedAt);
      if (wrong === null && !isOver) startOne(connection);
      else if (underWay === 0) wakeDrained();
    });
  };
  for (const connection of connections) {
    for (let i = 0; i < options.inFlight; i++) startOne(connection);
  }

  await sleep(options.warmUpMs);
  atEdge();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  inWindow = true;
  await sleep(options.windowMs);
  inWindow = false;
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  atEdge();
  isOver = true;
  await drained;
  for (const connection of connections) connection.close();

  if (wrong !== null) throw new Error(`${workload.name}: wrong reply, ${describe(wrong)}`);
  const sorted = latencies.sorted();
  return {
    requests: latencies.count,
    perSecond: latencies.count / seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    clientCpuMsPer1000: (cpu.user + cpu.system) / latencies.count,
    acknowledged,
  };
}

const describe = ({ status, message, body }: Reply) =>
  `status ${status} ${JSON.stringify(message)}, ${body.length} bytes`;
