// Run by the tests as a process of its own: holds a data directory, saves entries until it is killed, and says on
// standard output which index has been acknowledged. With `hold` it only holds the directory.
import { makeEntry } from '../../src/raft/entry-codec.js';
import { openDataDirectory } from '../../src/storage/level-disk.js';
import { RaftStoreOnDisk } from '../../src/storage/raft-store.js';

const [path = '', mode] = process.argv.slice(2);
const { disk } = await openDataDirectory(path);
if (mode === 'hold') {
  process.stdout.write('holding\n');
  setInterval(() => {}, 1000);
} else {
  const create = { index: 0, term: 0, configuration: { voters: [1n] } };
  const store = await RaftStoreOnDisk.open(disk, { create });
  const { entries } = await store.load();
  await store.save({ hardState: { currentTerm: 1, votedFor: 1n } });
  for (let index = (entries.at(-1)?.index ?? 0) + 1; ;) {
    const saves = Array.from({ length: 1 + (index % 5) }, async () => {
      const mine = index++;
      await store.save({ entries: [makeEntry(mine, 1, Buffer.alloc(mine % 4000, mine))] });
      process.stdout.write(`${mine}\n`);
    });
    await Promise.all(saves);
  }
}
