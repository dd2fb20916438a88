import type { KvResult } from '../../src/kv/results.js';
import type { Member } from '../../src/member/member.js';
import { checkLinearizable } from './checkers/linearizability.js';
import { describe } from './checkers/history.js';
import type { Request } from './checkers/kv-model.js';
import { checkRevisionOrder } from './checkers/revision-order.js';
import { Client } from './client.js';
import { Cluster, type StartMember } from './cluster.js';
import { History } from './history.js';
import { InvariantViolation, must } from './invariants/violation.js';
import { commandKindOf, decodeReply, encodeRequest } from './kv-wire.js';
import { perfectNetwork } from './links.js';
import { LogOracle } from './log-oracle.js';
import type { Machine } from './machine.js';
import { Nemesis } from './nemesis.js';
import { type Profile, drawProfile } from './profile.js';
import { SeededRandom } from './random.js';
import { Scheduler } from './scheduler.js';

export interface SimulationOptions {
  readonly seed: bigint | number;
  /** Otherwise drawn. */
  readonly members?: number | undefined;
  /** Overrides what the seed has drawn. */
  readonly profile?: Partial<Profile>;
  /** Hears of every event. */
  readonly trace?: ((line: string) => void) | undefined;
  readonly startMember?: StartMember | undefined;
}

/** A cluster in a world of its own, which a seed decides. Scripts drive it step by step; `runSeed` lets it loose. */
export class Simulation {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly profile: Profile;
  readonly history = new History();
  readonly oracle = new LogOracle(this.history);
  readonly cluster: Cluster;
  readonly nemesis: Nemesis;
  readonly clients: readonly Client[];

  constructor(options: SimulationOptions) {
    this.random = new SeededRandom(BigInt(options.seed));
    this.profile = { ...drawProfile(this.random.fork('profile'), options.members), ...options.profile };
    const { trace } = options;
    this.scheduler = new Scheduler({ random: this.random.fork('scheduler'), ...(trace && { trace }) });
    this.cluster = new Cluster({
      scheduler: this.scheduler,
      random: this.random,
      profile: this.profile,
      oracle: this.oracle,
      startMember: options.startMember,
    });
    this.nemesis = new Nemesis(this.scheduler, this.cluster, this.profile, this.random.fork('nemesis'));
    const { scheduler, cluster, history, oracle } = this;
    this.clients = Array.from({ length: this.profile.workload.clients }, (_, position) => {
      const name = `c${position + 1}`;
      return new Client({ scheduler, cluster, history, oracle }, this.random.fork(name), this.profile.workload, name);
    });
  }

  /** A simulation for a script: a network without faults, members that have time, no clients. */
  static scripted(options: SimulationOptions): Simulation {
    const drawn = drawProfile(new SeededRandom(1n));
    const calm: Partial<Profile> = {
      members: options.members ?? 3,
      network: perfectNetwork,
      disk: { writeMs: 0.1, syncMs: 1 },
      clockDrift: 0,
      clockJitterMs: 0.5,
      faults: new Map(),
      raft: {
        ...drawn.raft,
        electionTimeoutMs: 300,
        heartbeatIntervalMs: 50,
        preVote: true,
        snapshotCount: 10_000,
        snapshotCatchupEntries: 5_000,
        maxLogBytes: 64 * 1024 * 1024,
        maxAppendBytes: 1024 * 1024,
        maxUncommittedBytes: 64 * 1024 * 1024,
      },
      workload: { ...drawn.workload, clients: 0 },
    };
    return new Simulation({ ...options, profile: { ...calm, ...options.profile } });
  }

  get members(): readonly Machine[] {
    return this.cluster.machines;
  }

  bootAll(): void {
    for (const machine of this.members) if (machine.status === 'down') this.cluster.boot(machine);
  }

  /** Lets `ms` of virtual time pass. */
  async pass(ms: number): Promise<void> {
    await this.scheduler.run(this.scheduler.nowMs + ms);
  }

  /** Lets time pass until `holds`. @throws when it does not within `limitMs`. */
  async until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
    const outcome = await this.scheduler.run(this.scheduler.nowMs + limitMs, holds);
    must(outcome === 'done', 'LIVE', () => `${what}: not within ${limitMs} ms`);
  }

  /** Boots everybody and waits for a leader that knows what is committed; another than `except`, if asked for. */
  async electAny(options: { readonly except?: Machine } = {}): Promise<Machine> {
    this.bootAll();
    const ready = (): Machine | null => {
      const { leader } = this.cluster;
      return leader && leader !== options.except && this.member(leader).node.raft.hasCommittedInTerm() ? leader : null;
    };
    await this.until('a leader', () => ready() !== null);
    return ready() as Machine;
  }

  /** @throws when nothing runs there. */
  member(machine: Machine): Member {
    const member = this.cluster.memberOn(machine);
    if (member === null) throw new Error(`no member runs on ${machine.name}`);
    return member;
  }

  isolate(machine: Machine): void {
    this.cluster.links.split([machine.index]);
  }

  heal(): void {
    this.cluster.links.mendAll();
  }

  /** Starts a write on `machine`. Settles as the member says; let time pass meanwhile. */
  propose(machine: Machine, request: Request): Promise<KvResult> {
    const operation = this.history.begin(request, `script@${machine.name}#${machine.boot}`, false);
    const kind = commandKindOf(request);
    if (kind === null) throw new Error('a range is not proposed');
    const settled = new Promise<KvResult>((resolve, reject) => {
      this.member(machine).propose(kind, encodeRequest(request, operation.id), (error, result) => {
        if (error || !result) return reject(error ?? new Error('neither error nor result'));
        const reply = decodeReply(request, result);
        this.oracle.checkAnswer(operation, reply);
        this.history.answer(operation, reply);
        resolve(result);
      });
    });
    settled.catch(() => undefined); // the script asks when it wants to know
    return settled;
  }

  /** Proposes and lets time pass until it is done. */
  async put(machine: Machine, key: string, value: string): Promise<KvResult> {
    const settled = this.propose(machine, { kind: 'put', key, value });
    let isSettled = false;
    const note = (): void => void (isSettled = true);
    settled.then(note, note);
    await this.until('the put', () => isSettled);
    return settled;
  }

  /** Lets time pass until all running members have applied everything that any of them has committed. */
  async settle(): Promise<void> {
    await this.until('all members equal', () => this.areEqual());
    this.assertInvariants();
  }

  areEqual(): boolean {
    const { committedThrough } = this.cluster.view.registry;
    return this.members.every((machine) => {
      const member = this.cluster.memberOn(machine);
      if (member === null) return false;
      return member.node.raft.lastApplied === committedThrough && member.node.raft.log.lastIndex === committedThrough;
    });
  }

  /** The value that all members agree on, in the model's words. */
  value(key: string): string | undefined {
    return this.oracle.model.pairs.get(key)?.value;
  }

  /** What is not checked after every event: equal states, and the history as a whole. @throws InvariantViolation */
  assertInvariants(): void {
    this.cluster.compareStates();
    const recorded = this.oracle.completed(this.history.recorded());
    const order = checkRevisionOrder(recorded, this.oracle.placed(recorded));
    if (order) throw new InvariantViolation('REV', describe(order));
    const search = checkLinearizable(recorded, { likelyReplies: this.oracle.replies() });
    if (search) throw new InvariantViolation('LIN', describe(search));
  }
}
