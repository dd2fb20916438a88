import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstallSnapshotArgs } from '../../src/raft/messages.js';
import { memberHome } from './support.js';

const TIMEOUT = { timeout: 30_000 };
const CLUSTER = [1n, 2n, 3n];

test('a member that stops while a snapshot comes in starts again and takes one', TIMEOUT, async (t) => {
  const home = await memberHome(t, CLUSTER);
  const firstPiece: InstallSnapshotArgs = {
    term: 1,
    leaderId: 2n,
    snapshot: { index: 9, term: 1, configuration: { voters: CLUSTER } },
    transferId: 1,
    offset: 0,
    data: Buffer.from('RAFTKVSN'),
    done: false,
  };
  for (let life = 0; life < 2; life++) {
    const { member, failures } = await home.start();
    const reply = await member.peerHandler.installSnapshot(firstPiece);
    assert.deepEqual([reply?.nextOffset, failures], [firstPiece.data.length, []]);
    // The next piece is being written when the member is told to stop.
    void member.peerHandler.installSnapshot({ ...firstPiece, offset: 8, data: Buffer.from([0, 0, 0, 1]) });
    await member.stop();
  }
});
