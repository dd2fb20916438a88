import { Cluster, type Program } from '../cluster/harness.js';
import { methods } from '../wire/etcd-messages.js';
import { GrpcConnection, type Reply } from '../wire/grpc-connection.js';
import { encode } from '../wire/protobuf.js';

/** One of the two that are compared. */
export interface Side {
  readonly name: string;
  /** Sends `message` to `path` of the member at position `member`. Never rejects: a lost call is a reply too. */
  call(member: number, path: string, message: Buffer): Promise<Reply>;
  destroy(): Promise<void>;
}

export interface Pair {
  readonly left: Side;
  readonly right: Side;
}

/** A single member elects itself; nothing is gained by waiting a second for it. */
const ELECTION_TIMEOUT_ALONE_MS = 100;
const BARRIER = encode(methods.range.request, { key: 'barrier' });

class ClusterSide implements Side {
  constructor(
    readonly name: string,
    readonly cluster: Cluster,
    readonly connections: readonly GrpcConnection[],
  ) {}

  async call(member: number, path: string, message: Buffer): Promise<Reply> {
    const connection = this.connections[member];
    if (connection === undefined) throw new Error(`${this.name} has no member ${member}`);
    // Replies that a member gives without asking the others must not depend on how far behind it is.
    if (this.connections.length > 1) await connection.call(methods.range.path, BARRIER);
    return connection.call(path, message);
  }

  async destroy(): Promise<void> {
    for (const connection of this.connections) connection.close();
    await this.cluster.destroy();
  }
}

/** A fresh cluster of `program`, ready to serve. */
export async function freshSide(program: Program, members: number): Promise<Side> {
  const cluster = await Cluster.start({
    program,
    members,
    ...(members === 1 ? { electionTimeoutMs: ELECTION_TIMEOUT_ALONE_MS } : {}),
  });
  const connections = cluster.members.map((member) => GrpcConnection.open('127.0.0.1', member.clientPort));
  return new ClusterSide(program, cluster, await Promise.all(connections));
}
