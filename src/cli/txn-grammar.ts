import type { Compare, Operation, Txn } from '../client/types.js';
import { ExitCode, Failure } from './failure.js';
import { leaseOf } from './ranges.js';

/*
 * What etcdctl reads from stdin for a txn. Three lists, each ended by an empty line:
 *
 *   mod("key1") > "0"            compares: create, mod, version, value, lease; = != < >
 *
 *   put key1 "new value"         done when all compares hold: get, put and del as on the command line
 *   get key1
 *
 *   del key1 --prefix            done when they do not
 *
 */

/** Gives the next line, or null at the end of the input. */
export type NextLine = () => Promise<string | null>;
/** Makes an operation of the words of a line. @throws Failure */
export type ParseOperation = (words: readonly string[]) => Promise<Operation>;

export type Section = 'compares' | 'success' | 'failure';

/** `begin` is told as each list begins: interactive use prompts there. @throws Failure */
export async function readTxn(next: NextLine, parse: ParseOperation, begin: (section: Section) => void): Promise<Txn> {
  begin('compares');
  const compares: Compare[] = [];
  for (const line of await readSection(next)) compares.push(parseCompare(line));
  begin('success');
  const success = await readOperations(next, parse);
  begin('failure');
  const failure = await readOperations(next, parse);
  return { compares, success, failure };
}

async function readSection(next: NextLine): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const line = (await next())?.trim();
    if (line === undefined) {
      throw new Failure(
        ExitCode.invalidInput,
        'EOF: the input ended early; compares, success and failure each end with an empty line',
      );
    }
    if (line === '') return lines;
    lines.push(line);
  }
}

async function readOperations(next: NextLine, parse: ParseOperation): Promise<Operation[]> {
  const operations: Operation[] = [];
  for (const line of await readSection(next)) operations.push(await parse(splitWords(line)));
  return operations;
}

const TARGETS: Readonly<Record<string, Compare['target']>> = {
  ver: 'VERSION',
  version: 'VERSION',
  c: 'CREATE',
  create: 'CREATE',
  m: 'MOD',
  mod: 'MOD',
  val: 'VALUE',
  value: 'VALUE',
  lease: 'LEASE',
};

const RELATIONS: Readonly<Record<string, Compare['relation']>> = {
  '=': 'EQUAL',
  '!=': 'NOT_EQUAL',
  '<': 'LESS',
  '>': 'GREATER',
};

/** `mod("key") > "0"`: target, key, relation, value. @throws Failure */
export function parseCompare(line: string): Compare {
  const parts = /^([^(]*)\(\s*("(?:[^"\\]|\\.)*")\s*\)\s*(\S+)\s+("(?:[^"\\]|\\.)*")/.exec(line);
  if (parts === null) {
    throw malformed(line, 'expected a line such as mod("key") > "0"');
  }
  const target = TARGETS[(parts[1] ?? '').trim()];
  if (target === undefined) throw malformed(line, `unknown target ${(parts[1] ?? '').trim()}`);
  const relation = RELATIONS[parts[3] ?? ''];
  if (relation === undefined) throw malformed(line, `unknown relation ${parts[3] ?? ''}; use =, !=, < or >`);
  const key = unquote(parts[2] ?? '', line);
  const value = unquote(parts[4] ?? '', line);
  if (target === 'VALUE') return { target, relation, key, expected: value };
  const text = value.toString('utf8');
  if (target === 'LEASE') return { target, relation, key, expected: leaseOf(text) };
  if (!/^[+-]?\d{1,18}$/.test(text)) throw new Failure(ExitCode.invalidInput, `invalid txn compare request: ${line}`);
  return { target, relation, key, expected: BigInt(text) };
}

function malformed(line: string, why: string): Failure {
  return new Failure(ExitCode.invalidInput, `malformed comparison: ${line} (${why})`);
}

/** Words of a line: bare, "double quoted" with Go's escapes, or 'single quoted' as they stand. @throws Failure */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let rest = line.trim();
  while (rest !== '') {
    const found = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|\S+)/.exec(rest)?.[0] ?? rest;
    if (/^".*"$/.test(found) && found.length > 1) words.push(unquote(found, line).toString('utf8'));
    else if (/^'.*'$/.test(found) && found.length > 1) words.push(found.slice(1, -1));
    else words.push(found);
    rest = rest.slice(found.length).trimStart();
  }
  return words;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** The bytes that a Go string literal stands for. */
function unquote(quoted: string, line: string): Buffer {
  const pieces: Buffer[] = [];
  const body = quoted.slice(1, -1);
  const token = /\\x([0-9a-fA-F]{2})|\\([0-7]{3})|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)|([^\\]+)/gsu;
  for (const [, hex, octal, short, long, escape, plain] of body.matchAll(token)) {
    if (hex !== undefined) pieces.push(Buffer.of(parseInt(hex, 16)));
    else if (octal !== undefined) pieces.push(Buffer.of(parseInt(octal, 8) & 0xff));
    else if (short !== undefined || long !== undefined) pieces.push(rune(parseInt(short ?? long ?? '', 16), line));
    else if (plain !== undefined) pieces.push(Buffer.from(plain));
    else {
      const found = ESCAPES[escape ?? ''];
      if (found === undefined) throw new Failure(ExitCode.invalidInput, `unknown escape \\${escape ?? ''} in: ${line}`);
      pieces.push(Buffer.from(found));
    }
  }
  return Buffer.concat(pieces);
}

function rune(code: number, line: string): Buffer {
  if (code > 0x10ffff) throw new Failure(ExitCode.invalidInput, `no such character in: ${line}`);
  return Buffer.from(String.fromCodePoint(code));
}
