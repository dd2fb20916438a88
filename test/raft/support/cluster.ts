import { compactIfDue } from '../../../src/raft/compaction.js';
import { makeEntry } from '../../../src/raft/entry-codec.js';
import type { LogIndex, MemberId, SnapshotMarker, Term } from '../../../src/raft/messages.js';
import { defaultRaftOptions, type RaftOptions } from '../../../src/raft/options.js';
import type { Client } from './clients.js';
import { Invariants } from './invariants.js';
import { Member } from './member.js';
import { Network, type Message } from './network.js';

/** How far time moves at once: no more than between two looks of the polling activities at the clock. */
export const STEP_MS = 10;
const DELIVERIES_LIMIT = 20_000;

export type MutableOptions = { -readonly [K in keyof RaftOptions]: RaftOptions[K] };

/** Several members, the network between them, and nothing that happens by itself. */
export class Cluster {
  readonly members = new Map<MemberId, Member>();
  readonly network: Network;
  readonly invariants: Invariants;
  /** Every message so far. */
  readonly sent: Message[] = [];
  /** While true, whatever happens happens in one turn of the event loop. */
  isTurnHeld = false;
  /** Requests of clients, in the order in which they were made. */
  readonly clients: Client[] = [];

  constructor(names: readonly string[], options: Partial<RaftOptions> = {}) {
    const voters = names.map((_, position) => BigInt(position + 1));
    const merged = { ...defaultRaftOptions, snapshotCount: 1e9, ...options };
    for (const [position, name] of names.entries()) {
      const member = new Member(BigInt(position + 1), name, { ...merged }, { voters });
      member.onApply = (entry) => this.invariants.onApply(name, entry);
      this.members.set(member.id, member);
    }
    this.invariants = new Invariants([...this.members.values()]);
    this.network = new Network(this.members, merged.electionTimeoutMs);
    this.network.onSend = (message) => this.sent.push(message);
    this.network.onReply = (from, rpc, args, reply) => this.invariants.onReply(from as Member, rpc, args, reply);
  }

  get all(): Member[] {
    return [...this.members.values()];
  }

  /** @throws Error when there is no such member. */
  member(name: string): Member {
    const member = this.all.find((each) => each.name === name);
    if (!member) throw new Error(`there is no member ${name}`);
    return member;
  }

  raft(name: string) {
    return this.member(name).up.raft;
  }

  /** The same names and ids as in the configuration. */
  nameOf(id: MemberId | null): string {
    return id === null ? '-' : (this.members.get(id)?.name ?? `member ${id}`);
  }

  optionsOf(member: Member): MutableOptions {
    return member.options;
  }

  /** Before the first start: the log that a member has on disk, one term per index, after an optional snapshot. */
  drawLog(
    member: Member,
    terms: readonly Term[],
    snapshot: { index: LogIndex; term: Term } = { index: 0, term: 0 },
  ): void {
    const marker: SnapshotMarker = { ...snapshot, configuration: { voters: [...this.members.keys()] } };
    member.disk.snapshot = marker;
    member.disk.entries = terms.map((term, position) => {
      const index = snapshot.index + position + 1;
      return makeEntry(index, term, Buffer.from(`${index}@${term}`));
    });
    if (snapshot.index > 0)
      member.volume.durable = { index: snapshot.index, term: snapshot.term, commands: [`(through ${snapshot.index})`] };
    member.disk.hardState = { currentTerm: terms.at(-1) ?? snapshot.term, votedFor: null };
  }

  async start(...members: Member[]): Promise<void> {
    for (const member of members.length > 0 ? members : this.all)
      await member.start((at) => this.network.transportFor(at));
    await this.drain();
  }

  crash(member: Member, written = 0): void {
    this.network.disconnect(member);
    member.crash(written);
    for (const client of this.clients) client.onCrash(member);
  }

  /** Lets everything happen that needs neither time nor the network. */
  async drain(): Promise<void> {
    for (;;) {
      await new Promise((resume) => setImmediate(resume)); // all promise continuations run before it
      this.invariants.check();
      if (this.isTurnHeld) return;
      let hasRun = false;
      for (const member of this.all) hasRun = member.clock.runDeferred() || hasRun;
      if (!hasRun) return;
    }
  }

  async deliver(message: Message): Promise<void> {
    this.network.deliver(message);
    await this.drain();
  }

  /** Delivers, in the order of sending, what `wanted` picks, and what comes of it, until nothing of the kind is left. */
  async deliverAll(wanted: (message: Message) => boolean = () => true): Promise<void> {
    for (let count = 0; ; count++) {
      const message = this.network.messages.find(wanted);
      if (!message) return;
      if (count > DELIVERIES_LIMIT) throw new Error('the members do not stop talking');
      await this.deliver(message);
    }
  }

  /** Time passes at `members`, in small steps; nothing is delivered. */
  async advance(ms: number, members: readonly Member[] = this.all): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      for (const member of members) member.clock.advance(Math.min(STEP_MS, ms - passed));
      this.network.expire();
      await this.drain();
    }
  }

  /** A process stands still for so long; then all its timers fire at once. */
  async pause(member: Member, ms: number): Promise<void> {
    member.clock.advance(ms);
    this.network.expire();
    await this.drain();
  }

  /** Time passes everywhere, and every message arrives at once. */
  async run(ms: number): Promise<void> {
    await this.deliverAll();
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      await this.advance(STEP_MS);
      await this.deliverAll();
    }
  }

  /** Runs until nothing changes any more but the clock. */
  async settle(limitMs = 30_000): Promise<void> {
    let before = '';
    let quietMs = 0;
    for (let passed = 0; passed < limitMs; passed += STEP_MS) {
      await this.run(STEP_MS);
      const now = this.picture();
      quietMs = now === before ? quietMs + STEP_MS : 0;
      before = now;
      if (quietMs >= this.#quietToWaitForMs()) return;
    }
    throw new Error(`the cluster does not settle within ${limitMs} ms: ${this.picture()}`);
  }

  /** `member`'s clock goes on alone until it campaigns. */
  async campaign(member: Member): Promise<void> {
    const { raft } = member.up;
    const before = raft.lastHeardFromLeader;
    for (let passed = 0; passed < 3 * raft.options.electionTimeoutMs; passed += STEP_MS) {
      await this.advance(STEP_MS, [member]);
      if (raft.role !== 'follower' && raft.lastHeardFromLeader !== before) return;
      if (raft.role === 'leader') return;
    }
    throw new Error(`${member.name} does not campaign`);
  }

  /** Nobody else hears a leader any more, `member` campaigns, and only votes are delivered until it leads. */
  async elect(member: Member): Promise<void> {
    for (const other of this.all)
      if (other !== member && other.raft && other.raft.role !== 'leader')
        await this.pause(other, other.raft.options.electionTimeoutMs);
    await this.campaign(member);
    await this.deliverAll(({ call }) => call.rpc === 'requestVote' && (call.from === member || call.to === member));
    if (member.raft?.role !== 'leader') throw new Error(`${member.name} was not elected, it is ${member.raft?.role}`);
  }

  isolate(member: Member): void {
    for (const other of this.all) if (other !== member) this.cut(member, other).cut(other, member);
  }

  cut(from: Member, to: Member): this {
    this.network.cut.add(`${from.id}>${to.id}`);
    this.network.dropCut();
    return this;
  }

  heal(): void {
    this.network.cut.clear();
  }

  /** Lets `member` cut its log right behind what it has applied. */
  async compact(member: Member): Promise<void> {
    const options = this.optionsOf(member);
    const { snapshotCount, snapshotCatchupEntries } = options;
    Object.assign(options, { snapshotCount: 0, snapshotCatchupEntries: 0 });
    compactIfDue(member.up.raft);
    await this.drain();
    Object.assign(options, { snapshotCount, snapshotCatchupEntries });
  }

  async stopAll(): Promise<void> {
    for (const member of this.all) if (member.node) this.crash(member);
    await this.drain();
  }

  /** Without a leader election timeouts must have had their time; calls and snapshot transfers their second attempt. */
  #quietToWaitForMs(): number {
    if (!this.all.some(({ raft }) => raft?.role === 'leader' && !raft.stopped)) return 3000;
    const isSnapshotDue = this.all.some(({ raft }) =>
      [...(raft?.progress.values() ?? [])].some((p) => p.mode === 'snapshot'),
    );
    return 300 + Math.max(this.network.longestPatienceMs, isSnapshotDue ? 1000 : 0);
  }

  /** The state of all members in one line: what a failing test should show. */
  picture(): string {
    return this.all
      .map(({ raft, name }) => {
        if (!raft || raft.stopped) return `${name} down`;
        const progress = [...raft.progress.values()].map((p) => `${p.mode}${p.matchIndex}/${p.inflight}`).join(',');
        const { role, currentTerm, commitIndex, lastApplied, savedIndex, log } = raft;
        return `${name} ${role} ${currentTerm} ${log.lastIndex} ${commitIndex} ${lastApplied} ${savedIndex} ${progress}`;
      })
      .join('; ');
  }
}
