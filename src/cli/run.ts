import yargs from 'yargs';
import type { Sorted } from './arguments.js';
import type { Command, Invocation } from './command.js';
import type { Flags } from './flag.js';
import { fromEnvironment, globalFlags, readGlobals, refusedFlags, toleratedFlags, type Globals } from './globals.js';
import { ExitCode, Failure } from './failure.js';
import { VERSION } from '../lib/version.js';

/** yargs with all of its guessing turned off: arguments.ts has settled what is what. */
const PLAIN_PARSING = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': false,
  'parse-numbers': false,
  'short-option-groups': false,
} as const;

type Values = Readonly<Record<string, unknown>>;

function parse(sorted: Sorted, flags: Flags): Values {
  return yargs([...sorted.flags])
    .parserConfiguration(PLAIN_PARSING)
    .options(flags)
    .help(false)
    .version(false)
    .exitProcess(false)
    .parseSync();
}

/** A flag's text: what was given, or the default, or nothing. */
function textOf(values: Values, flag: string): string {
  const value = values[flag];
  return typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : '';
}

/** What a command was given, read by yargs. */
export function invocation(sorted: Sorted, flags: Flags, globals: Globals): Invocation {
  const values = parse(sorted, flags);
  return {
    args: sorted.args,
    globals,
    text: (flag) => textOf(values, flag),
    isSet: (flag) => values[flag] === true,
  };
}

/** All flags that a command line may carry besides the command's own. */
export const commonFlags = {
  ...globalFlags,
  ...toleratedFlags,
  ...refusedFlags,
  help: { type: 'boolean', alias: 'h', describe: 'show this help' },
} as const satisfies Flags;

/** Runs a command with its sorted command line. @throws Failure, ClientError */
export async function runCommand(command: Command, sorted: Sorted, environment: NodeJS.ProcessEnv): Promise<ExitCode> {
  const values = parse(sorted, { ...globalsWithout(environment), ...refusedFlags, ...toleratedFlags });
  for (const name of Object.keys(refusedFlags)) {
    if (values[name] !== undefined) {
      throw new Failure(ExitCode.error, `--${name} is not supported yet by raftkv ${VERSION}; remove it`);
    }
  }
  const globals = readGlobals((flag) => textOf(values, flag));
  if (globals.format === 'table' && command.hasTable !== true) {
    throw new Failure(ExitCode.unsupported, 'table not supported as output format by this command; use -w json');
  }
  return command.run(invocation(sorted, { ...command.flags, ...commonFlags }, globals));
}

/** The global flags with the environment's values as defaults, so that a flag beats the environment. */
function globalsWithout(environment: NodeJS.ProcessEnv): Flags {
  return Object.fromEntries(
    Object.entries(globalFlags).map(([name, flag]) => {
      const found = fromEnvironment(name, environment);
      return [name, found === undefined ? flag : { ...flag, default: found }];
    }),
  );
}
