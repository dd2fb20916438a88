import { diskContract } from '../contracts/disk.contract.js';
import { kvStoreContract } from '../contracts/kv-store.contract.js';
import { MARKER_0, raftStoreContract } from '../contracts/raft-store.contract.js';
import { KvStoreOnDisk } from '../../src/storage/kv-store.js';
import { RaftStoreOnDisk } from '../../src/storage/raft-store.js';
import { levelDiskFixture } from './fixtures.js';

diskContract('LevelDB', levelDiskFixture);

raftStoreContract('LevelDB', async () => {
  const { disk, run, dispose } = await levelDiskFixture();
  let store = await RaftStoreOnDisk.open(disk, { create: MARKER_0 });
  return {
    store,
    reopen: async () => {
      await store.close();
      return (store = await RaftStoreOnDisk.open(disk, { create: null }));
    },
    run,
    dispose: async () => {
      await store.close();
      await dispose();
    },
  };
});

kvStoreContract('LevelDB', async () => {
  const { disk, run, dispose } = await levelDiskFixture();
  let store = await KvStoreOnDisk.open(disk, { create: true });
  return {
    store,
    reopen: async () => {
      await store.close();
      return (store = await KvStoreOnDisk.open(disk, { create: false }));
    },
    run,
    dispose: async () => {
      await store.close();
      await dispose();
    },
  };
});
