import { silentLogger } from '../../src/lib/logger.js';
import type { MemberRecord } from '../../src/kv/members.js';
import { Member, type MemberPorts } from '../../src/member/member.js';
import { type MemberOptions, defaultMemberOptions } from '../../src/member/options.js';
import type { MemberId } from '../../src/raft/messages.js';
import { SimClock } from './clock.js';
import { SimDisk, isDiskFailure } from './disk.js';
import { DurableLog } from './durable-log.js';
import { FaultCounts } from './fault-counts.js';
import { ApplyWatch } from './invariants/apply-watch.js';
import { ClusterView } from './invariants/cluster-view.js';
import { SaidImpliesSynced } from './invariants/said-implies-synced.js';
import { InvariantViolation } from './invariants/violation.js';
import { WatchedProcess } from './invariants/watched-process.js';
import { Links } from './links.js';
import type { LogOracle } from './log-oracle.js';
import { Machine } from './machine.js';
import { Network } from './network.js';
import type { Profile } from './profile.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';
import { tracingLogger } from './tracing-logger.js';
import { type CrashMode, Volume } from './volume.js';

const CLUSTER_ID = 0xc0ff_ee00_0000_0001n;
/** How long a member that cannot go on still stands around before its process is gone, at most. */
const MAX_DYING_MS = 20;
/** After this long at most, whatever watches over the process has started it again. */
export const MAX_SUPERVISOR_MS = 3_000;

interface Process {
  readonly member: Member;
  readonly watched: WatchedProcess;
}

/** Starts a member. Replaced by the planted mistakes. */
export type StartMember = (options: MemberOptions, ports: MemberPorts) => Promise<Member>;

export interface ClusterOptions {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly profile: Profile;
  readonly oracle: LogOracle;
  readonly startMember?: StartMember | undefined;
}

/** The machines of one simulated cluster: their disks, their network, and the members that run on them now. */
export class Cluster {
  readonly machines: readonly Machine[];
  readonly links: Links;
  readonly counts = new FaultCounts();
  readonly view: ClusterView;
  readonly #options: ClusterOptions;
  readonly #network: Network;
  readonly #volumes = new Map<Machine, Volume>();
  readonly #processes = new Map<Machine, Process>();
  readonly #records: readonly MemberRecord[];
  readonly #applyWatch: ApplyWatch;

  constructor(options: ClusterOptions) {
    const { scheduler, random, profile, oracle } = options;
    this.#options = options;
    this.machines = Array.from({ length: profile.members }, (_, index) => new Machine(index, `m${index + 1}`));
    this.#records = this.machines.map((machine) => ({
      id: this.idOf(machine),
      name: '',
      peerURLs: [`http://${machine.name}:2380`],
      clientURLs: [],
    }));
    this.links = new Links(profile.members, random.fork('network'), profile.network);
    const durable = new Map<MemberId, DurableLog>();
    for (const machine of this.machines) {
      const volume = new Volume(random.fork(`disk of ${machine.name}`));
      const log = new DurableLog();
      volume.observer = log;
      durable.set(this.idOf(machine), log);
      this.#volumes.set(machine, volume);
    }
    this.view = new ClusterView(durable);
    this.#applyWatch = new ApplyWatch(this.view, oracle);
    this.#network = new Network({
      scheduler,
      links: this.links,
      counts: this.counts,
      rpcTimeoutMs: profile.raft.electionTimeoutMs,
      observer: new SaidImpliesSynced(
        this.view,
        (machine) => this.idOf(machine),
        (failure) => scheduler.fail(failure),
      ),
    });
    scheduler.afterEvent = (machine) => {
      if (machine) this.#processes.get(machine)?.watched.check();
    };
    for (const machine of this.machines) this.#network.attach(this.idOf(machine), machine, null);
  }

  /** 64 bits, beyond what a JavaScript number holds. */
  idOf(machine: Machine): MemberId {
    return 0x8e9e_05c5_2164_6900n + BigInt(machine.index);
  }

  /** The member that runs on `machine` and has come up; null otherwise. A paused one is there, it only does not act. */
  memberOn(machine: Machine): Member | null {
    return machine.status === 'down' ? null : (this.#processes.get(machine)?.member ?? null);
  }

  /** Those that are up, started and not paused. */
  get running(): Machine[] {
    return this.machines.filter((machine) => machine.status === 'up' && this.#processes.has(machine));
  }

  /** Who leads, as it believes itself; the highest term wins. */
  get leader(): Machine | null {
    let leader: Machine | null = null;
    let term = 0;
    for (const [machine, { member }] of this.#processes) {
      const { raft } = member.node;
      if (raft.role === 'leader' && !raft.stopped && raft.currentTerm > term)
        [leader, term] = [machine, raft.currentTerm];
    }
    return leader;
  }

  volumeOf(machine: Machine): Volume {
    return this.#volumes.get(machine) as Volume;
  }

  /** A process starts on a machine that is down. It answers once it has read its disk. */
  boot(machine: Machine): void {
    const { scheduler, random, profile } = this.#options;
    machine.start();
    const boot = machine.boot;
    const own = random.fork(`boot ${boot} of ${machine.name}`);
    const drift = profile.clockDrift * (2 * own.unit() - 1);
    const clock = new SimClock(scheduler, machine, own.fork('clock'), {
      offsetMs: own.real(0, 1e6),
      rate: 1 + drift,
      jitterMs: profile.clockJitterMs,
    });
    const ports: MemberPorts = {
      clock,
      random: own.fork('member'),
      disk: new SimDisk(scheduler, machine, this.volumeOf(machine), profile.disk, this.counts),
      transport: this.#network.transport(machine),
      logger: scheduler.tracing ? tracingLogger((line) => scheduler.note(`${machine.name} ${line}`)) : silentLogger,
      onFailure: (error) => this.#onFailure(machine, boot, error),
    };
    const options: MemberOptions = {
      ...defaultMemberOptions,
      memberId: this.idOf(machine),
      clusterId: CLUSTER_ID,
      name: machine.name,
      clientURLs: [`http://${machine.name}:2379`],
      initialMembers: this.#records,
      raft: profile.raft,
    };
    const start = this.#options.startMember ?? ((...given) => Member.start(...given));
    start(options, ports).then(
      (member) => {
        if (machine.runs(boot)) this.#onStarted(machine, member);
      },
      (error: unknown) => this.#onFailure(machine, boot, error),
    );
  }

  #onStarted(machine: Machine, member: Member): void {
    const { scheduler } = this.#options;
    const who = `${machine.name}#${machine.boot}`;
    const watched = new WatchedProcess(member.node.raft, this.view, who);
    this.#processes.set(machine, { member, watched });
    this.#applyWatch.attach(member, who, (failure) => scheduler.fail(failure));
    this.#network.attach(this.idOf(machine), machine, member.peerHandler);
    if (scheduler.tracing) scheduler.note(`${who} has started`);
  }

  /** The process is gone. Its disk keeps what `mode` leaves. */
  crash(machine: Machine, mode: CrashMode): void {
    const { scheduler } = this.#options;
    if (scheduler.tracing) scheduler.note(`${machine.name} crashes (${mode})`);
    machine.crash();
    scheduler.dropBacklog(machine);
    this.#processes.delete(machine);
    this.#network.attach(this.idOf(machine), machine, null);
    this.volumeOf(machine).crash(mode);
    this.counts.add(mode === 'power' ? 'power cut' : 'process killed');
  }

  pause(machine: Machine): void {
    if (machine.status !== 'up') return;
    machine.status = 'paused';
    this.counts.add('pause');
  }

  resume(machine: Machine): void {
    if (machine.status !== 'paused') return;
    machine.status = 'up';
    this.#options.scheduler.resume(machine);
  }

  /** Members that have applied equally much hold equal states. @throws InvariantViolation DET */
  compareStates(): void {
    for (const [machine, { member }] of this.#processes) this.#applyWatch.compare(member, machine.name);
  }

  /** A member stops by itself only when its disk has failed. The operator, or its supervisor, starts it again later. */
  #onFailure(machine: Machine, boot: number, error: unknown): void {
    if (!machine.runs(boot)) return;
    const { scheduler, random } = this.#options;
    if (scheduler.tracing) scheduler.note(`${machine.name} fails: ${String(error)}`);
    if (!isDiskFailure(error)) {
      const reason = error instanceof Error ? error.message : String(error);
      const failure = new InvariantViolation('STOP', `${machine.name} stopped: ${reason}`);
      failure.cause = error;
      scheduler.fail(failure);
      return;
    }
    this.counts.add('member stopped by its disk');
    const own = random.fork(`death ${boot} of ${machine.name}`);
    const [dyingMs, downMs] = [own.real(0, MAX_DYING_MS), own.logUniform(10, MAX_SUPERVISOR_MS)];
    scheduler.after(dyingMs, 'exit', () => {
      if (machine.runs(boot)) this.crash(machine, 'kill');
    });
    scheduler.after(dyingMs + downMs, 'restart', () => {
      if (machine.status === 'down') this.boot(machine);
    });
  }
}
