import type { KvStore } from '../kv/ports.js';
import type { LogIndex, SnapshotMarker } from '../raft/messages.js';
import type { Disk } from './disk.js';
import { DamageError, OtherMemberError, WAY_OUT } from './errors.js';
import { KV_DATABASE, KV_INCOMING_DATABASE, RAFT_DATABASE } from './keyspace.js';
import { KvStoreOnDisk } from './kv-store.js';
import { type MemberMarker, hexId, readMemberMarker, writeMemberMarker } from './member-marker.js';
import { RaftStoreOnDisk } from './raft-store.js';

/** What a member begins with. */
export interface Bootstrap {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  /** Index 0, term 0 and the first configuration for a new cluster; where the backup ends, for a restored one. */
  readonly snapshot: SnapshotMarker;
  /** Writes the state machine's first content, or installs a backup; its applied index is `snapshot.index` then. */
  fill(kv: KvStoreOnDisk): Promise<void>;
}

export interface MemberStoreOptions {
  /** Whose data this must be; null to take what is there. */
  readonly identity: { readonly memberId: bigint; readonly clusterId: bigint } | null;
  /** For a directory that has no member yet; null to refuse such a one. */
  readonly bootstrap: Bootstrap | null;
  /** The index through which the content of the state machine's store is applied: its own secret. */
  appliedIndexOf(kv: KvStore): LogIndex;
}

/** Everything that one member keeps. */
export interface MemberStore {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  readonly raft: RaftStoreOnDisk;
  readonly kv: KvStoreOnDisk;
  /** This start created it. */
  readonly isNew: boolean;
  close(): Promise<void>;
}

/**
 * Opens both databases of a member and proves that they fit together, or creates them. Crash safe at every step: the
 * marker file says first that a member is being created, and last that it has been. Until then nothing was promised
 * to anybody, and a restart begins again.
 * @throws DamageError, OtherMemberError, NewerFormatError; nothing has been changed then.
 */
export async function openMemberStore(disk: Disk, options: MemberStoreOptions): Promise<MemberStore> {
  const marker = await readMemberMarker(disk);
  if (marker === null) await refuseUnmarkedData(disk);
  if (marker?.created) {
    refuseOthers(disk, marker, options);
    return openExisting(disk, marker, options);
  }
  if (options.bootstrap === null) {
    throw new DamageError(
      disk.path,
      'no member has its data here',
      'start it with the initial cluster if it is new; if it had data, see docs/operating.md, "A member refuses its data"',
    );
  }
  return create(disk, options.bootstrap);
}

async function create(disk: Disk, bootstrap: Bootstrap): Promise<MemberStore> {
  const { memberId, clusterId } = bootstrap;
  await writeMemberMarker(disk, { memberId, clusterId, created: false });
  for (const name of [RAFT_DATABASE, KV_DATABASE, KV_INCOMING_DATABASE]) await disk.remove(name);
  const raft = await RaftStoreOnDisk.open(disk, { create: bootstrap.snapshot });
  const kv = await opened(raft, () => KvStoreOnDisk.open(disk, { create: true }));
  return opened(kv, () =>
    opened(raft, async () => {
      await bootstrap.fill(kv);
      await kv.write([], { sync: true });
      await writeMemberMarker(disk, { memberId, clusterId, created: true });
      return memberStore(bootstrap, raft, kv, true);
    }),
  );
}

async function openExisting(disk: Disk, marker: MemberMarker, options: MemberStoreOptions): Promise<MemberStore> {
  for (const name of [RAFT_DATABASE, KV_DATABASE]) {
    if (await disk.exists(name)) continue;
    throw new DamageError(
      `${disk.path}/${name}`,
      'the database is missing although member.json says that it was created',
    );
  }
  const kv = await KvStoreOnDisk.open(disk, { create: false });
  return opened(kv, async () => {
    const applied = options.appliedIndexOf(kv);
    const raft = await openRaft(disk, applied);
    return opened(raft, async () => {
      refuseMisfit(disk, applied, raft);
      await disk.remove(KV_INCOMING_DATABASE);
      return memberStore(marker, raft, kv, false);
    });
  });
}

/**
 * A crash during the installation of a snapshot leaves a note in the log's database. If the state machine became the
 * snapshot, the log follows; otherwise the note goes, and the leader will send again (S14, S15).
 */
async function openRaft(disk: Disk, applied: LogIndex): Promise<RaftStoreOnDisk> {
  const raft = await RaftStoreOnDisk.open(disk, { create: null });
  const { installing } = raft;
  if (installing === null) return raft;
  await opened(raft, () => {
    const hasBecome = installing.index === applied && applied >= raft.marker.index;
    if (!hasBecome) return raft.dropInstall();
    return raft.finishInstall(installing, raft.storedTermAt(installing.index) === installing.term);
  });
  await raft.close();
  return RaftStoreOnDisk.open(disk, { create: null });
}

function refuseOthers(disk: Disk, marker: MemberMarker, { identity: expected }: MemberStoreOptions): void {
  if (expected === null) return;
  if (expected.clusterId !== marker.clusterId || expected.memberId !== marker.memberId) {
    throw new OtherMemberError(
      `data directory ${disk.path} belongs to member ${hexId(marker.memberId)} of cluster ${hexId(marker.clusterId)}, ` +
        `expected member ${hexId(expected.memberId)} of cluster ${hexId(expected.clusterId)}; ` +
        'give this member its own data directory, or start it with the settings that it was created with',
    );
  }
}

async function refuseUnmarkedData(disk: Disk): Promise<void> {
  for (const name of [RAFT_DATABASE, KV_DATABASE]) {
    if (!(await disk.exists(name))) continue;
    throw new DamageError(`${disk.path}/member.json`, `the file is missing, but database ${name} is there`);
  }
}

function refuseMisfit(disk: Disk, applied: LogIndex, { marker, lastIndex }: RaftStoreOnDisk): void {
  if (applied < marker.index) {
    const found = `the state machine holds entries through ${applied}, but the log begins after ${marker.index}`;
    throw new DamageError(disk.path, `${found}: what lies between is gone`);
  }
  if (applied > lastIndex) {
    const found = `the state machine holds entries through ${applied}, but the log ends with ${lastIndex}`;
    throw new DamageError(disk.path, `${found}: saved entries are gone`, WAY_OUT);
  }
}

function memberStore(
  { memberId, clusterId }: { readonly memberId: bigint; readonly clusterId: bigint },
  raft: RaftStoreOnDisk,
  kv: KvStoreOnDisk,
  isNew: boolean,
): MemberStore {
  const close = async () => {
    await kv.close();
    await raft.close();
  };
  return { memberId, clusterId, raft, kv, isNew, close };
}

/** Runs `next`; if that fails, closes what it was to stand on. */
async function opened<T>(store: { close(): Promise<void> }, next: () => Promise<T>): Promise<T> {
  try {
    return await next();
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}
