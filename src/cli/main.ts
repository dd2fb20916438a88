import { didYouMean } from '../config/suggest.js';
import { sortArguments } from './arguments.js';
import { ExitCode, explain, Failure } from './failure.js';
import { globalFlags, refusedFlags, toleratedFlags } from './globals.js';
import { note, writeOut } from './output.js';
import { VERSION } from '../lib/version.js';
import { COMPLETION, registry, SERVER } from './registry.js';

/** Runs `raftkv` with what stands after it on the command line, and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    refuseLostBytes(argv);
    process.exitCode = await dispatch(argv);
  } catch (thrown) {
    const failure = explain(thrown);
    if (failure === null) throw thrown;
    note(`Error: ${failure.line}`);
    process.exitCode = failure.exitCode;
  }
}

/** Node gives arguments as text: bytes that are no UTF-8 have become U+FFFD, and would name another key. */
function refuseLostBytes(argv: readonly string[]): void {
  const lost = argv.find((word) => word.includes('\uFFFD'));
  if (lost === undefined) return;
  throw new Failure(
    ExitCode.badArguments,
    `argument ${JSON.stringify(lost)} is not UTF-8 text, and its bytes are lost on the way to a Node program; ` +
      'give a value on standard input, and use etcdctl for a key of such bytes',
  );
}

async function dispatch(argv: readonly string[]): Promise<number> {
  if (argv[0] === '--get-yargs-completions') {
    const { complete } = await import('./completion.js');
    await complete(argv);
    return ExitCode.ok;
  }
  const { word, rest } = takeWord(argv);
  if (word === SERVER.name) {
    const { runServer } = await import('./server.js');
    return runServer(rest);
  }
  if (word === COMPLETION.name) {
    const { printCompletionScript } = await import('./completion.js');
    await printCompletionScript();
    return ExitCode.ok;
  }
  if (word === undefined || word === 'help') return helpWanted(word === 'help' ? rest : [], argv);
  const { name, args } = commandNamed(word, rest);
  const entry = registry.find((candidate) => candidate.name === name);
  if (entry === undefined) throw unknownCommand(name);
  const { command } = await entry.load();
  const { runCommand, commonFlags } = await import('./run.js');
  const sorted = sortArguments(args, { ...command.flags, ...commonFlags });
  if (sorted.flags.includes('--help=true')) {
    const { commandHelp } = await import('./help.js');
    await writeOut([await commandHelp(command)]);
    return ExitCode.ok;
  }
  return runCommand(command, sorted, process.env);
}

async function helpWanted(words: readonly string[], argv: readonly string[]): Promise<number> {
  if (argv.includes('--version')) return dispatch(['version']);
  if (words.length > 0) return dispatch([...words, '--help']);
  const stray = argv.find((word) => word.startsWith('-') && !/^(-h|--help)$/.test(word));
  if (stray !== undefined) throw new Failure(ExitCode.error, `a command is missing; see raftkv --help`);
  const { generalHelp } = await import('./help.js');
  await writeOut([await generalHelp()]);
  return ExitCode.ok;
}

/** The first word that is no global flag and no value of one, and the line without it. */
function takeWord(argv: readonly string[]): { readonly word: string | undefined; readonly rest: readonly string[] } {
  const flags: Record<string, { readonly type: string; readonly alias?: string }> = {
    ...globalFlags,
    ...toleratedFlags,
    ...refusedFlags,
  };
  for (let position = 0; position < argv.length; position++) {
    const arg = argv[position] ?? '';
    if (arg === '--') break;
    if (!arg.startsWith('-')) {
      return { word: arg, rest: [...argv.slice(0, position), ...argv.slice(position + 1)] };
    }
    const name = arg.replace(/^--?/, '');
    const flag = flags[name] ?? Object.values(flags).find((candidate) => arg === `-${candidate.alias ?? '-'}`);
    if (flag?.type === 'string') position += 1;
  }
  return { word: undefined, rest: argv };
}

/** `endpoint health` are two words of one name. */
function commandNamed(
  word: string,
  rest: readonly string[],
): { readonly name: string; readonly args: readonly string[] } {
  if (!registry.some(({ name }) => name.startsWith(`${word} `))) return { name: word, args: rest };
  const second = takeWord(rest);
  const below = registry.filter(({ name }) => name.startsWith(`${word} `)).map(({ name }) => name);
  if (second.word === undefined) {
    throw new Failure(
      ExitCode.error,
      `"${word}" is not complete; use ${below.map((name) => `raftkv ${name}`).join(' or ')}`,
    );
  }
  return { name: `${word} ${second.word}`, args: second.rest };
}

/** etcdctl's commands that this version does not have yet. */
const COMING =
  /^(watch|lease|lock|elect|snapshot|alarm|defrag|move-leader|auth|user|role|check|make-mirror|member (add|remove|update|promote)|endpoint hashkv)( |$)/;

function unknownCommand(name: string): Failure {
  if (COMING.test(name)) {
    return new Failure(ExitCode.error, `${name} is not supported yet by raftkv ${VERSION}; see raftkv --help`);
  }
  const names = [SERVER.name, COMPLETION.name, ...registry.map((entry) => entry.name)];
  return new Failure(
    ExitCode.error,
    `unknown command "${name}" for "raftkv"${didYouMean(name, names) || '; see raftkv --help'}`,
  );
}
