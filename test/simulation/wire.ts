import { type RpcName, type Rpcs, rpcCodecs } from '../../src/transport/rpcs.js';
import { encode } from '../../src/transport/codec.js';

export type RpcKind = RpcName;
export type ArgsOf<K extends RpcKind> = Rpcs[K]['args'];
export type ReplyOf<K extends RpcKind> = Rpcs[K]['reply'];

/** The arguments as they arrive: through the real encoding and back, so that two members never share an object. */
export function carryArgs<K extends RpcKind>(kind: K, args: ArgsOf<K>): ArgsOf<K> {
  const codec = rpcCodecs[kind].args;
  return codec.decode(encode(codec, args));
}

export function carryReply<K extends RpcKind>(kind: K, reply: ReplyOf<K>): ReplyOf<K> {
  const codec = rpcCodecs[kind].reply;
  return codec.decode(encode(codec, reply));
}
