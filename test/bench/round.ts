import { setTimeout as sleep } from 'node:timers/promises';
import { callOnce, Cluster, type Program } from '../cluster/harness.js';
import { methods } from '../wire/etcd-messages.js';
import type { Decoded } from '../wire/protobuf.js';
import { killLeader } from './failover.js';
import { runLoad } from './load.js';
import { usageOf, usageOfAll } from './process-usage.js';
import { benchKey, benchValue, workloads, type Workload } from './workloads.js';

export interface Timing {
  readonly warmUpMs: number;
  readonly windowMs: number;
  readonly settleMs: number;
  readonly leaderKills: number;
}

/** What one workload did in one round. */
export interface Measurement {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of all members. */
  readonly cpuMsPer1000: number;
  readonly clientCpuMsPer1000: number;
}

/** What one fresh cluster did: workloads by name, and single figures by name. */
export interface RoundResult {
  readonly loads: Map<string, Measurement>;
  readonly figures: Map<string, number>;
}

const MEMBERS = 3;
/** Far above what a round writes; raftkv has no such limit. */
const ETCD_QUOTA_BYTES = 8 * 2 ** 30;

const c1m1 = { connections: 1, inFlight: 1 };
const c10m10 = { connections: 10, inFlight: 10 };
const c10m100 = { connections: 10, inFlight: 100 };

/** Reads come first: etcd reads fastest from a store that was never written to, and it is to be met at its best. */
const plan: readonly (readonly [Workload, { readonly connections: number; readonly inFlight: number }])[] = [
  [workloads.range, c1m1],
  [workloads.range, c10m10],
  [workloads.range, c10m100],
  [workloads.serializable, c1m1],
  [workloads.serializable, c10m10],
  [workloads.serializable, c10m100],
  [workloads.put, c1m1],
  [workloads.put, c10m10],
  [workloads.put, c10m100],
  [workloads.putRandom, c10m100],
];

async function revisionOf(port: number): Promise<number> {
  const reply = await callOnce(port, methods.range, { key: benchKey });
  return Number((reply['header'] as Decoded)['revision']);
}

const MEBIBYTE = 2 ** 20;

/** Starts a fresh cluster of `program` and takes every measurement once. `only` names the workloads to run, or is empty. */
export async function runRound(program: Program, timing: Timing, only: readonly string[]): Promise<RoundResult> {
  const cluster = await Cluster.start({
    program,
    members: MEMBERS,
    extraArgs: program === 'etcd' ? ['--quota-backend-bytes', String(ETCD_QUOTA_BYTES)] : [],
  });
  try {
    return await measure(cluster, timing, only);
  } finally {
    await cluster.destroy();
  }
}

async function measure(cluster: Cluster, timing: Timing, only: readonly string[]): Promise<RoundResult> {
  const loads = new Map<string, Measurement>();
  const figures = new Map<string, number>();
  const leader = await cluster.leader();
  const pids = () => cluster.members.map((member) => member.pid);

  await sleep(timing.settleMs);
  const idleBefore = usageOfAll(pids());
  const idleSince = performance.now();
  await sleep(timing.windowMs);
  const idle = usageOfAll(pids());
  const idleMs = performance.now() - idleSince;
  figures.set('idle CPU of a member, %', ((idle.cpuMs - idleBefore.cpuMs) / idleMs / MEMBERS) * 100);
  figures.set('idle resident memory of a member, MiB', idle.residentBytes / MEMBERS / MEBIBYTE);

  await callOnce(leader.clientPort, methods.put, { key: benchKey, value: benchValue });
  for (const [workload, shape] of plan) {
    const name = `${workload.name} c${shape.connections}m${shape.inFlight}`;
    if (only.length > 0 && !only.some((wanted) => name.startsWith(wanted))) continue;
    const revisionBefore = await revisionOf(leader.clientPort);
    const cpuAtEdges: number[] = [];
    const result = await runLoad(workload, { port: leader.clientPort, ...shape, ...timing }, () =>
      cpuAtEdges.push(usageOfAll(pids()).cpuMs),
    );
    const [cpuBefore = NaN, cpuAfter = NaN] = cpuAtEdges;
    loads.set(name, { ...result, cpuMsPer1000: (cpuAfter - cpuBefore) / (result.requests / 1000) });
    const written = (await revisionOf(leader.clientPort)) - revisionBefore;
    if (written !== (workload.isWrite ? result.acknowledged : 0)) {
      throw new Error(`${name}: ${result.acknowledged} requests were acknowledged and ${written} revisions written`);
    }
  }
  figures.set('resident memory of the leader after the load, MiB', usageOf(leader.pid).residentBytes / MEBIBYTE);
  figures.set('resident memory of all after the load, MiB', usageOfAll(pids()).residentBytes / MEBIBYTE);

  if (only.length === 0 || only.includes('failover')) {
    const times: number[] = [];
    for (let i = 0; i < timing.leaderKills; i++) times.push(await killLeader(cluster));
    times.sort((a, b) => a - b);
    figures.set('leader killed to first acknowledged write, ms', times[Math.floor(times.length / 2)] ?? NaN);
  }
  return { loads, figures };
}
