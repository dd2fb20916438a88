import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

type Answer = (request: Record<string, unknown>, callback: grpc.sendUnaryData<object>) => void;

/** A gRPC server on a free port that answers as the test says, and counts what it was asked. */
export class FakeMember {
  private constructor(
    readonly endpoint: string,
    /** Methods in the order in which they were called. */
    readonly asked: readonly string[],
    private readonly server: grpc.Server,
  ) {}

  /** `answers` by service and method: `{ 'KV/Put': ... }`. */
  static async start(answers: Record<string, Answer>): Promise<FakeMember> {
    const definitions = loadSync('rpc.proto', {
      includeDirs: [fileURLToPath(new URL('../../proto', import.meta.url))],
      keepCase: true,
      longs: String,
      enums: String,
    });
    const server = new grpc.Server();
    const asked: string[] = [];
    for (const service of ['KV', 'Cluster', 'Maintenance']) {
      const definition = definitions[`etcdserverpb.${service}`] as grpc.ServiceDefinition;
      const handlers: grpc.UntypedServiceImplementation = {};
      for (const name of Object.keys(definition)) {
        const handle: grpc.handleUnaryCall<Record<string, unknown>, object> = (call, callback) => {
          asked.push(`${service}/${name}`);
          const answer = answers[`${service}/${name}`];
          if (answer === undefined) callback({ code: grpc.status.UNIMPLEMENTED, details: 'not in this test' });
          else answer(call.request, callback);
        };
        handlers[name] = handle;
      }
      server.addService(definition, handlers);
    }
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    return new FakeMember(`127.0.0.1:${port}`, asked, server);
  }

  stop(): void {
    this.server.forceShutdown();
  }
}

export const fail =
  (code: grpc.status, details: string): Answer =>
  (_request, callback) =>
    callback({ code, details });

/** Never answers. */
export const silence: Answer = () => undefined;
