import { DELIMITED, WireReader, tagOf } from '../kv/wire/reader.js';
import { WireWriter } from '../kv/wire/writer.js';
import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { statusOf } from './errors.js';
import { Status, type CallStatus, type ServerStream, type ServiceTable, type StreamHandler } from './handlers.js';
import { decoding } from './unary.js';

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

const UNKNOWN_SERVICE: CallStatus = { code: Status.NOT_FOUND, message: 'unknown service' };

/** The health of the member as a whole, which gRPC knows as the service without a name. */
export interface Health {
  readonly table: ServiceTable;
  /** Tells all who watch. A member that is about to stop says false first. */
  setServing(isServing: boolean): void;
}

/** The standard grpc.health.v1.Health. */
export function healthService(logger: Logger): Health {
  let isServing = true;
  const watchers = new Set<ServerStream>();
  const current = () => encodeHealth(isServing ? SERVING : NOT_SERVING);

  const check = decoding(readServiceName, logger, (service, _context, reply) => {
    if (service === '') reply(null, current());
    else reply(UNKNOWN_SERVICE);
  });

  const watch: StreamHandler = (stream) => ({
    onMessage(message) {
      try {
        const isKnown = readServiceName(message) === '';
        stream.send(isKnown ? current() : encodeHealth(SERVICE_UNKNOWN));
        if (isKnown) watchers.add(stream);
      } catch (thrown) {
        watchers.delete(stream);
        stream.end(statusOf(asError(thrown), logger));
      }
    },
    // The client has said all it has to say; the watch goes on.
    onEnd() {},
    onCancel: () => watchers.delete(stream),
  });

  return {
    table: {
      unary: new Map([['/grpc.health.v1.Health/Check', check]]),
      streams: new Map([['/grpc.health.v1.Health/Watch', watch]]),
    },
    setServing(serving) {
      if (serving === isServing) return;
      isServing = serving;
      for (const watcher of watchers) watcher.send(current());
    },
  };
}

function encodeHealth(status: number): Buffer {
  return new WireWriter().int53(1, status).finish();
}

function readServiceName(bytes: Buffer): string {
  const reader = new WireReader(bytes);
  let service = '';
  while (!reader.atEnd()) {
    const tag = reader.tag('HealthCheckRequest');
    if (tag === tagOf(1, DELIMITED)) service = reader.string();
    else reader.skip(tag, [undefined, 'Service']);
  }
  return service;
}
