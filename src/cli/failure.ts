import { ClientError } from '../client/errors.js';

/** etcdctl's exit codes. */
export const ExitCode = {
  ok: 0,
  error: 1,
  badConnection: 2,
  invalidInput: 3,
  unsupported: 4,
  unhealthy: 5,
  badArguments: 128,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Ends the program with one line on stderr. What a user did wrong, never a bug. */
export class Failure extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
  ) {
    super(message);
  }
}

/** What to tell about anything that was thrown: the line for stderr and the exit code. Null: a bug, to be shown whole. */
export function explain(thrown: unknown): { readonly line: string; readonly exitCode: number } | null {
  if (thrown instanceof Failure) return { line: thrown.message, exitCode: thrown.exitCode };
  if (thrown instanceof ClientError) {
    const exitCode = thrown.code === 'CLIENT_BAD_ENDPOINT' ? ExitCode.badConnection : ExitCode.error;
    return { line: explainCall(thrown), exitCode };
  }
  return null;
}

/** The failure, the endpoint, and the way out. */
export function explainCall(failure: ClientError): string {
  const outcome = failure.maybeApplied ? '; it may have been done all the same: look before you repeat it' : '';
  const { message, endpoint } = failure;
  switch (failure.code) {
    case 'CLIENT_UNREACHABLE':
      return `${message}; is a member running there? name the others too, as --endpoints host:port,host:port, or start some with \`raftkv dev\``;
    case 'CLIENT_TIMEOUT':
      return `${endpoint}: ${message}; try \`raftkv endpoint health\`, or a longer --command-timeout${outcome}`;
    case 'CLIENT_UNAVAILABLE':
      return `${endpoint}: ${message}; try \`raftkv status\`, or name more members with --endpoints${outcome}`;
    case 'CLIENT_REJECTED':
    case 'CLIENT_FAILED':
    case 'CLIENT_ABORTED':
      return `${endpoint}: ${message}${outcome}`;
    case 'CLIENT_BAD_ENDPOINT':
      return message;
  }
}
