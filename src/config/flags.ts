import { ConfigError } from './errors.js';
import { optionByFlag } from './options.js';
import { didYouMean } from './suggest.js';
import { foreignFlags, isForeignBoolean } from './unsupported.js';

/** Where a value was written, for messages, and what was written. */
export interface Given {
  /** `--data-dir`, `RAFTKV_DATA_DIR`, `n1.yaml:4: data-dir`. */
  readonly place: string;
  readonly text: string;
}

/**
 * Reads flags as Go's flag package does, since that is what etcd's users write: `--name n1`, `--name=n1`, `-name n1`;
 * a boolean takes its value only after `=`. The last of several wins.
 * @throws ConfigError
 */
export function parseFlags(args: readonly string[]): Map<string, Given> {
  const given = new Map<string, Given>();
  for (let position = 0; position < args.length; position++) {
    const arg = args[position] ?? '';
    const parts = /^--?([a-zA-Z][^=]*)(?:=([\s\S]*))?$/.exec(arg);
    if (parts === null) {
      throw new ConfigError(`"${arg}" is no flag: server takes only flags such as --name n1; see raftkv server --help`);
    }
    const flag = parts[1] ?? '';
    const isBoolean = mustKnow(flag, arg).isBoolean;
    let text = parts[2];
    if (text === undefined && isBoolean) text = 'true';
    if (text === undefined) {
      position += 1;
      text = args[position];
      if (text === undefined) throw new ConfigError(`--${flag} needs a value; write --${flag}=VALUE`);
    }
    given.set(flag, { place: `--${flag}`, text });
  }
  return given;
}

function mustKnow(flag: string, arg: string): { readonly isBoolean: boolean } {
  if (flag === 'config-file') return { isBoolean: false };
  const known = optionByFlag.get(flag);
  if (known !== undefined) return { isBoolean: known.option.kind.isBoolean === true };
  if (foreignFlags.has(flag)) return { isBoolean: isForeignBoolean(flag) };
  const flags = ['config-file', ...optionByFlag.keys()];
  throw new ConfigError(
    `unknown flag ${arg.replace(/=[\s\S]*/, '')}${didYouMean(flag, flags, '--') || '; see raftkv server --help'}`,
  );
}
