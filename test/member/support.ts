import type { TestContext } from 'node:test';
import { SystemClock } from '../../src/lib/clock.js';
import { silentLogger } from '../../src/lib/logger.js';
import { SystemRandom } from '../../src/lib/random.js';
import { Member } from '../../src/member/member.js';
import { defaultMemberOptions } from '../../src/member/options.js';
import { defaultRaftOptions } from '../../src/raft/options.js';
import type { Transport } from '../../src/raft/ports.js';
import type { Database, Disk } from '../../src/storage/disk.js';
import { openDataDirectory } from '../../src/storage/level-disk.js';
import { temporaryDirectory } from '../storage/fixtures.js';

export const ELECTION_TIMEOUT_MS = 100;
/** Longer than any request waits. */
export const LONG_MS = 60_000;

/** The machine's clock, which a test may put forward. */
export class MovableClock extends SystemClock {
  #aheadMs = 0;

  override now(): number {
    return super.now() + this.#aheadMs;
  }

  putForward(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** A disk whose writes a test can make fail, or wait. */
export class MoodyDisk {
  mood: 'well' | 'failing' | 'stuck' = 'well';
  stuckWrites = 0;

  constructor(private readonly disk: Disk) {}

  /** What the member is given. */
  get asDisk(): Disk {
    const { disk } = this;
    return {
      path: disk.path,
      open: async (name, options) => this.#wrap(await disk.open(name, options)),
      exists: (name) => disk.exists(name),
      replace: (name, by) => disk.replace(name, by),
      remove: (name) => disk.remove(name),
      readFile: (name) => disk.readFile(name),
      writeFile: (name, content) => disk.writeFile(name, content),
      sizeOf: (name) => disk.sizeOf(name),
    };
  }

  #wrap(database: Database): Database {
    return {
      get: (key) => database.get(key),
      snapshot: () => database.snapshot(),
      close: () => database.close(),
      write: (operations, options) => {
        if (this.mood === 'failing') return Promise.reject(new Error('EIO: i/o error'));
        if (this.mood !== 'stuck') return database.write(operations, options);
        this.stuckWrites++;
        return until(() => this.mood !== 'stuck').then(() => database.write(operations, options));
      },
    };
  }
}

/** Peers that say nothing, but for what a test has them say. */
export function peers(said: Partial<Transport> = {}): Transport {
  const silence = () => Promise.resolve(null);
  return {
    requestVote: silence,
    appendEntries: silence,
    installSnapshot: silence,
    timeoutNow: silence,
    forwardProposals: silence,
    readIndex: silence,
    ...said,
  };
}

export interface Started {
  readonly member: Member;
  readonly disk: MoodyDisk;
  readonly clock: MovableClock;
  /** Why it stopped by itself. */
  readonly failures: Error[];
}

/** A directory in which members are started one after the other, always as member 1 of `ids`. */
export async function memberHome(t: TestContext, ids: readonly bigint[]) {
  const directory = await openDataDirectory(await temporaryDirectory(t));
  t.after(() => directory.close());
  return {
    async start(transport = peers()): Promise<Started> {
      const disk = new MoodyDisk(directory.disk);
      const clock = new MovableClock();
      const failures: Error[] = [];
      const member = await Member.start(
        {
          ...defaultMemberOptions,
          memberId: 1n,
          clusterId: 7n,
          name: 'm1',
          clientURLs: [],
          initialMembers: ids.map((id) => ({ id, name: '', peerURLs: [], clientURLs: [] })),
          raft: { ...defaultRaftOptions, electionTimeoutMs: ELECTION_TIMEOUT_MS, heartbeatIntervalMs: 10 },
        },
        {
          clock,
          random: new SystemRandom(),
          disk: disk.asDisk,
          transport,
          logger: silentLogger,
          onFailure: (error) => failures.push(error),
        },
      );
      return { member, disk, clock, failures };
    },
  };
}

/** Waits until `holds`. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resume) => setTimeout(resume, 5));
}
