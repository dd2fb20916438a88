import { prefixEnd, ZERO_BYTE } from '../client/ranges.js';
import type { Bytes } from '../client/types.js';
import type { Invocation } from './command.js';
import { ExitCode, Failure } from './failure.js';

export interface KeyRange {
  readonly key: Bytes;
  readonly rangeEnd?: Bytes;
}

/** The range that `<key> [range_end]` with --prefix or --from-key means. @throws Failure */
export function rangeOf(call: Invocation): KeyRange {
  const prefix = call.isSet('prefix');
  const fromKey = call.isSet('from-key');
  if (prefix && fromKey) {
    throw new Failure(ExitCode.badArguments, '`--prefix` and `--from-key` cannot be set at the same time, choose one');
  }
  const [key = '', rangeEnd] = call.args;
  if (prefix || fromKey) {
    if (rangeEnd !== undefined) {
      throw new Failure(
        ExitCode.badArguments,
        'too many arguments, only accept one argument when `--prefix` or `--from-key` is set',
      );
    }
    // The empty key cannot be asked for: a single zero byte is the first of all keys.
    return { key: key === '' ? ZERO_BYTE : key, rangeEnd: fromKey || key === '' ? ZERO_BYTE : prefixEnd(key) };
  }
  return rangeEnd === undefined ? { key } : { key, rangeEnd };
}

/** A whole number given to a flag. @throws Failure */
export function integerOf(call: Invocation, flag: string): number {
  const text = call.text(flag);
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new Failure(ExitCode.error, `invalid argument "${text}" for "--${flag}" flag: expected a whole number`);
}

/** A lease id in hexadecimal, as etcdctl prints them. @throws Failure */
export function leaseOf(text: string): bigint {
  if (/^[0-9a-fA-F]{1,16}$/.test(text)) return BigInt.asIntN(64, BigInt(`0x${text}`));
  throw new Failure(ExitCode.badArguments, `bad lease ID "${text}", expecting ID in Hex`);
}
