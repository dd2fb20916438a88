import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry, SnapshotMarker } from '../../src/raft/messages.js';
import { KvStoreOnDisk } from '../../src/storage/kv-store.js';
import { RaftStoreOnDisk } from '../../src/storage/raft-store.js';
import { diskContract } from '../contracts/disk.contract.js';
import { kvStoreContract } from '../contracts/kv-store.contract.js';
import { MARKER_0, log, marker, raftStoreContract } from '../contracts/raft-store.contract.js';
import { SimDisk } from '../simulation/disk.js';
import { FaultCounts } from '../simulation/fault-counts.js';
import { Machine } from '../simulation/machine.js';
import { SeededRandom } from '../simulation/random.js';
import { Scheduler } from '../simulation/scheduler.js';
import { Volume } from '../simulation/volume.js';

/** A machine whose disk takes virtual time. */
function simulatedMachine(seed: bigint) {
  const random = new SeededRandom(seed);
  const scheduler = new Scheduler({ random: random.fork('scheduler') });
  const volume = new Volume(random.fork('disk'));
  const machine = new Machine(0, 'm1');
  const counts = new FaultCounts();
  return {
    random: random.fork('test'),
    /** Lets virtual time pass until `promise` is settled or `untilMs` has come. */
    run: async <T>(work: () => Promise<T>): Promise<T> => {
      const promise = work();
      let isSettled = false;
      const note = () => void (isSettled = true);
      promise.then(note, note);
      await scheduler.run(scheduler.nowMs + 600_000, () => isSettled);
      return promise;
    },
    passMs: (ms: number) => scheduler.run(scheduler.nowMs + ms, () => false),
    boot: (): SimDisk => {
      machine.start();
      return new SimDisk(scheduler, machine, volume, { writeMs: 0.1, syncMs: 2 }, counts);
    },
    cutPower: () => {
      machine.crash();
      volume.crash('power');
    },
  };
}

const dispose = async () => {};

diskContract('the simulated disk', async () => {
  const { boot, run } = simulatedMachine(1n);
  const disk = boot();
  return { disk, restart: async () => disk, run, dispose };
});

raftStoreContract('the simulated disk', async () => {
  const { boot, run } = simulatedMachine(2n);
  const disk = boot();
  let store = await run(() => RaftStoreOnDisk.open(disk, { create: MARKER_0 }));
  const reopen = async () => {
    await store.close();
    return (store = await RaftStoreOnDisk.open(disk, { create: null }));
  };
  return { store, reopen, run, dispose };
});

kvStoreContract('the simulated disk', async () => {
  const { boot, run } = simulatedMachine(3n);
  const disk = boot();
  let store = await run(() => KvStoreOnDisk.open(disk, { create: true }));
  const reopen = async () => {
    await store.close();
    return (store = await KvStoreOnDisk.open(disk, { create: false }));
  };
  return { store, reopen, run, dispose };
});

/** What a store must hold after the changes asked for so far. */
interface Model {
  readonly currentTerm: number;
  readonly begin: SnapshotMarker;
  readonly entries: readonly Entry[];
  readonly installing: SnapshotMarker | null;
}

test('a power cut at any moment leaves what was acknowledged, and nothing but a prefix of what was asked for (S01)', async () => {
  let unacknowledgedKept = 0;
  let unacknowledgedLost = 0;
  for (let seed = 0n; seed < 300n; seed++) {
    const { random, run, passMs, boot, cutPower } = simulatedMachine(seed);
    let model: Model = { currentTerm: 0, begin: MARKER_0, entries: [], installing: null };
    for (let life = 0; life < 3; life++) {
      const disk = boot();
      const store = await run(() => RaftStoreOnDisk.open(disk, { create: MARKER_0 }));
      await store.load();
      const history = [model];
      let acknowledged = 0;
      for (let step = 1 + random.below(25); step > 0; step--) {
        const { ask, next } = change(model, random);
        model = next;
        const position = history.push(model) - 1;
        void ask(store).then(() => (acknowledged = Math.max(acknowledged, position)));
        if (random.below(3) > 0) await passMs(random.below(4));
      }
      cutPower();
      const again = await run(() => RaftStoreOnDisk.open(boot(), { create: null }));
      const { hardState, snapshot, entries, installing } = await again.load();
      const found = JSON.stringify(
        summary({ currentTerm: hardState.currentTerm, begin: snapshot, entries, installing }),
      );
      const kept = history.findLastIndex((each) => JSON.stringify(summary(each)) === found);
      assert.ok(
        kept >= acknowledged,
        `seed ${seed}: found state ${kept} of ${history.length - 1}, acknowledged ${acknowledged}`,
      );
      unacknowledgedKept += kept - acknowledged;
      unacknowledgedLost += history.length - 1 - kept;
      model = history[kept]!;
      await run(() => again.close());
      cutPower();
    }
  }
  assert.ok(unacknowledgedKept > 0 && unacknowledgedLost > 0, 'both outcomes were seen');
});

/** A random change that raft could ask for. */
function change(model: Model, random: SeededRandom): { ask: (store: RaftStoreOnDisk) => Promise<void>; next: Model } {
  const { begin, entries, currentTerm } = model;
  const lastIndex = begin.index + entries.length;
  switch (random.below(6)) {
    case 0: {
      const hardState = { currentTerm: currentTerm + 1, votedFor: null };
      return { ask: (store) => store.save({ hardState }), next: { ...model, currentTerm: currentTerm + 1 } };
    }
    case 1: {
      const index = begin.index + random.below(entries.length + 1);
      const moved = marker(index, entries[index - begin.index - 1]?.term ?? begin.term);
      const next = { ...model, begin: moved, entries: entries.slice(index - begin.index) };
      return { ask: (store) => store.compact(moved), next };
    }
    case 2: {
      if (model.installing) {
        const { installing } = model;
        const next = { ...model, begin: installing, entries: [], installing: null };
        return { ask: (store) => store.finishInstall(installing, false), next };
      }
      const installing = marker(lastIndex + 1 + random.below(5), currentTerm);
      return { ask: (store) => store.beginInstall(installing), next: { ...model, installing } };
    }
    default: {
      const limit = model.installing ? model.installing.index - 1 : Infinity;
      const first = Math.min(limit, Math.max(begin.index + 1, lastIndex + 1 - random.below(4)));
      const added =
        first > begin.index ? log(first, currentTerm, Math.min(1 + random.below(6), limit - first + 1)) : [];
      const next = { ...model, entries: [...entries.slice(0, first - begin.index - 1), ...added] };
      return { ask: (store) => store.save({ entries: added }), next: added.length > 0 ? next : model };
    }
  }
}

function summary({ currentTerm, begin, entries, installing }: Model) {
  return [currentTerm, begin.index, entries.map(({ record }) => record.toString('base64')), installing?.index ?? null];
}
