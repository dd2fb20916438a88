import { ProposalClient, ReadClient } from './clients.js';
import { Cluster } from './cluster.js';
import type { Member } from './member.js';

/** Numbers from a seed (mulberry32), so that a schedule can be repeated. */
export class SeededNumbers {
  constructor(private seed: number) {}

  below(bound: number): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }
}

/** What happened, one line per event, for whoever looks into a failing seed. */
export type Trace = (line: string) => void;

/**
 * Everything that a network, disks and processes may do, in an order that a seed decides; then the faults end and
 * nobody proposes any more. All members must come to hold and apply the same.
 */
export async function runRandomSchedule(seed: number, events: number, trace: Trace = () => {}): Promise<void> {
  const numbers = new SeededNumbers(seed);
  const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'].slice(0, numbers.of([1, 2, 3, 3, 3, 3, 4, 5, 5, 6]));
  const cluster = new Cluster(names, {
    preVote: !numbers.chance(25),
    snapshotCount: numbers.of([5, 20, 1e9]),
    snapshotCatchupEntries: numbers.of([0, 3]),
    maxAppendBytes: numbers.of([30, 100, 1e6]),
  });
  for (const member of cluster.all) member.volume.chunkBytes = numbers.of([16, 64, 1024]);
  await cluster.start();
  const schedule = new Schedule(cluster, numbers, trace);
  for (let event = 0; event < events; event++) await schedule.next();
  await schedule.heal();
  await cluster.settle();
  checkAgreement(cluster);
  await cluster.stopAll();
}

class Schedule {
  #proposals = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly numbers: SeededNumbers,
    private readonly trace: Trace,
  ) {}

  async next(): Promise<void> {
    const { cluster, numbers } = this;
    const { messages } = cluster.network;
    const choice = numbers.below(1000);
    if (choice < 500 && messages.length > 0) {
      // Mostly in order, sometimes not.
      const message = numbers.chance(70) ? messages[0] : numbers.of(messages);
      if (message) await cluster.deliver(message);
    } else if (choice < 600) await cluster.advance(numbers.of([10, 50, 100]));
    else if (choice < 640) await cluster.advance(numbers.of([100, 500, 1000]), [numbers.of(cluster.all)]);
    else if (choice < 740) this.#propose();
    else if (choice < 770) this.#read();
    else if (choice < 800 && messages.length > 0) cluster.network.drop(numbers.of(messages));
    else if (choice < 830 && messages.length > 0) cluster.network.duplicate(numbers.of(messages));
    else if (choice < 850) numbers.of(cluster.all).disk.isHolding = true;
    else if (choice < 900) numbers.of(cluster.all).disk.complete(numbers.of([1, 2, Infinity]));
    else if (choice < 920) this.#releaseDisk(numbers.of(cluster.all));
    else if (choice < 930) await this.#crash(numbers.of(cluster.all));
    else if (choice < 950) await this.#restart(numbers.of(cluster.all));
    else if (choice < 955) cluster.isolate(numbers.of(cluster.all));
    else if (choice < 965) cluster.heal();
    else if (choice < 975) numbers.of(cluster.all).volume.isHolding = true;
    else if (choice < 985) numbers.of(cluster.all).volume.release();
    else if (choice < 990) await cluster.pause(numbers.of(cluster.all), numbers.of([600, 3000]));
    else this.#transfer();
    this.trace(`${choice}`);
    await cluster.drain();
    failLoudly(cluster);
  }

  /** Everybody runs, every link and disk works, what was on its way arrives. */
  async heal(): Promise<void> {
    const { cluster } = this;
    cluster.heal();
    for (const member of cluster.all) {
      if (!member.node) await cluster.start(member);
      this.#releaseDisk(member);
      member.volume.release();
    }
    await cluster.drain();
    failLoudly(cluster);
  }

  #propose(): void {
    const member = this.numbers.of(this.cluster.all);
    if (member.node) this.cluster.clients.push(new ProposalClient(`c${++this.#proposals}`, member, 5000));
  }

  #read(): void {
    const { cluster } = this;
    const member = this.numbers.of(cluster.all);
    const { highestCommit } = cluster.invariants;
    if (member.node)
      new ReadClient('r', member, 5000, (index) => cluster.invariants.onRead('r', index, highestCommit));
  }

  #transfer(): void {
    const { cluster, numbers } = this;
    const member = numbers.of(cluster.all);
    if (member.raft?.role === 'leader') member.node?.transferLeadership(numbers.of(cluster.all).id).catch(() => {});
  }

  #releaseDisk(member: Member): void {
    member.disk.isHolding = false;
    member.disk.complete();
  }

  async #crash(member: Member): Promise<void> {
    if (member.node) this.cluster.crash(member, this.numbers.below(4));
  }

  async #restart(member: Member): Promise<void> {
    if (!member.node) await this.cluster.start(member);
  }
}

function failLoudly(cluster: Cluster): void {
  for (const { name, unreportedFailure } of cluster.all)
    if (unreportedFailure !== null) throw new Error(`${name} stopped: ${unreportedFailure}`);
}

/** After the faults: one leader, equal logs, everything applied everywhere, every proposal told at most once. */
function checkAgreement(cluster: Cluster): void {
  failLoudly(cluster);
  const leaders = cluster.all.filter(({ raft }) => raft?.role === 'leader');
  if (leaders.length !== 1) throw new Error(`${leaders.length} members lead when all is well`);
  const expected = leaders[0]?.applied.join(' ');
  for (const { name, up, applied } of cluster.all) {
    const { log, commitIndex, lastApplied } = up.raft;
    if (commitIndex !== log.lastIndex || lastApplied !== commitIndex)
      throw new Error(`${name} stays at commit ${commitIndex} and applied ${lastApplied} of ${log.lastIndex}`);
    if (log.lastIndex !== leaders[0]?.raft?.log.lastIndex) throw new Error(`${name} has a log of its own`);
    if (applied.join(' ') !== expected) throw new Error(`${name} applied ${applied.join(' ')}, expected ${expected}`);
    if (new Set(applied).size !== applied.length) throw new Error(`a proposal was applied twice: ${applied.join(' ')}`);
  }
}
