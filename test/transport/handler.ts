import type { PeerHandler } from '../../src/raft/ports.js';
import type { RpcName, Rpcs } from '../../src/transport/rpcs.js';
import { sampleReplies } from './messages.js';

type Answer<N extends RpcName> = (args: Rpcs[N]['args']) => Promise<Rpcs[N]['reply'] | null>;

/** A peer that notes what it is asked and gives the sample replies, or what a test wants instead. */
export class FakeHandler implements PeerHandler {
  readonly asked: { name: RpcName; args: Rpcs[RpcName]['args'] }[] = [];
  readonly requestVote = this.#answering('requestVote');
  readonly appendEntries = this.#answering('appendEntries');
  readonly installSnapshot = this.#answering('installSnapshot');
  readonly timeoutNow = this.#answering('timeoutNow');
  readonly forwardProposals = this.#answering('forwardProposals');
  readonly readIndex = this.#answering('readIndex');

  constructor(private readonly instead: { [N in RpcName]?: Answer<N> } = {}) {}

  #answering<N extends RpcName>(name: N): Answer<N> {
    return async (args) => {
      this.asked.push({ name, args });
      const instead = this.instead[name];
      return instead ? instead(args) : sampleReplies[name];
    };
  }
}
