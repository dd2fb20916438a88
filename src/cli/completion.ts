import yargs, { type Argv } from 'yargs';
import { options, optionKeys, type Option } from '../config/options.js';
import type { Flags } from './flag.js';
import { globalFlags } from './globals.js';
import { registry, SERVER } from './registry.js';

/** yargs with every command and flag, for completion only. */
async function everything(args: readonly string[]): Promise<Argv> {
  const groups = new Map<string, { readonly name: string; readonly summary: string; readonly flags: Flags }[]>();
  for (const entry of registry) {
    const { name, summary } = entry;
    const [first = '', second] = name.split(' ');
    const { command } = await entry.load();
    const known = { name: second ?? '', summary, flags: { ...command.flags, ...globalFlags } };
    groups.set(first, [...(groups.get(first) ?? []), known]);
  }
  let cli = yargs([...args])
    .scriptName('raftkv')
    .help(false)
    .version(false)
    .completion('completion', false)
    .command(SERVER.name, SERVER.summary, (server) => server.options(serverFlags()));
  for (const [first, entries] of groups) {
    cli = cli.command(first, entries[0]?.summary ?? '', (below) => {
      for (const { name, summary, flags } of entries) {
        if (name === '') below.options(flags);
        else below.command(name, summary, (command) => command.options(flags));
      }
      return below;
    });
  }
  return cli;
}

function serverFlags(): Flags {
  return Object.fromEntries(
    optionKeys.map((key) => {
      const { flag, kind, description }: Option<unknown> = options[key];
      return [flag, { type: kind.isBoolean === true ? 'boolean' : 'string', describe: description }];
    }),
  );
}

/** Prints what could stand where the cursor is. `args` begin with yargs' own --get-yargs-completions. */
export async function complete(args: readonly string[]): Promise<void> {
  await (await everything(args)).parseAsync();
}

/** Prints the script that teaches the shell to ask us. */
export async function printCompletionScript(): Promise<void> {
  (await everything([])).showCompletionScript();
}
