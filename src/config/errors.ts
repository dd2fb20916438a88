import { RaftkvError } from '../lib/errors.js';

/** A configuration nobody can run. The message is one line: what was given, what was expected, what to do. */
export class ConfigError extends RaftkvError {
  readonly code = 'CONFIG_INVALID';
}
