import { after } from 'node:test';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { startClientServer, type ClientServer, type ClientServerOptions } from '../../src/api/client-server.js';
import type { Status } from '../../src/api/handlers.js';
import { httpRoutes } from '../../src/api/http-routes.js';
import { clientServices } from '../../src/api/services.js';
import { silentLogger } from '../../src/lib/logger.js';
import { FakeMember } from './fake-member.js';

export const MAX_REQUEST_BYTES = 1_572_864;

const definitions = loadSync(['rpc.proto', 'v3lock.proto', 'v3election.proto', 'health.proto'], {
  includeDirs: ['proto'],
  keepCase: true,
  longs: String,
  enums: String,
});

export type AnyMethod = MethodDefinition<object, object>;

/** Every method that the files in proto/ have, by its path. */
export const protoMethods: ReadonlyMap<string, AnyMethod> = new Map(
  Object.values(definitions)
    .filter((definition) => !('format' in definition)) // services; messages and enums have a format
    .flatMap((service) => Object.values(service as ServiceDefinition) as AnyMethod[])
    .map((method) => [method.path, method]),
);

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Run when the tests of the file are through. */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** A server on a free port, and the member behind it. */
export interface Served {
  readonly member: FakeMember;
  readonly server: ClientServer;
  readonly hostAndPort: string;
  readonly health: ReturnType<typeof clientServices>['health'];
}

export async function serve(options: Partial<ClientServerOptions> = {}): Promise<Served> {
  const member = new FakeMember();
  const logger = options.logger ?? silentLogger;
  const { tables, health } = clientServices(member, logger);
  const server = await startClientServer({
    listenUrls: ['http://127.0.0.1:0'],
    tables,
    http: httpRoutes({ member, logger, version: '1.2.3' }),
    logger,
    maxRequestBytes: MAX_REQUEST_BYTES,
    ...options,
  });
  atEnd(() => server.close(0));
  return { member, server, health, hostAndPort: (server.addresses[0] as string).slice('http://'.length) };
}

export function dial(hostAndPort: string): Client {
  const client = new Client(hostAndPort, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
  atEnd(() => client.close());
  return client;
}

const asIs = (bytes: Buffer): Buffer => bytes;

export interface CallOptions {
  readonly metadata?: Record<string, string>;
  readonly timeoutMs?: number;
}

/** One unary call with the bytes given. Rejects with the ServiceError of grpc-js. */
export function callRaw(client: Client, path: string, content: Buffer, options: CallOptions = {}): Promise<Buffer> {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
  const callOptions = options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, content, metadata, callOptions, (error, reply) => {
      if (error) reject(error);
      else resolve(reply as Buffer);
    });
  });
}

/** One unary call with objects, as the proto files describe them. */
export async function call(client: Client, path: string, request: object, options: CallOptions = {}): Promise<object> {
  const method = protoMethods.get(path);
  if (!method) throw new Error(`${path} is not in proto/`);
  return method.responseDeserialize(await callRaw(client, path, method.requestSerialize(request), options));
}

/** For assert.rejects: the status and the exact text. */
export function failsWith(code: Status, details: string): (error: unknown) => boolean {
  return (error) => {
    const { code: found, details: text } = error as ServiceError;
    if (Number(found) === Number(code) && text === details) return true;
    throw new Error(`expected status ${code} "${details}", found ${found} "${text}"`);
  };
}
