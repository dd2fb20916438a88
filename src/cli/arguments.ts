import { didYouMean } from '../config/suggest.js';
import type { Flags } from './flag.js';
import { ExitCode, Failure } from './failure.js';

/** A command line in which nothing is left to guess. */
export interface Sorted {
  /** `--name=value` each, booleans included. */
  readonly flags: readonly string[];
  /** What is no flag, in order. */
  readonly args: readonly string[];
}

/**
 * Sorts a command line as etcdctl's flag library does, because yargs alone would not: `put k -- -v` would lose its value,
 * `get --prefix true` its key, and `-wjson` would be five flags. Flags and arguments may be mixed; `--` ends the flags.
 * @throws Failure
 */
export function sortArguments(argv: readonly string[], known: Flags): Sorted {
  const flags: string[] = [];
  const args: string[] = [];
  for (let position = 0; position < argv.length; position++) {
    const word = argv[position] ?? '';
    if (word === '--') {
      args.push(...argv.slice(position + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      args.push(word);
      continue;
    }
    const { name, value } = word.startsWith('--') ? longFlag(word) : shortFlag(word, known);
    const flag = known[name];
    if (flag === undefined) throw unknownFlag(word.replace(/=[\s\S]*/, ''), name, known);
    if (flag.type === 'boolean') {
      flags.push(`--${name}=${truth(name, value ?? 'true')}`);
      continue;
    }
    const given = value ?? argv[++position];
    if (given === undefined) throw new Failure(ExitCode.error, `flag needs an argument: ${word}`);
    flags.push(`--${name}=${given}`);
  }
  return { flags, args };
}

interface Word {
  readonly name: string;
  readonly value: string | undefined;
}

function longFlag(word: string): Word {
  const equals = word.indexOf('=');
  return equals < 0
    ? { name: word.slice(2), value: undefined }
    : { name: word.slice(2, equals), value: word.slice(equals + 1) };
}

/** `-w json`, `-w=json`, `-wjson`. */
function shortFlag(word: string, known: Flags): Word {
  const letter = word.slice(1, 2);
  const name = Object.keys(known).find((candidate) => known[candidate]?.alias === letter);
  if (name === undefined) throw unknownFlag(word, '', known);
  const rest = word.slice(2).replace(/^=/, '');
  if (known[name]?.type === 'boolean' && rest !== '' && word[2] !== '=') throw unknownFlag(word, '', known);
  return { name, value: rest === '' && word[2] !== '=' ? undefined : rest };
}

function unknownFlag(word: string, name: string, known: Flags): Failure {
  const meant =
    name === '' ? '; a key or value that begins with "-" goes after "--"' : didYouMean(name, shown(known), '--');
  return new Failure(ExitCode.error, `unknown flag: ${word}${meant}`);
}

function shown(known: Flags): string[] {
  return Object.keys(known).filter((name) => known[name]?.hidden !== true);
}

function truth(name: string, text: string): 'true' | 'false' {
  if (/^(1|t|true)$/i.test(text)) return 'true';
  if (/^(0|f|false)$/i.test(text)) return 'false';
  throw new Failure(ExitCode.error, `invalid argument "${text}" for "--${name}" flag: expected true or false`);
}
