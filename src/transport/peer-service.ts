import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { Logger } from '../lib/logger.js';
import { listen, type Listener } from '../lib/listener.js';
import type { MemberId } from '../raft/messages.js';
import type { PeerHandler } from '../raft/ports.js';
import { ConverseService } from './converse-service.js';
import { Dispatch } from './dispatch.js';
import { admit, type KnownPeers } from './identity.js';
import { LimitedLog } from './limited-log.js';
import { MAX_MESSAGE_BYTES } from './limits.js';
import { CONVERSE_PATH, rpcCodecs, type RpcName } from './rpcs.js';

export interface PeerServerOptions {
  /** `http://host:port`; port 0 takes a free one. */
  readonly listenUrls: readonly string[];
  readonly clusterId: bigint;
  readonly memberId: MemberId;
  /** Who may call. Asked for every message, so it may change. */
  readonly peers: KnownPeers;
  readonly handler: PeerHandler;
  readonly logger: Logger;
}

export interface PeerServer {
  /** The URLs with the ports that were really bound. */
  readonly addresses: readonly string[];
  /** Hears no more peers. Resolves when every connection is closed; safe to call twice. */
  close(): Promise<void>;
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
type Duplex = ServerDuplexStream<Buffer, Buffer>;

const identity = (bytes: Buffer): Buffer => bytes;

/** Listens for the other members of the cluster. @throws ListenError when an address cannot be listened on. */
export async function startPeerServer(options: PeerServerOptions): Promise<PeerServer> {
  const { clusterId, memberId, peers } = options;
  const dispatch = new Dispatch(options.handler, peers, options.logger, new LimitedLog(options.logger));
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });

  /** The caller's id, or null after the call has been refused. */
  const admitted = (name: string, call: UnaryCall | Duplex, refuse: (refusal: object) => void): MemberId | null => {
    const caller = admit(call.metadata, clusterId, memberId, peers);
    if ('from' in caller) return caller.from;
    refuse(dispatch.refused(`${name} from ${call.getPeer()}`, null, caller.refusal).refusal);
    return null;
  };

  for (const name of Object.keys(rpcCodecs) as RpcName[]) {
    const handle = (call: UnaryCall, callback: sendUnaryData<Buffer>) => {
      const from = admitted(name, call, (refusal) => callback(refusal));
      if (from === null) return;
      void dispatch.callForBytes(name, from, call.request).then((outcome) => {
        if ('reply' in outcome) callback(null, outcome.reply);
        else callback(outcome.refusal);
      });
    };
    server.register(rpcCodecs[name].path, handle, identity, identity, 'unary');
  }
  const converse = (stream: Duplex) => {
    const from = admitted('converse', stream, (refusal) => stream.emit('error', refusal));
    if (from !== null) new ConverseService(stream, from, dispatch);
  };
  server.register(CONVERSE_PATH, converse, identity, identity, 'bidi');

  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listeners: Listener[] = [];
  try {
    for (const url of options.listenUrls) {
      listeners.push(await listen(url, (socket) => injector.injectConnection(socket)));
    }
  } catch (error) {
    await closeAll(listeners);
    throw error;
  }
  let closing: Promise<void> | null = null;
  return {
    addresses: listeners.map((listener) => listener.url),
    close: () => (closing ??= closeAll(listeners)),
  };
}

/** Peers are not waited for: to them a member that stops is one that crashes, and they ask again. */
async function closeAll(listeners: readonly Listener[]): Promise<void> {
  for (const listener of listeners) listener.stop();
  await Promise.all(listeners.map((listener) => listener.destroy()));
}
