import type { Cluster } from './cluster.js';
import type { Machine } from './machine.js';
import type { Fault, Profile } from './profile.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';

/** Makes things go wrong, from the seed, until it is told to stop. */
export class Nemesis {
  readonly #scheduler: Scheduler;
  readonly #cluster: Cluster;
  readonly #profile: Profile;
  readonly #random: SeededRandom;
  #isActive = false;

  constructor(scheduler: Scheduler, cluster: Cluster, profile: Profile, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#cluster = cluster;
    this.#profile = profile;
    this.#random = random;
  }

  start(): void {
    this.#isActive = true;
    for (const [fault, meanMs] of this.#profile.faults) this.#again(fault, meanMs, this.#random.fork(fault));
  }

  /** No more strikes. What is broken stays so until heal. */
  stop(): void {
    this.#isActive = false;
  }

  /** Everything works again: links, machines, disks. */
  heal(): void {
    this.stop();
    const { machines, links } = this.#cluster;
    links.mendAll();
    // So fast that no heartbeat is late by chance: an election after this is nobody's fault but the members'.
    const meanDelayMs = Math.min(links.faults.meanDelayMs, this.#profile.raft.electionTimeoutMs / 50);
    links.faults = { ...links.faults, meanDelayMs, loss: 0, duplication: 0, reorder: 0 };
    for (const machine of machines) {
      this.#cluster.volumeOf(machine).stalledUntilMs = 0;
      // Nor does a disk stand still by chance for so long that its leader hands over.
      this.#cluster.volumeOf(machine).longestMs = this.#profile.raft.electionTimeoutMs / 10;
      this.#cluster.volumeOf(machine).failNextWrite = false;
      this.#cluster.resume(machine);
      if (machine.status === 'down') this.#cluster.boot(machine);
    }
  }

  /** How long, in virtual milliseconds, until no disk is held up any more by a stall of before. */
  get restMs(): number {
    const { machines } = this.#cluster;
    const busyUntilMs = Math.max(...machines.map((machine) => this.#cluster.volumeOf(machine).busyUntilMs));
    return Math.max(0, busyUntilMs - this.#scheduler.nowMs);
  }

  #again(fault: Fault, meanMs: number, random: SeededRandom): void {
    this.#scheduler.after(random.exponential(meanMs), 'nemesis', () => {
      if (!this.#isActive) return;
      this.#strike(fault, random);
      this.#again(fault, meanMs, random);
    });
  }

  #strike(fault: Fault, random: SeededRandom): void {
    const { machines, leader } = this.#cluster;
    const victim = random.pick(machines);
    const holdMs = random.logUniform(50, 10_000);
    if (this.#scheduler.tracing) this.#scheduler.note(`nemesis: ${fault} ${victim.name} ${holdMs.toFixed(0)} ms`);
    switch (fault) {
      case 'crash':
        return this.#crash(victim, random, holdMs / 2);
      case 'crash leader':
        return this.#crash(leader ?? victim, random, holdMs / 2);
      case 'crash all':
        for (const machine of machines) this.#crash(machine, random, random.real(10, holdMs / 2 + 20));
        return;
      case 'pause':
        return this.#pause(victim, holdMs);
      case 'pause leader':
        return this.#pause(leader ?? victim, holdMs);
      case 'partition':
        return this.#cut(fault, holdMs, this.#between(this.#side(random)));
      case 'one-way partition':
        return this.#cut(
          fault,
          holdMs,
          this.#between(this.#side(random)).filter((_, link) => link % 2 === 0),
        );
      case 'isolate leader':
        return this.#cut(fault, holdMs, this.#between([(leader ?? victim).index]));
      case 'bridge':
        return this.#cut(fault, holdMs, this.#bridge(random));
      case 'flapping link':
        return this.#flap(random, random.between(2, 10));
      case 'clogged link':
        return this.#clog(random, holdMs / 2);
      case 'disk stall':
        this.#cluster.volumeOf(victim).stalledUntilMs = this.#scheduler.nowMs + holdMs / 2;
        return this.#cluster.counts.add(fault);
      case 'disk failure':
        this.#cluster.volumeOf(victim).failNextWrite = true;
        return; // counted when it strikes
      case 'leadership transfer':
        return this.#transfer(random);
    }
  }

  #crash(machine: Machine, random: SeededRandom, downMs: number): void {
    const isPowerCut = random.chance(this.#profile.powerCuts);
    if (machine.status !== 'down') this.#cluster.crash(machine, isPowerCut ? 'power' : 'kill');
    this.#scheduler.after(downMs, 'restart', () => {
      if (this.#isActive && machine.status === 'down') this.#cluster.boot(machine);
    });
  }

  #pause(machine: Machine, holdMs: number): void {
    this.#cluster.pause(machine);
    this.#scheduler.after(holdMs, 'resume', () => this.#cluster.resume(machine));
  }

  /** Cuts links for a while. Strikes overlap: a link may be mended early by another one's end. */
  #cut(fault: Fault, holdMs: number, cut: readonly (readonly [number, number])[]): void {
    const { links, counts } = this.#cluster;
    for (const [from, to] of cut) links.cut(from, to);
    counts.add(fault);
    this.#scheduler.after(holdMs, 'mend', () => {
      for (const [from, to] of cut) links.mend(from, to);
    });
  }

  /** Both directions of every link between `side` and the others, alternating: outwards, inwards. */
  #between(side: readonly number[]): (readonly [number, number])[] {
    const others = this.#cluster.machines.map(({ index }) => index).filter((index) => !side.includes(index));
    return side.flatMap((inside) =>
      others.flatMap((outside): (readonly [number, number])[] => [
        [inside, outside],
        [outside, inside],
      ]),
    );
  }

  #side(random: SeededRandom): number[] {
    const indexes = this.#cluster.machines.map(({ index }) => index);
    return random.shuffle(indexes).slice(0, random.between(1, Math.max(1, indexes.length - 1)));
  }

  /** Two halves that reach each other only through one member. */
  #bridge(random: SeededRandom): (readonly [number, number])[] {
    const [bridge, ...rest] = random.shuffle(this.#cluster.machines.map(({ index }) => index));
    const half = rest.slice(0, rest.length >> 1);
    return this.#between(half).filter(([from, to]) => from !== bridge && to !== bridge);
  }

  #flap(random: SeededRandom, times: number): void {
    const size = this.#cluster.machines.length;
    const [from, to] = [random.below(size), random.below(size)];
    this.#cluster.counts.add('flapping link');
    for (let toggle = 0; toggle < times; toggle++) {
      this.#scheduler.after(toggle * random.real(20, 300), 'flap', () => {
        if (!this.#isActive) return;
        if (this.#cluster.links.isCut(from, to)) this.#cluster.links.mend(from, to);
        else this.#cluster.links.cut(from, to);
      });
    }
  }

  /** Stops links one after the other, and lets them go in another order. */
  #clog(random: SeededRandom, holdMs: number): void {
    const size = this.#cluster.machines.length;
    for (let link = random.between(1, size * 2); link > 0; link--) {
      const untilMs = this.#scheduler.nowMs + random.real(0, holdMs);
      this.#cluster.links.clog(random.below(size), random.below(size), untilMs);
    }
    this.#cluster.counts.add('clogged link');
  }

  #transfer(random: SeededRandom): void {
    const { leader, machines } = this.#cluster;
    const member = leader && this.#cluster.memberOn(leader);
    if (!member || leader.status !== 'up') return;
    const target = random.chance(0.3) ? undefined : this.#cluster.idOf(random.pick(machines));
    this.#cluster.counts.add('leadership transfer');
    // Refused or too late is as good as done: what matters is that nothing breaks.
    this.#scheduler.afterOn(leader, leader.boot, 0, 'transfer', () => {
      member.transferLeadership(target).catch(() => undefined);
    });
  }
}
