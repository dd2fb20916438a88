import { formatGoDuration, parseGoDuration } from '../lib/duration.js';
import { ConfigError } from './errors.js';
import { parseInitialCluster, type InitialMember } from './initial-cluster.js';
import { parseUrls, type HostPort } from './urls.js';

/** How the text of an option becomes its value. Flags, environment and file all arrive here as text. */
export interface Kind<T> {
  /** For the help: `duration`, `count`, ... */
  readonly label: string;
  /** Unit of the value in code, for the documentation. Empty when there is none. */
  readonly unit: string;
  /** Go reads a lone `--flag` as true only for these. */
  readonly isBoolean?: boolean;
  /** A lone number in a file is what etcd's own file format takes it for. */
  readonly fileNumbersAreNanoseconds?: boolean;
  /** `option` begins the message. @throws ConfigError */
  parse(text: string, option: string): T;
}

export const text: Kind<string> = { label: 'text', unit: '', parse: (given) => given };

export const boolean: Kind<boolean> = {
  label: 'true|false',
  unit: '',
  isBoolean: true,
  parse(given, option) {
    if (/^(1|t|true)$/i.test(given)) return true;
    if (/^(0|f|false)$/i.test(given)) return false;
    throw new ConfigError(`${option}: expected true or false, found "${given}"`);
  },
};

/** A whole number within bounds. `unit` is for the documentation. */
export function wholeNumber(unit: string, least: number, most: number): Kind<number> {
  return {
    label: 'number',
    unit,
    parse(given, option) {
      const value = /^\d{1,15}$/.test(given) ? Number(given) : NaN;
      if (value >= least && value <= most) return value;
      throw new ConfigError(`${option}: expected a whole number from ${least} to ${most}, found "${given}"`);
    },
  };
}

/** Milliseconds. With `bareMs` a lone number counts milliseconds, as etcd has it for its two raft intervals. */
export function duration(leastMs: number, mostMs: number, options: { readonly bareMs: boolean }): Kind<number> {
  const bounds = `from ${formatGoDuration(leastMs)} to ${formatGoDuration(mostMs)}`;
  return {
    label: 'duration',
    unit: 'ms',
    fileNumbersAreNanoseconds: !options.bareMs,
    parse(given, option) {
      const valueMs = options.bareMs && /^\d{1,15}$/.test(given) ? Number(given) : parseGoDuration(given);
      if (valueMs !== null && valueMs >= leastMs && valueMs <= mostMs) return valueMs;
      const example = options.bareMs ? '100 or 100ms' : '500ms, 10s or 2h';
      throw new ConfigError(`${option}: expected a duration such as ${example}, ${bounds}, found "${given}"`);
    },
  };
}

export function oneOf<T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    label: choices.join('|'),
    unit: '',
    parse(given, option) {
      const choice = choices.find((candidate) => candidate === given);
      if (choice !== undefined) return choice;
      throw new ConfigError(`${option}: expected ${choices.join(' or ')}, found "${given}"`);
    },
  };
}

export const urls: Kind<readonly HostPort[]> = {
  label: 'http://host:port,...',
  unit: '',
  parse: (given, option) => parseUrls(option, given),
};

export const initialCluster: Kind<readonly InitialMember[]> = {
  label: 'name=http://host:port,...',
  unit: '',
  parse: (given) => parseInitialCluster(given),
};

export const list: Kind<readonly string[]> = {
  label: 'one,two,...',
  unit: '',
  parse(given, option) {
    const parts = given.split(',').map((part) => part.trim());
    if (parts.includes('')) throw new ConfigError(`${option}: an entry between the commas of "${given}" is empty`);
    return parts;
  },
};
