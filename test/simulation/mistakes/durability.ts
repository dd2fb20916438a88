import type { Database, Disk } from '../../../src/storage/disk.js';
import { KV_DATABASE, RAFT_DATABASE } from '../../../src/storage/keyspace.js';
import { type Mistake, override } from './mistake.js';
import { slowDisk } from './profiles.js';

/** A disk whose writes to one database are changed on their way. */
function withWrites(disk: Disk, name: string, change: (write: Database['write']) => Database['write']): Disk {
  override(disk, 'open', (original) => async (opened, options) => {
    const database = await original(opened, options);
    if (opened === name) override(database, 'write', change);
    return database;
  });
  return disk;
}

/** Mistakes about what must be on disk, and when. */
export const durabilityMistakes: readonly Mistake[] = [
  {
    name: 'answers before its disk has',
    row: 'C11',
    seenBy: ['DUR'],
    member: (member) => override(member.node.raft, 'untilSaved', () => () => null),
  },
  {
    name: 'a leader counts its own copy before it is on disk',
    row: 'C10',
    seenBy: ['DUR'],
    member(member) {
      const { raft } = member.node;
      override(raft, 'saveLog', (original) => () => {
        original();
        raft.savedIndex = raft.handedIndex;
      });
    },
  },
  {
    name: 'forgets its vote when it restarts',
    row: 'C05',
    seenBy: ['DUR', 'VOTE', 'ES'],
    member(member) {
      override(member.node.raft.ports.store, 'save', (original) => (change) => {
        const { hardState } = change;
        return original(hardState ? { ...change, hardState: { ...hardState, votedFor: null } } : change);
      });
    },
  },
  {
    name: 'keeps its term in memory only',
    row: 'C05',
    seenBy: ['DUR', 'VOTE', 'STOP'],
    member: (member) => override(member.node.raft, 'saveHardState', () => () => undefined),
  },
  {
    name: 'takes the end of an old write for the end of the one that replaced it (ABA)',
    row: 'C12',
    profile: slowDisk,
    seenBy: ['DUR', 'ORDER', 'STOP'],
    member(member) {
      Object.defineProperty(member.node.raft.log, 'epoch', { get: () => 0 });
    },
  },
  {
    name: 'writes its log without sync',
    row: 'S05',
    seenBy: ['DUR'],
    ports: (ports) => ({
      ...ports,
      disk: withWrites(ports.disk, RAFT_DATABASE, (write) => (operations) => write(operations, { sync: false })),
    }),
  },
  {
    name: 'goes on after a failed write as if it had worked',
    row: 'S06',
    seenBy: ['DUR', 'STOP', 'LIVE', 'SMS'],
    ports: (ports) => ({
      ...ports,
      disk: withWrites(
        ports.disk,
        RAFT_DATABASE,
        (write) => (operations, options) => write(operations, options).catch(() => undefined),
      ),
    }),
  },
  {
    name: 'cuts its log before the state machine is on disk',
    row: 'S15',
    seenBy: ['STOP', 'SMS', 'DET'],
    member(member) {
      const { state } = member;
      override(state, 'persist', () => async () => ({ index: state.kv.appliedIndex, term: state.kv.appliedTerm }));
    },
  },
  {
    name: 'writes the state without the applied index',
    row: 'S16',
    seenBy: ['STOP', 'DET', 'REV', 'SMS'],
    ports(ports) {
      let writes = 0;
      // Every other write: without any applied index at all there would be no member to start.
      const change = (write: Database['write']): Database['write'] => {
        return (operations, options) => {
          const isWhole = writes++ % 2 === 0;
          return write(isWhole ? operations : operations.filter(({ key }) => key[0] !== 0x6d), options);
        };
      };
      return { ...ports, disk: withWrites(ports.disk, KV_DATABASE, change) };
    },
  },
];
