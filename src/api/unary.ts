import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { statusOf } from './errors.js';
import type { CallContext, UnaryHandler, UnaryReply } from './handlers.js';

/**
 * A handler that is given its request decoded. For methods that are not hot.
 *
 * @param decode throws a KvError when the bytes are not the message
 */
export function decoding<T>(
  decode: (bytes: Buffer) => T,
  logger: Logger,
  handle: (request: T, context: CallContext, reply: UnaryReply) => void,
): UnaryHandler {
  return (bytes, context, reply) => {
    let request: T;
    try {
      request = decode(bytes);
    } catch (thrown) {
      reply(statusOf(asError(thrown), logger));
      return;
    }
    handle(request, context, reply);
  };
}
