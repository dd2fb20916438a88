import { status } from '@grpc/grpc-js';
import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import type { MemberId } from '../raft/messages.js';
import type { PeerHandler } from '../raft/ports.js';
import { encode } from './codec.js';
import { MalformedMessageError } from './errors.js';
import { hex, impostor, unknownPeer, type KnownPeers, type Refusal } from './identity.js';
import type { LimitedLog } from './limited-log.js';
import { rpcCodecs, type RpcName, type Rpcs } from './rpcs.js';

type Methods = { readonly [N in RpcName]: (args: Rpcs[N]['args']) => Promise<Rpcs[N]['reply'] | null> };

/** What a message came to: the reply, or why there is none. */
export type Outcome<R> = { readonly reply: R } | { readonly refusal: Refusal };

/** The caller shall hear nothing: to it, the message was lost. */
const SILENCE: Refusal = { code: status.UNAVAILABLE, details: 'the member gives no answer' };

/** Reads a message of a peer, checks whose it is, and asks consensus. Never rejects. */
export class Dispatch {
  readonly #methods: Methods;

  constructor(
    handler: PeerHandler,
    private readonly peers: KnownPeers,
    private readonly logger: Logger,
    private readonly limited: LimitedLog,
  ) {
    this.#methods = handler;
  }

  async call<N extends RpcName>(name: N, from: MemberId, content: Buffer): Promise<Outcome<Rpcs[N]['reply']>> {
    // A member may have been removed since its stream was opened.
    if (!this.peers.has(from)) return this.refused(name, from, unknownPeer(from));
    let args: Rpcs[N]['args'];
    try {
      args = rpcCodecs[name].args.decode(content);
    } catch (thrown) {
      if (!(thrown instanceof MalformedMessageError)) throw thrown;
      return this.refused(name, from, { code: status.INVALID_ARGUMENT, details: thrown.message });
    }
    const named = rpcCodecs[name].senderOf(args);
    if (named !== from) return this.refused(name, from, impostor(from, named));
    try {
      const reply = await this.#methods[name](args);
      return reply ? { reply } : { refusal: SILENCE };
    } catch (thrown) {
      const error = asError(thrown);
      this.logger.error({ rpc: name, peer: hex(from), err: error }, 'request from a peer failed');
      return { refusal: { code: status.UNAVAILABLE, details: error.message } };
    }
  }

  /** The same, with the reply encoded. */
  async callForBytes(name: RpcName, from: MemberId, content: Buffer): Promise<Outcome<Buffer>> {
    return this.#encoded(name, await this.call(name, from, content));
  }

  #encoded<N extends RpcName>(name: N, outcome: Outcome<Rpcs[N]['reply']>): Outcome<Buffer> {
    return 'reply' in outcome ? { reply: encode(rpcCodecs[name].reply, outcome.reply) } : outcome;
  }

  refused(name: string, from: MemberId | null, refusal: Refusal): { readonly refusal: Refusal } {
    const peer = from === null ? 'unknown' : hex(from);
    this.limited.warn(refusal.details, { rpc: name, peer, reason: refusal.details }, 'refused a peer');
    return { refusal };
  }
}
