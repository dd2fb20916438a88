import type { MemberId } from '../../src/raft/messages.js';
import type { PeerHandler, Transport } from '../../src/raft/ports.js';
import type { FaultCounts } from './fault-counts.js';
import type { Links } from './links.js';
import type { Machine } from './machine.js';
import type { Scheduler } from './scheduler.js';
import { type ArgsOf, type ReplyOf, type RpcKind, carryArgs, carryReply } from './wire.js';

/** Sees what members say to each other, at the moment they say it. */
export interface NetworkObserver {
  onRequest<K extends RpcKind>(from: Machine, to: Machine, kind: K, args: ArgsOf<K>): void;
  onReply<K extends RpcKind>(from: Machine, to: Machine, kind: K, args: ArgsOf<K>, reply: ReplyOf<K>): void;
}

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly counts: FaultCounts;
  readonly observer?: NetworkObserver;
  /** After this long without a reply the caller hears null, as in src/transport. A chunk of a snapshot has ten times as long. */
  readonly rpcTimeoutMs: number;
}

const SNAPSHOT_TIMEOUTS = 10;

interface Station {
  readonly machine: Machine;
  /** The process that answers there now. */
  handler: PeerHandler | null;
}

/** Carries RPCs between the members of one simulated cluster: late, twice, out of order, or not at all. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #stations = new Map<MemberId, Station>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** From now on `handler` answers for `id`. */
  attach(id: MemberId, machine: Machine, handler: PeerHandler | null): void {
    const station = this.#stations.get(id);
    // Messages on their way hold on to the station: they find whoever answers there when they arrive.
    if (station) station.handler = handler;
    else this.#stations.set(id, { machine, handler });
  }

  /** The port given to the process that runs on `machine` now. */
  transport(machine: Machine): Transport {
    const boot = machine.boot;
    return {
      requestVote: (peer, args) => this.#call(machine, boot, peer, 'requestVote', args),
      appendEntries: (peer, args) => this.#call(machine, boot, peer, 'appendEntries', args),
      installSnapshot: (peer, args) => this.#call(machine, boot, peer, 'installSnapshot', args),
      timeoutNow: (peer, args) => this.#call(machine, boot, peer, 'timeoutNow', args),
      forwardProposals: (peer, args) => this.#call(machine, boot, peer, 'forwardProposals', args),
      readIndex: (peer, args) => this.#call(machine, boot, peer, 'readIndex', args),
    };
  }

  #call<K extends RpcKind>(
    from: Machine,
    boot: number,
    peer: MemberId,
    kind: K,
    args: ArgsOf<K>,
  ): Promise<ReplyOf<K> | null> {
    const { scheduler, links, observer, rpcTimeoutMs } = this.#options;
    const station = this.#stations.get(peer);
    if (station === undefined) throw new Error(`${from.name} calls unknown member ${peer}`);
    const to = station.machine;
    if (!from.runs(boot)) return new Promise(() => {});
    observer?.onRequest(from, to, kind, args);
    if (scheduler.tracing) scheduler.note(`${from.name} -> ${to.name} ${kind} ${brief(args)}`);
    return new Promise((resolve) => {
      const timeoutMs = kind === 'installSnapshot' ? SNAPSHOT_TIMEOUTS * rpcTimeoutMs : rpcTimeoutMs;
      const timeout = scheduler.afterOn(from, boot, timeoutMs, 'rpc timeout', () => resolve(null));
      const answer = (reply: ReplyOf<K>): void => {
        scheduler.cancel(timeout);
        resolve(reply); // a second answer, or one after the timeout, finds the promise settled
      };
      for (const delayMs of this.#copies(links.fate(from.index, to.index, scheduler.nowMs))) {
        const arrived = carryArgs(kind, args);
        const { mendings } = links;
        scheduler.arriveAt(to, delayMs, kind, () => {
          // A wish to hand over that was held up until after the healing is still to be followed, but then the cluster is
          // not at rest, and the demand that it stays so would be wrong.
          const isFromBeforeHealing = kind === 'timeoutNow' && links.mendings !== mendings;
          if (!isFromBeforeHealing) this.#receive(from, boot, station, kind, arrived, answer);
        });
      }
    });
  }

  /** The handler runs as part of the process that is up when the message arrives; its reply makes the way back. */
  #receive<K extends RpcKind>(
    from: Machine,
    fromBoot: number,
    station: Station,
    kind: K,
    args: ArgsOf<K>,
    answer: (reply: ReplyOf<K>) => void,
  ): void {
    const { scheduler, links, observer } = this.#options;
    const { machine, handler } = station;
    if (handler === null) return;
    const boot = machine.boot;
    const handle = handler[kind].bind(handler) as (args: ArgsOf<K>) => Promise<ReplyOf<K> | null>;
    handle(args).then(
      (reply) => {
        if (reply === null || !machine.runs(boot)) return;
        observer?.onReply(machine, from, kind, args, reply);
        if (scheduler.tracing) scheduler.note(`${machine.name} => ${from.name} ${kind} reply ${brief(reply)}`);
        for (const delayMs of this.#copies(links.fate(machine.index, from.index, scheduler.nowMs))) {
          const arrived = carryReply(kind, reply);
          scheduler.afterOn(from, fromBoot, delayMs, `${kind} reply`, () => answer(arrived));
        }
      },
      (error: unknown) => {
        scheduler.fail(new Error(`${machine.name} threw in ${kind}, which must never reject`, { cause: error }));
      },
    );
  }

  #copies(fate: readonly number[]): readonly number[] {
    const { counts } = this.#options;
    counts.messages++;
    if (fate.length === 0) counts.add('message lost');
    if (fate.length === 2) counts.add('message doubled');
    return fate;
  }
}

/** A message for the trace: numbers and flags, sizes in place of bytes. */
function brief(message: object): string {
  const parts = Object.entries(message).map(([name, value]: [string, unknown]) => {
    if (Array.isArray(value)) return `${name}=[${value.length}]`;
    if (Buffer.isBuffer(value)) return `${name}=${value.length}B`;
    if (typeof value === 'object' && value !== null) return `${name}={${brief(value)}}`;
    return `${name}=${String(value)}`;
  });
  return parts.join(' ');
}
