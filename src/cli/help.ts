import yargs, { type Argv } from 'yargs';
import type { Command } from './command.js';
import { globalFlags } from './globals.js';
import { COMPLETION, registry, SERVER } from './registry.js';

const WIDTH = 110;

function bare(): Argv {
  return yargs([])
    .scriptName('raftkv')
    .version(false)
    .help(false)
    .exitProcess(false)
    .parserConfiguration({ 'camel-case-expansion': false })
    .wrap(Math.min(WIDTH, yargs([]).terminalWidth()));
}

/** `raftkv --help` */
export async function generalHelp(): Promise<string> {
  let screen = bare()
    .usage('raftkv <command> [flags]\n\nA key-value store replicated by Raft that speaks the etcd v3 API.')
    .command(SERVER.name, SERVER.summary)
    .options(globalFlags)
    .group(Object.keys(globalFlags), 'Global flags:')
    .example('raftkv dev', 'three members in this terminal')
    .example('raftkv put greeting "hello, raft"', 'in another one')
    .example('raftkv get greeting', '')
    .epilogue('Flags of a command: raftkv <command> --help. Environment: RAFTKV_ENDPOINTS for --endpoints, and so on.');
  for (const { name, summary } of registry) screen = screen.command(name, summary);
  screen = screen.command(COMPLETION.name, COMPLETION.summary);
  return `${await screen.getHelp()}\n`;
}

/** `raftkv get --help` */
export async function commandHelp(command: Command): Promise<string> {
  const own = Object.keys(command.flags);
  let screen = bare()
    .usage(`raftkv ${command.usage}\n\n${command.description}`)
    .options({ ...command.flags, ...globalFlags });
  if (own.length > 0) screen = screen.group(own, 'Flags:');
  screen = screen.group(Object.keys(globalFlags), 'Global flags:');
  for (const [line, what] of command.examples) screen = screen.example(line, what);
  return `${await screen.getHelp()}\n`;
}
