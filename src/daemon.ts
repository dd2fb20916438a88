import { setTimeout as sleep } from 'node:timers/promises';
import { startClientServer } from './api/client-server.js';
import { httpRoutes } from './api/http-routes.js';
import { clientServices } from './api/services.js';
import type { ServerConfig } from './config/config.js';
import { ConfigError } from './config/errors.js';
import { SystemClock } from './lib/clock.js';
import { asError } from './lib/errors.js';
import { mustBeFree } from './lib/listener.js';
import type { Logger } from './lib/logger.js';
import { SystemRandom } from './lib/random.js';
import { Member } from './member/member.js';
import { isPublished } from './member/publisher.js';
import { defaultRaftOptions } from './raft/options.js';
import { openDataDirectory } from './storage/level-disk.js';
import { GrpcTransport } from './transport/peer-client.js';
import { startPeerServer } from './transport/peer-service.js';
import { VERSION } from './lib/version.js';

/** How often a starting member looks whether it can serve, in milliseconds. */
const READY_POLL_MS = 10;

/** One member with its doors open. */
export interface Daemon {
  readonly member: Member;
  /** Where clients are heard. */
  readonly clientUrls: readonly string[];
  /** Where peers are heard. */
  readonly peerUrls: readonly string[];
  /** Resolves once a leader is known, the cluster knows this member's name, and clients are served. Never after `stop`. */
  readonly ready: Promise<void>;
  /**
   * Hands leadership over, lets requests under way finish for up to --shutdown-grace, closes the disk.
   * Everything acknowledged is durable. Safe to call twice.
   */
  stop(): Promise<void>;
}

/** What startDaemon asks besides the configuration. */
export interface DaemonHooks {
  /** Called once when the member can not go on: its disk failed, or an invariant broke. It has stopped answering. */
  readonly onFailure: (error: Error) => void;
}

/** @throws DirectoryLockedError when a member is at work in the data directory */
export async function mustBeUnused(dataDir: string): Promise<void> {
  const directory = await openDataDirectory(dataDir);
  await directory.close();
}

/** What has been opened so far, closed in reverse. */
class Opened {
  readonly #closers: (() => Promise<unknown>)[] = [];

  push(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  /** Goes on when one cannot be closed, so that the disk is closed whatever happens. Rejects with the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Opens the data directory, starts the member on it, and opens its doors to peers and clients.
 * Rejects, with nothing left open, when the directory is locked or damaged or a port is taken.
 */
export async function startDaemon(config: ServerConfig, logger: Logger, hooks: DaemonHooks): Promise<Daemon> {
  const opened = new Opened();
  try {
    return await open(config, logger, hooks, opened);
  } catch (thrown) {
    await opened.close().catch((error: unknown) => {
      logger.error({ err: asError(error) }, 'what had been started could not be stopped');
    });
    throw thrown;
  }
}

async function open(config: ServerConfig, logger: Logger, hooks: DaemonHooks, opened: Opened): Promise<Daemon> {
  const { memberId, clusterId, shutdownGraceMs } = config;
  // Before anything is created: whoever chooses another port afterwards becomes another member (ids come from URLs).
  for (const { url } of [...config.listenPeerUrls, ...config.listenClientUrls]) await mustBeFree(url);
  const directory = await openDataDirectory(config.dataDir);
  opened.push(() => directory.close());
  if (config.initialClusterState === 'existing' && !(await directory.disk.exists('raft'))) {
    throw new ConfigError(
      `--initial-cluster-state existing, but ${config.dataDir} is empty: this version cannot join a running cluster; ` +
        'name the data directory of a member, or start a cluster that is new',
    );
  }

  const transport = new GrpcTransport({
    clusterId,
    memberId,
    electionTimeoutMs: config.electionTimeoutMs,
    logger: logger.child({ floor: 'transport' }),
  });
  opened.push(async () => transport.close());
  const member = await Member.start(memberOptions(config), {
    clock: new SystemClock(),
    random: new SystemRandom(),
    disk: directory.disk,
    transport,
    logger,
    onFailure: hooks.onFailure,
  });
  opened.push(() => member.stop());

  // What the disk says counts, not the flags: they describe the cluster as it began.
  const peers = member.members().filter((record) => record.id !== memberId);
  for (const { id, peerURLs } of peers) transport.setPeer(id, peerURLs);
  const peerServer = await startPeerServer({
    listenUrls: config.listenPeerUrls.map(({ url }) => url),
    clusterId,
    memberId,
    peers: new Set(peers.map(({ id }) => id)),
    handler: member.peerHandler,
    logger: logger.child({ floor: 'transport' }),
  });
  opened.push(() => peerServer.close());

  const apiLogger = logger.child({ floor: 'api' });
  const services = clientServices(member, apiLogger, config.maxTxnOps);
  const clientServer = await startClientServer({
    listenUrls: config.listenClientUrls.map(({ url }) => url),
    tables: services.tables,
    http: httpRoutes({ member, logger: apiLogger, version: VERSION }),
    logger: apiLogger,
    maxRequestBytes: config.maxRequestBytes,
    keepaliveIntervalMs: config.grpcKeepaliveIntervalMs,
    keepaliveTimeoutMs: config.grpcKeepaliveTimeoutMs,
    maxConcurrentStreams: config.maxConcurrentStreams,
  });
  opened.push(() => clientServer.close(shutdownGraceMs));
  opened.push(() => handOver(member, logger));
  opened.push(async () => services.health.setServing(false));

  let stopping: Promise<void> | null = null;
  return {
    member,
    clientUrls: clientServer.addresses,
    peerUrls: peerServer.addresses,
    ready: untilReady(member),
    stop: () => (stopping ??= opened.close()),
  };
}

function memberOptions(config: ServerConfig): Parameters<typeof Member.start>[0] {
  return {
    memberId: config.memberId,
    clusterId: config.clusterId,
    name: config.name,
    clientURLs: config.advertiseClientUrls.map(({ url }) => url),
    // Their names come from themselves, when they come up.
    initialMembers: config.initialCluster.map(({ id, peerURLs }) => ({ id, name: '', peerURLs, clientURLs: [] })),
    maxRequestBytes: config.maxRequestBytes,
    raft: {
      ...defaultRaftOptions,
      heartbeatIntervalMs: config.heartbeatIntervalMs,
      electionTimeoutMs: config.electionTimeoutMs,
      preVote: config.preVote,
      snapshotCount: config.snapshotCount,
      snapshotCatchupEntries: config.snapshotCatchupEntries,
    },
  };
}

/** A cluster whose leader leaves orderly has the next one within a round trip, not after an election timeout. */
async function handOver(member: Member, logger: Logger): Promise<void> {
  if (member.status().role !== 'leader' || member.members().length === 1) return;
  try {
    await member.transferLeadership();
  } catch (thrown) {
    logger.warn({ err: asError(thrown) }, 'leadership could not be handed over');
  }
}

async function untilReady(member: Member): Promise<void> {
  while (!(member.status().leaderId !== null && isPublished(member))) {
    if (member.isStopped) return new Promise(() => undefined);
    await sleep(READY_POLL_MS);
  }
}
