import { RaftkvError } from '../lib/errors.js';

/** A peer sent bytes that are no message, or a message that no member would send. It is dropped; nothing has changed. */
export class MalformedMessageError extends RaftkvError {
  readonly code = 'TRANSPORT_MALFORMED_MESSAGE';
}
