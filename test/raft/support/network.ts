import type { MemberId } from '../../../src/raft/messages.js';
import type { PeerHandler, Transport } from '../../../src/raft/ports.js';
import { encode, type Codec } from '../../../src/transport/codec.js';
import { rpcCodecs, type RpcName, type Rpcs } from '../../../src/transport/rpcs.js';

/** How long a caller waits for a reply, in election timeouts: as the real transport does. */
const PATIENCE: { readonly [N in RpcName]: number } = {
  requestVote: 1,
  appendEntries: 1,
  installSnapshot: 10,
  timeoutNow: 1,
  forwardProposals: 1,
  readIndex: 1,
};

/** What the network must know of a member. */
export interface Station {
  readonly id: MemberId;
  /** Counts its lives: a reply for an earlier one is lost. */
  readonly boot: number;
  /** Null while it is down. */
  readonly handler: PeerHandler | null;
  now(): number;
}

interface Call {
  readonly rpc: RpcName;
  /** As they were sent; only looked at to tell one kind of message from another. */
  readonly args: unknown;
  readonly from: Station;
  readonly to: Station;
  readonly deadline: number;
  /** Requests and replies of it that are under way or being answered. */
  copies: number;
  isOpen: boolean;
  readonly resolve: (reply: never) => void;
}

/** One request or one reply, as bytes, on its way. */
export interface Message {
  readonly number: number;
  readonly rpc: RpcName;
  readonly isReply: boolean;
  readonly from: Station;
  readonly to: Station;
  bytes: Buffer;
  readonly call: Call;
}

/** Holds every message until the script delivers, drops or repeats it. Both ends meet only bytes. */
export class Network {
  messages: Message[] = [];
  /** Links that lose everything, as `from>to`. */
  readonly cut = new Set<string>();
  /** Called with each reply at the moment it leaves: what it promises must be on disk by then. */
  onReply: (from: Station, rpc: RpcName, args: never, reply: never) => void = () => {};
  /** Called with each message that is sent. */
  onSend: (message: Message) => void = () => {};
  #calls = new Set<Call>();
  #nextNumber = 1;

  constructor(
    private readonly stations: ReadonlyMap<MemberId, Station>,
    private readonly electionTimeoutMs: number,
  ) {}

  /** How long the most patient of those who wait for a reply waits, from the start. */
  get longestPatienceMs(): number {
    return Math.max(0, ...[...this.#calls].map((call) => PATIENCE[call.rpc] * this.electionTimeoutMs));
  }

  /** How many callers of `station` wait for a reply. */
  openCallsTo(station: Station, rpc: RpcName): number {
    return [...this.#calls].filter((call) => call.to === station && call.rpc === rpc).length;
  }

  transportFor(from: Station): Transport {
    const boot = from.boot;
    const send =
      <N extends RpcName>(rpc: N) =>
      (peer: MemberId, args: Rpcs[N]['args']) =>
        this.#send(rpc, from, boot, peer, args);
    return {
      requestVote: send('requestVote'),
      appendEntries: send('appendEntries'),
      installSnapshot: send('installSnapshot'),
      timeoutNow: send('timeoutNow'),
      forwardProposals: send('forwardProposals'),
      readIndex: send('readIndex'),
    };
  }

  /** Takes `message` off the network and hands it to its receiver. The reply goes on its way when it is ready. */
  deliver(message: Message): void {
    this.#take(message);
    if (message.isReply) this.#deliverReply(message);
    else this.#deliverRequest(message);
  }

  drop(message: Message): void {
    this.#take(message);
    this.#lose(message.call);
  }

  duplicate(message: Message): void {
    message.call.copies++;
    this.messages.push({ ...message, number: this.#nextNumber++, bytes: Buffer.from(message.bytes) });
  }

  /** Messages on links that are cut are lost. */
  dropCut(): void {
    for (const message of [...this.messages]) if (this.#isCut(message.from, message.to)) this.drop(message);
  }

  /** Callers whose patience is over hear nothing any more. Their messages may still arrive. */
  expire(): void {
    for (const call of this.#calls) if (call.from.now() >= call.deadline) this.#end(call, null);
  }

  /** The member died: nobody waits for its calls, and who called it sees the connection break. What is on its way stays so. */
  disconnect(station: Station): void {
    for (const call of this.#calls) {
      if (call.from === station) {
        call.isOpen = false;
        this.#calls.delete(call);
      } else if (call.to === station && !this.messages.some((message) => message.call === call)) {
        this.#end(call, null);
      }
    }
  }

  #send<N extends RpcName>(
    rpc: N,
    from: Station,
    boot: number,
    peer: MemberId,
    args: Rpcs[N]['args'],
  ): Promise<Rpcs[N]['reply'] | null> {
    const to = this.stations.get(peer);
    if (!to) throw new Error(`there is no member ${peer}`);
    if (from.boot !== boot) return new Promise(() => {});
    return new Promise((resolve) => {
      const deadline = from.now() + PATIENCE[rpc] * this.electionTimeoutMs;
      const call: Call = { rpc, args, from, to, deadline, copies: 1, isOpen: true, resolve };
      this.#calls.add(call);
      const bytes = encode(rpcCodecs[rpc].args, args);
      this.#post({ number: this.#nextNumber++, rpc, isReply: false, from, to, bytes, call });
    });
  }

  #post(message: Message): void {
    this.onSend(message);
    if (this.#isCut(message.from, message.to)) this.#lose(message.call);
    else this.messages.push(message);
  }

  #deliverRequest({ rpc, call, bytes }: Message): void {
    const { to, from } = call;
    const { handler, boot } = to;
    if (!handler) {
      this.#lose(call);
      return;
    }
    const args: unknown = rpcCodecs[rpc].args.decode(Buffer.from(bytes));
    void handler[rpc](args as never).then((reply) => {
      if (to.boot !== boot) return; // it died before it could answer
      if (reply === null) {
        this.#lose(call);
        return;
      }
      this.onReply(to, rpc, args as never, reply as never);
      const replyBytes = encode(rpcCodecs[rpc].reply as Codec<object>, reply);
      this.#post({ number: this.#nextNumber++, rpc, isReply: true, from: to, to: from, bytes: replyBytes, call });
    });
  }

  #deliverReply({ rpc, call, bytes }: Message): void {
    call.copies--;
    this.#end(call, rpcCodecs[rpc].reply.decode(Buffer.from(bytes)));
  }

  /** One copy is gone. With the last of them the caller hears that the connection broke. */
  #lose(call: Call): void {
    call.copies--;
    if (call.copies === 0) this.#end(call, null);
  }

  #end(call: Call, reply: unknown): void {
    if (!call.isOpen) return;
    call.isOpen = false;
    this.#calls.delete(call);
    call.resolve(reply as never);
  }

  #take(message: Message): void {
    const position = this.messages.indexOf(message);
    if (position < 0) throw new Error(`message ${message.number} is not on the network any more`);
    this.messages.splice(position, 1);
  }

  #isCut(from: Station, to: Station): boolean {
    return this.cut.has(`${from.id}>${to.id}`);
  }
}
