import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, MemberProcess } from '../cluster/harness.js';
import { methods } from '../wire/etcd-messages.js';
import { GrpcConnection } from '../wire/grpc-connection.js';
import { encode } from '../wire/protobuf.js';
import { benchKey, benchValue } from './workloads.js';

/** How often a client tries again, on every member that is left. */
const TRY_EVERY_MS = 20;
const GIVE_UP_MS = 30_000;

/** Milliseconds from now until a write is acknowledged by one of `members`, asked again and again without waiting. */
export async function firstAcknowledgedWrite(members: readonly MemberProcess[], startedAt: number): Promise<number> {
  const connections = await Promise.all(members.map((member) => GrpcConnection.open('127.0.0.1', member.clientPort)));
  const message = encode(methods.put.request, { key: benchKey, value: benchValue });
  let acknowledgedAt: number | null = null;
  while (acknowledgedAt === null) {
    if (performance.now() - startedAt > GIVE_UP_MS) throw new Error(`no write was acknowledged in ${GIVE_UP_MS} ms`);
    for (const connection of connections) {
      void connection.call(methods.put.path, message, GIVE_UP_MS).then(({ status }) => {
        if (status === 0) acknowledgedAt ??= performance.now();
      });
    }
    await sleep(TRY_EVERY_MS);
  }
  for (const connection of connections) connection.close();
  return acknowledgedAt - startedAt;
}

/** Kills the leader and measures until the others acknowledge a write; then starts it again. */
export async function killLeader(cluster: Cluster): Promise<number> {
  const leader = await cluster.leader();
  const others = cluster.members.filter((member) => member !== leader);
  const killedAt = performance.now();
  const killed = leader.kill();
  const elapsedMs = await firstAcknowledgedWrite(others, killedAt);
  await killed;
  leader.start();
  await cluster.ready();
  return elapsedMs;
}
