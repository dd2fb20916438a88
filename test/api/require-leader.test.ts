import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallContext, CallStatus, ServerStream, StreamHandler } from '../../src/api/handlers.js';
import { requireLeader } from '../../src/api/require-leader.js';
import { FakeMember, MEMBER_ID } from './fake-member.js';

function contextWith(hasLeader: string | undefined): CallContext {
  return { metadata: (key) => (key === 'hasleader' ? hasLeader : undefined), remainingMs: Infinity };
}

function openStream(member: FakeMember, hasLeader: string | undefined) {
  const ends: (CallStatus | null)[] = [];
  let opened = 0;
  const stream: ServerStream = { send: () => true, onDrain() {}, end: (status) => ends.push(status) };
  const handler: StreamHandler = () => {
    opened++;
    return { onMessage() {}, onEnd() {}, onCancel() {} };
  };
  const table = requireLeader({ unary: new Map(), streams: new Map([['/a/B', handler]]) }, member);
  table.streams.get('/a/B')?.(stream, contextWith(hasLeader));
  return { ends, opened };
}

test('a stream that asks for a leader is not opened while none is known', () => {
  const member = new FakeMember();
  member.leaderId = null;
  const { ends, opened } = openStream(member, 'true');
  assert.equal(opened, 0);
  assert.deepEqual(ends, [{ code: 14, message: 'etcdserver: no leader' }]);
});

test('a stream that does not ask, or a member that knows its leader, changes nothing', () => {
  const member = new FakeMember();
  assert.deepEqual(openStream(member, 'true'), { ends: [], opened: 1 });
  member.leaderId = null;
  assert.deepEqual(openStream(member, undefined), { ends: [], opened: 1 });
  assert.deepEqual(openStream(member, 'yes'), { ends: [], opened: 1 });
  member.leaderId = MEMBER_ID + 1n;
  assert.deepEqual(openStream(member, 'true'), { ends: [], opened: 1 });
});
