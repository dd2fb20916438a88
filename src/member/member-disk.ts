import { KvStateMachine } from '../kv/state-machine.js';
import { FRESH_STATE, readState } from '../kv/state-record.js';
import type { Configuration, SnapshotMarker } from '../raft/messages.js';
import type { IncomingSnapshot, Loaded, OutgoingSnapshot, RaftStore } from '../raft/ports.js';
import type { Disk } from '../storage/disk.js';
import { openMemberStore } from '../storage/member-store.js';
import type { KvStoreOnDisk } from '../storage/kv-store.js';
import { SnapshotWriter } from '../storage/snapshot-writer.js';
import type { MemberOptions } from './options.js';
import type { StateStore } from './state-store.js';

/** What a member has on disk, opened and checked. */
export interface MemberDisk {
  readonly loaded: Loaded;
  readonly raftStore: RaftStore;
  readonly state: StateStore;
  close(): Promise<void>;
}

/** Opens what is there, or begins anew where nothing ever was. Rejects when what it finds can not be trusted. */
export async function openMemberDisk(options: MemberOptions, disk: Disk): Promise<MemberDisk> {
  const { memberId, clusterId, initialMembers } = options;
  const snapshot: SnapshotMarker = { index: 0, term: 0, configuration: configurationOf(initialMembers) };
  const store = await openMemberStore(disk, {
    identity: { memberId, clusterId },
    bootstrap: {
      memberId,
      clusterId,
      snapshot,
      fill: async (kv) => {
        const state = await KvStateMachine.open(kv);
        state.bootstrapMembers(initialMembers);
        await state.flush({ sync: true });
        state.close();
      },
    },
    appliedIndexOf: (kv) => readState(kv)?.appliedIndex ?? 0,
  });
  try {
    const loaded = await store.raft.load();
    const kv = await KvStateMachine.open(store.kv);
    const state = new StateStoreOnDisk(disk, store.kv, options, kv, loaded.snapshot.configuration);
    return { loaded, raftStore: store.raft, state, close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function configurationOf(members: MemberOptions['initialMembers']): Configuration {
  return { voters: members.map((member) => member.id).sort((a, b) => (a < b ? -1 : 1)) };
}

class StateStoreOnDisk implements StateStore {
  constructor(
    private readonly disk: Disk,
    private readonly store: KvStoreOnDisk,
    private readonly options: MemberOptions,
    readonly kv: KvStateMachine,
    private readonly configuration: Configuration,
  ) {}

  async openSnapshot(): Promise<OutgoingSnapshot> {
    const view = this.store.view();
    const { appliedIndex: index, appliedTerm: term, revision } = readState(view) ?? FRESH_STATE;
    const marker: SnapshotMarker = { index, term, configuration: this.configuration };
    const { clusterId, memberId } = this.options;
    const stream = view.stream({ clusterId, memberId, marker, revision });
    return { marker, nextChunk: () => stream.nextChunk(), close: () => stream.close() };
  }

  async receiveSnapshot(): Promise<IncomingSnapshot> {
    return SnapshotWriter.open(this.disk);
  }

  async installSnapshot(): Promise<KvStateMachine> {
    await this.store.installIncoming();
    return KvStateMachine.open(this.store);
  }

  sizeBytes(): Promise<number> {
    return this.store.sizeBytes();
  }
}
