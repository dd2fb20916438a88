import assert from 'node:assert/strict';
import { renderReply } from '../compare/render.js';
import { messages, methods } from '../wire/etcd-messages.js';
import type { Decoded } from '../wire/protobuf.js';
import { CallError, callOnce, type Cluster, type MemberProcess } from './harness.js';
import { valueOf, type Writers } from './writers.js';

const UNIMPLEMENTED = 12;
const EVERYTHING = { key: Buffer.from([0]), range_end: Buffer.from([0]) };

const asText = (kv: Decoded) => renderReply(messages.KeyValue, kv);

/** All keys of a member with all that belongs to them, as the member itself holds them once it has caught up. */
export async function contentOf(member: MemberProcess): Promise<Decoded[]> {
  await callOnce(member.clientPort, methods.range, { key: 'barrier' });
  const reply = await callOnce(member.clientPort, methods.range, { ...EVERYTHING, serializable: true });
  return (reply['kvs'] ?? []) as Decoded[];
}

/** The member's own checksum over its key space and history, or null where it has none. */
async function hashOf(member: MemberProcess): Promise<string | null> {
  try {
    const reply = await callOnce(member.clientPort, methods.hashKv, {});
    return `${reply['hash'] as bigint} at compaction ${reply['compact_revision'] as bigint}`;
  } catch (error) {
    if (error instanceof CallError && error.status === UNIMPLEMENTED) return null;
    throw error;
  }
}

/** All members hold the same, and checksums agree. Nobody may write meanwhile. */
export async function assertMembersEqual(cluster: Cluster): Promise<void> {
  const [first, ...others] = cluster.members as [MemberProcess, ...MemberProcess[]];
  const expected = (await contentOf(first)).map(asText);
  const hash = await hashOf(first);
  for (const member of others) {
    assert.deepEqual((await contentOf(member)).map(asText), expected, `${member.name} differs from ${first.name}`);
    assert.equal(await hashOf(member), hash, `${member.name} and ${first.name} differ in their checksums`);
  }
}

/**
 * What `writers` were told is true: each acknowledged write is there, each key has its own value and was put once, and
 * nothing is there that nobody sent.
 */
export async function assertNothingLost(cluster: Cluster, writers: Writers): Promise<void> {
  const found = new Set<string>();
  for (const kv of await contentOf(cluster.members[0] as MemberProcess)) {
    const key = (kv['key'] as Buffer).toString();
    if (!key.startsWith(writers.prefix)) continue;
    found.add(key);
    assert.equal((kv['value'] as Buffer).toString(), valueOf(key));
    assert.equal(kv['version'], 1n, `${key} was put more than once`);
    assert.ok(writers.sent.has(key), `${key} is there and was never sent`);
  }
  const lost = [...writers.acknowledged].filter((key) => !found.has(key));
  assert.deepEqual(lost, [], `${lost.length} of ${writers.acknowledged.size} acknowledged writes are missing`);
}
