import type { ExitCode } from './failure.js';
import type { Flags } from './flag.js';
import type { Globals } from './globals.js';

/** What a command was given. Flags that were not given have their default. */
export interface Invocation {
  /** Arguments that are no flags, `--` taken away. */
  readonly args: readonly string[];
  text(flag: string): string;
  isSet(flag: string): boolean;
  readonly globals: Globals;
}

/** One command of the executable, in a module of its own that is loaded when the command is run. */
export interface Command {
  /** As it is shown in --help: `get [options] <key> [range_end]`. */
  readonly usage: string;
  readonly description: string;
  readonly flags: Flags;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** -w table is refused by commands without it, before anything is sent. */
  readonly hasTable?: true;
  /** Resolves to the exit code. */
  run(call: Invocation): Promise<ExitCode>;
}
