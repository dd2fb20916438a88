import { ProposalClient, ReadClient } from './clients.js';
import { Cluster } from './cluster.js';
import type { Member } from './member.js';
import type { Message } from './network.js';

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
  for (const member of cluster.all) {
    member.volume.chunkBytes = numbers.of([16, 64, 1024]);
    member.drawAnother = (bound) => numbers.below(bound);
  }
  await cluster.start();
  const schedule = new Schedule(cluster, numbers, trace);
  for (let event = 0; event < events; event++) await schedule.next();
  await schedule.heal();
  await cluster.settle();
  trace(`end ${cluster.all[0]?.raft?.currentTerm} ${cluster.invariants.highestCommit} ${cluster.all.length}`);
  try {
    checkAgreement(cluster);
  } catch (error) {
    trace(cluster.picture());
    throw error;
  }
  await cluster.stopAll();
}

type Happening = () => void | Promise<void>;

class Schedule {
  #proposals = 0;
  readonly #happenings: Happening[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly numbers: SeededNumbers,
    private readonly trace: Trace,
  ) {
    const member = (): Member => numbers.of(cluster.all);
    this.#often(50, 'deliver', () => this.#deliver());
    this.#often(8, 'time', () => cluster.advance(numbers.of([10, 50, 100])));
    this.#often(12, 'propose', () => this.#propose());
    this.#often(2, 'read', () => this.#read());
    // Each kind of fault is on in half of all seeds: some only show when others keep away.
    this.#perhaps(4, 'skew', () => cluster.advance(numbers.of([100, 500, 1000]), [member()]));
    this.#perhaps(10, 'reorder', () => this.#deliverAny());
    this.#perhaps(5, 'burst', () => this.#deliverBurst());
    this.#perhaps(2, 'damage', () => this.#onMessage(damageSnapshot));
    this.#perhaps(3, 'drop', () => this.#onMessage((message) => cluster.network.drop(message)));
    this.#perhaps(3, 'duplicate', () => this.#onMessage((message) => cluster.network.duplicate(message)));
    this.#perhaps(4, 'disk', () => this.#disk(member()));
    this.#perhaps(2, 'crash', () => this.#crashOrRestart(member()));
    this.#perhaps(1, 'isolate', () => cluster.isolate(member()));
    this.#perhaps(2, 'heal', () => cluster.heal());
    this.#perhaps(2, 'apply', () => this.#apply(member()));
    this.#perhaps(1, 'pause', () => cluster.pause(member(), numbers.of([600, 3000])));
    this.#perhaps(1, 'transfer', () => this.#transfer(member()));
  }

  async next(): Promise<void> {
    await this.numbers.of(this.#happenings)();
    await this.cluster.drain();
    failLoudly(this.cluster);
  }

  #often(weight: number, name: string, happen: Happening): void {
    const traced = (): void | Promise<void> => {
      this.trace(name);
      return happen();
    };
    this.#happenings.push(...Array.from({ length: weight }, () => traced));
  }

  #perhaps(weight: number, name: string, happen: Happening): void {
    if (this.numbers.chance(50)) this.#often(weight, name, happen);
  }

  #deliver(): Promise<void> | void {
    const [message] = this.cluster.network.messages;
    if (message) return this.cluster.deliver(message);
  }

  #deliverAny(): Promise<void> | void {
    const { messages } = this.cluster.network;
    if (messages.length > 0) return this.cluster.deliver(this.numbers.of(messages));
  }

  /** Several messages in one turn of the event loop: nothing has its turn between them. */
  #deliverBurst(): void {
    const { network } = this.cluster;
    for (const message of network.messages.slice(0, this.numbers.below(8))) network.deliver(message);
  }

  #onMessage(happen: (message: Message) => void): void {
    const { messages } = this.cluster.network;
    if (messages.length > 0) happen(this.numbers.of(messages));
  }

  #disk(member: Member): void {
    const choice = this.numbers.below(10);
    if (choice < 3) member.disk.isHolding = true;
    else if (choice < 8) member.disk.complete(this.numbers.of([1, 2, Infinity]));
    else this.#releaseDisk(member);
  }

  async #crashOrRestart(member: Member): Promise<void> {
    if (!member.node) await this.cluster.start(member);
    else if (this.numbers.chance(50)) this.cluster.crash(member, this.numbers.below(4));
  }

  #apply(member: Member): void {
    const gate = this.numbers.of([member.volume.applying, member.volume.receiving]);
    if (this.numbers.chance(50)) gate.isHeld = true;
    else gate.release();
  }

  /** Everybody runs, every link and disk works, what was on its way arrives. */
  async heal(): Promise<void> {
    const { cluster } = this;
    cluster.heal();
    for (const member of cluster.all) {
      if (!member.node) await cluster.start(member);
      this.#releaseDisk(member);
      member.volume.applying.release();
      member.volume.receiving.release();
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
    if (member.node) new ReadClient('r', member, 5000, (index) => cluster.invariants.onRead('r', index, highestCommit));
  }

  #transfer(member: Member): void {
    const target = this.numbers.of(this.cluster.all);
    // Whether it comes about or not is no concern of a random schedule.
    if (member.raft?.role === 'leader') member.node?.transferLeadership(target.id).catch(() => {});
  }

  #releaseDisk(member: Member): void {
    member.disk.isHolding = false;
    member.disk.complete();
  }
}

function damageSnapshot(message: Message): void {
  if (message.rpc !== 'installSnapshot' || message.isReply) return;
  const position = message.bytes.length - 1;
  message.bytes.writeUInt8(message.bytes.readUInt8(position) ^ 1, position);
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
