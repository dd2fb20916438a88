import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { methods, type Method } from '../wire/etcd-messages.js';
import { GrpcConnection, messagesOf } from '../wire/grpc-connection.js';
import { decode, encode, type Decoded, type Fields } from '../wire/protobuf.js';
import { MemberProcess, type Program } from './member-process.js';
import { freePort } from './ports.js';

export { isInstalled, MemberProcess, type Ending, type Program } from './member-process.js';

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 10;

export interface ClusterOptions {
  readonly program: Program;
  readonly members: number;
  /** Milliseconds; the heartbeat interval is a tenth of it. The default is the program's own. */
  readonly electionTimeoutMs?: number;
  readonly extraArgs?: readonly string[];
}

/** A failed call, with the status the server gave. */
export class CallError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Calls `method` once, without any retry, and decodes the reply. Rejects with CallError. */
export async function call(
  connection: GrpcConnection,
  method: Method,
  fields: Fields,
  timeoutMs?: number,
): Promise<Decoded> {
  const reply = await connection.call(method.path, encode(method.request, fields), timeoutMs);
  const [message] = messagesOf(reply.body);
  if (reply.status !== 0) throw new CallError(reply.status, reply.message);
  if (message === undefined) throw new CallError(reply.status, 'reply without a message');
  return decode(method.response, message);
}

/** Makes one call on a connection of its own. */
export async function callOnce(port: number, method: Method, fields: Fields, timeoutMs?: number): Promise<Decoded> {
  const connection = await GrpcConnection.open('127.0.0.1', port);
  try {
    return await call(connection, method, fields, timeoutMs);
  } finally {
    connection.close();
  }
}

/** A cluster of real processes on this machine: random ports, data in a temporary directory. */
export class Cluster {
  private constructor(
    readonly members: readonly MemberProcess[],
    readonly directory: string,
  ) {}

  /** Lays out a cluster of fresh members; none of them runs yet. */
  static async prepare(options: ClusterOptions): Promise<Cluster> {
    const directory = mkdtempSync(join(tmpdir(), `${options.program}-cluster-`));
    const names = Array.from({ length: options.members }, (_, i) => `m${i + 1}`);
    const places = [];
    for (const name of names) places.push({ name, client: await freePort(), peer: await freePort() });
    const initialCluster = places.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',');
    const timing =
      options.electionTimeoutMs === undefined
        ? []
        : [
            ...['--heartbeat-interval', String(Math.ceil(options.electionTimeoutMs / 10))],
            ...['--election-timeout', String(options.electionTimeoutMs)],
          ];
    const members = places.map(({ name, client, peer }) => {
      const dataDir = join(directory, name);
      return new MemberProcess(name, client, dataDir, options.program, [
        ...['--name', name, '--data-dir', dataDir],
        ...['--listen-client-urls', `http://127.0.0.1:${client}`],
        ...['--advertise-client-urls', `http://127.0.0.1:${client}`],
        ...['--listen-peer-urls', `http://127.0.0.1:${peer}`],
        ...['--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`],
        ...['--initial-cluster', initialCluster, '--initial-cluster-token', directory],
        ...['--initial-cluster-state', 'new'],
        ...timing,
        ...(options.extraArgs ?? []),
      ]);
    });
    return new Cluster(members, directory);
  }

  /** A cluster that serves. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = await Cluster.prepare(options);
    try {
      for (const member of cluster.members) member.start();
      await cluster.ready();
    } catch (error) {
      await cluster.destroy();
      throw error;
    }
    return cluster;
  }

  get endpoints(): string[] {
    return this.members.map((member) => `127.0.0.1:${member.clientPort}`);
  }

  member(name: string): MemberProcess {
    const member = this.members.find((one) => one.name === name);
    if (member === undefined) throw new Error(`no member is called ${name}`);
    return member;
  }

  /** Resolves when each running member answers a linearizable read. */
  async ready(timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    const running = this.members.filter((member) => member.isRunning);
    await Promise.all(running.map((member) => this.memberReady(member, timeoutMs)));
  }

  async memberReady(member: MemberProcess, timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      try {
        await callOnce(member.clientPort, methods.range, { key: 'ready' }, 2_000);
        return;
      } catch (error) {
        const gone = !member.isRunning;
        if (gone || performance.now() > deadline) {
          const state = gone ? 'ended before it served' : `did not serve within ${timeoutMs} ms`;
          throw new Error(`member ${member.name} ${state}; its output:\n${member.log}`, { cause: error });
        }
        await sleep(POLL_MS);
      }
    }
  }

  /** The running member that says it is the leader; waits for one. */
  async leader(timeoutMs = READY_TIMEOUT_MS): Promise<MemberProcess> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      for (const member of this.members) {
        if (member.isRunning && (await saysItLeads(member))) return member;
      }
      if (performance.now() > deadline) throw new Error(`no member became leader within ${timeoutMs} ms`);
      await sleep(POLL_MS);
    }
  }

  async followers(): Promise<MemberProcess[]> {
    const leader = await this.leader();
    return this.members.filter((member) => member !== leader);
  }

  /** Ends all members at once and removes their data. */
  async destroy(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function saysItLeads(member: MemberProcess): Promise<boolean> {
  try {
    const status = await callOnce(member.clientPort, methods.status, {}, 500);
    return (status['header'] as Decoded)['member_id'] === status['leader'];
  } catch (error) {
    if (error instanceof CallError || (error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
    throw error;
  }
}
