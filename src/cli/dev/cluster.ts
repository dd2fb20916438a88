import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RemoteClient } from '../../client/remote-client.js';
import { ClientError } from '../../client/errors.js';
import type { StatusResponse } from '../../client/types.js';
import { ExitCode, Failure } from '../failure.js';
import { Child } from './child.js';
import { serverArguments, type Place } from './layout.js';

/** Milliseconds from starting the processes until all of them know a leader; a loaded machine needs a while. */
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** Milliseconds for an orderly stop before the processes are killed. */
const STOP_TIMEOUT_MS = 15_000;

/** What a running member says of itself; null when it does not answer. */
export interface Look {
  readonly child: Child;
  readonly status: StatusResponse | null;
}

/** What to start. */
export interface DevPlan {
  readonly places: readonly Place[];
  readonly folder: string;
  /** Starts raftkv: `['node', 'bin/raftkv']`. */
  readonly program: readonly string[];
  /** Begin without the data of earlier runs. */
  readonly isFresh: boolean;
}

/** Real daemons on this machine, started and stopped together. */
export class DevCluster {
  readonly #clients: ReadonlyMap<Child, RemoteClient>;

  private constructor(readonly children: readonly Child[]) {
    this.#clients = new Map(
      children.map((child) => [
        child,
        new RemoteClient({ endpoints: [`127.0.0.1:${child.place.clientPort}`], commandTimeoutMs: 1_000 }),
      ]),
    );
  }

  /**
   * Resolves when all know a leader, or at once when `stopped` fires.
   * @throws Failure; nothing is left running.
   */
  static async start({ places, folder, program, isFresh }: DevPlan, stopped: AbortSignal): Promise<DevCluster> {
    for (const place of places) {
      for (const port of [place.clientPort, place.peerPort]) await mustBeFree(port);
    }
    if (isFresh) await wipe(places);
    mkdirSync(folder, { recursive: true });
    const children = places.map((place) => new Child(place, [...program, ...serverArguments(place, places)]));
    const cluster = new DevCluster(children);
    try {
      await cluster.#ready(stopped);
      return cluster;
    } catch (thrown) {
      await cluster.stop();
      throw thrown;
    }
  }

  async #ready(stopped: AbortSignal): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!stopped.aborted) {
      const dead = this.children.find(({ ending }) => ending !== null);
      if (dead !== undefined)
        throw new Failure(ExitCode.error, `${dead.place.name} did not start: ${dead.lastWords()}`);
      const looks = await this.look();
      if (looks.every(({ status }) => status !== null && status.leader !== 0n)) return;
      if (performance.now() > deadline) {
        throw new Failure(
          ExitCode.error,
          `no leader after ${READY_TIMEOUT_MS / 1000} s; see the logs in the data directory`,
        );
      }
      await sleep(POLL_MS);
    }
  }

  /** Asks every member that runs, all at once. */
  look(): Promise<Look[]> {
    return Promise.all(this.children.map(async (child) => ({ child, status: await this.#ask(child) })));
  }

  async #ask(child: Child): Promise<StatusResponse | null> {
    try {
      return (await this.#clients.get(child)?.status()) ?? null;
    } catch (thrown) {
      if (thrown instanceof ClientError) return null;
      throw thrown;
    }
  }

  /** SIGTERM, time to finish, SIGKILL. Resolves when no process is left. */
  async stop(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    for (const child of this.children) child.signal('SIGTERM');
    const all = Promise.all(this.children.map((child) => child.ended));
    const patience = new AbortController();
    await Promise.race([all, sleep(STOP_TIMEOUT_MS, null, { signal: patience.signal }).catch(() => null)]);
    patience.abort();
    for (const child of this.children) child.signal('SIGKILL');
    await all;
  }
}

/**
 * Removes what earlier runs left: data and logs of the members, nothing else.
 * @throws DirectoryLockedError, with everything still there, when a member is at work in one of the folders
 */
async function wipe(places: readonly Place[]): Promise<void> {
  const { mustBeUnused } = await import('../../daemon.js');
  for (const { dataDir } of places) if (existsSync(dataDir)) await mustBeUnused(dataDir);
  for (const { dataDir, logFile } of places) {
    rmSync(dataDir, { recursive: true, force: true });
    rmSync(logFile, { force: true });
  }
}

async function mustBeFree(port: number): Promise<void> {
  const server = createServer();
  const failure = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    server.once('error', resolve);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(null));
  });
  if (failure === null) {
    await new Promise((resolve) => server.close(resolve));
    return;
  }
  const why =
    failure.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${failure.code ?? failure.message})`;
  throw new Failure(
    ExitCode.error,
    `port ${port} ${why}; stop what holds it (another raftkv dev, an etcd?), or choose other ports and another folder: raftkv dev --base-port 23790 --data-dir .raftkv-dev2`,
  );
}
