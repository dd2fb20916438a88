import { KvError } from '../../src/kv/errors.js';
import type { KvResult } from '../../src/kv/results.js';
import { MemberError, type MemberErrorCode } from '../../src/member/errors.js';
import type { Reply } from './checkers/kv-model.js';
import type { Cluster } from './cluster.js';
import { isDiskFailure } from './disk.js';
import { type History, type Operation, isWrite, replyOfError } from './history.js';
import { must } from './invariants/violation.js';
import { commandKindOf, decodeReply, encodeRequest } from './kv-wire.js';
import type { LogOracle } from './log-oracle.js';
import type { Machine } from './machine.js';
import type { WorkloadProfile } from './profile.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';
import { RequestGenerator } from './workload.js';

/** Errors that promise: not done, and never will be (src/member/errors.ts). */
const DEFINITE: ReadonlySet<MemberErrorCode> = new Set<MemberErrorCode>([
  'MEMBER_LEADER_CHANGED',
  'MEMBER_NO_LEADER',
  'MEMBER_TOO_MANY_REQUESTS',
  'MEMBER_REQUEST_TOO_LARGE',
]);

/** Mean time of the way between client and member, in milliseconds. */
const WAY_MS = 0.5;
/** A client that finds nobody home tries elsewhere after this long. */
const RETRY_MS = 20;

export interface ClientPorts {
  readonly scheduler: Scheduler;
  readonly cluster: Cluster;
  readonly history: History;
  readonly oracle: LogOracle;
}

/** One client: asks one thing after the other, waits for an answer or its deadline, and records what it sees. */
export class Client {
  readonly #ports: ClientPorts;
  readonly #random: SeededRandom;
  readonly #profile: WorkloadProfile;
  readonly #requests: RequestGenerator;
  readonly #name: string;
  #isStopping = false;
  #pending: Operation | null = null;

  constructor(ports: ClientPorts, random: SeededRandom, profile: WorkloadProfile, name: string) {
    this.#ports = ports;
    this.#random = random;
    this.#profile = profile;
    this.#requests = new RequestGenerator(random.fork('requests'), profile, name);
    this.#name = name;
  }

  /** Nothing is asked any more, and nothing is waited for. */
  get isIdle(): boolean {
    return this.#isStopping && this.#pending === null;
  }

  start(): void {
    this.#later(this.#random.exponential(this.#profile.thinkMs));
  }

  stop(): void {
    this.#isStopping = true;
  }

  #later(delayMs: number): void {
    this.#ports.scheduler.after(delayMs, 'client', () => this.#ask());
  }

  #ask(): void {
    if (this.#isStopping) return;
    const { scheduler, cluster, history } = this.#ports;
    const machine = this.#profile.sticky ? (cluster.machines[0] as Machine) : this.#random.pick(cluster.machines);
    const { request, serializable } = this.#requests.next();
    const deadlineMs = this.#random.real(this.#profile.minDeadlineMs, this.#profile.maxDeadlineMs);
    const wayMs = this.#random.exponential(WAY_MS);
    if (cluster.memberOn(machine) === null) return this.#later(RETRY_MS); // connection refused
    const operation = history.begin(request, `${this.#name}@${machine.name}#${machine.boot}`, serializable);
    this.#pending = operation;
    if (scheduler.tracing) scheduler.note(`${this.#name} #${operation.id} ${JSON.stringify(request)}`);
    scheduler.arriveAt(machine, wayMs, 'client request', () => this.#deliver(machine, operation));
    scheduler.after(deadlineMs, 'client deadline', () => this.#giveUp(operation));
  }

  /** The request has reached the member: what runs there then takes it. */
  #deliver(machine: Machine, operation: Operation): void {
    const { scheduler, cluster } = this.#ports;
    const member = cluster.memberOn(machine);
    if (member === null) return;
    const boot = machine.boot;
    const { request, id, serializable } = operation;
    const done = (error: Error | null, result?: KvResult): void => {
      // The answer leaves at once; what the process does afterwards cannot call it back.
      if (machine.runs(boot)) this.#onAnswerLeaves(operation, error, result ?? null);
    };
    const bytes = encodeRequest(request, id, serializable);
    const kind = commandKindOf(request);
    try {
      if (request.kind === 'txn') member.txn(bytes, done);
      else if (kind === null) member.range(bytes, done);
      else member.propose(kind, bytes, done);
    } catch (error) {
      scheduler.fail(new Error(`${machine.name} threw at operation #${id}`, { cause: error }));
    }
  }

  #onAnswerLeaves(operation: Operation, error: Error | null, result: KvResult | null): void {
    const { scheduler, oracle } = this.#ports;
    try {
      const reply = this.#judge(operation, error, result);
      if (reply === 'unknown') return;
      if (isWrite(operation.request)) {
        if (reply === 'refused') oracle.checkRefusal(operation);
        else oracle.checkAnswer(operation, reply);
      }
      const wayMs = this.#random.exponential(WAY_MS);
      scheduler.after(wayMs, 'client reply', () => this.#onAnswer(operation, reply));
    } catch (violation) {
      scheduler.fail(violation as Error);
    }
  }

  #judge(operation: Operation, error: Error | null, result: KvResult | null): Reply | 'refused' | 'unknown' {
    if (error instanceof MemberError) return DEFINITE.has(error.code) ? 'refused' : 'unknown';
    if (isDiskFailure(error)) return 'unknown'; // its last words
    const reply = error instanceof KvError ? replyOfError(error) : result && decodeReply(operation.request, result);
    must(reply !== null, 'REV', () => `operation #${operation.id} ended with ${error?.message ?? 'nothing'}`);
    return reply ?? 'unknown';
  }

  #onAnswer(operation: Operation, reply: Reply | 'refused'): void {
    if (operation.status !== 'pending') return; // too late
    const { history, scheduler } = this.#ports;
    if (scheduler.tracing) scheduler.note(`${this.#name} #${operation.id} answered ${JSON.stringify(reply)}`);
    if (reply === 'refused') {
      history.refuse(operation);
    } else {
      history.answer(operation, reply);
      this.#requests.learn(reply.revision, reply.result);
    }
    this.#pending = null;
    this.#later(this.#random.exponential(this.#profile.thinkMs));
  }

  #giveUp(operation: Operation): void {
    if (operation.status !== 'pending') return;
    if (this.#ports.scheduler.tracing) this.#ports.scheduler.note(`${this.#name} #${operation.id} given up`);
    this.#ports.history.giveUp(operation);
    this.#pending = null;
    this.#later(this.#random.exponential(this.#profile.thinkMs));
  }
}
