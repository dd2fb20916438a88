import { parseGoDuration } from '../lib/duration.js';
import type { Flags } from './flag.js';
import { ExitCode, Failure } from './failure.js';

export const FORMATS = ['simple', 'json', 'fields', 'table'] as const;
export type Format = (typeof FORMATS)[number];

/** What holds for every command that asks a cluster. */
export interface Globals {
  readonly endpoints: readonly string[];
  readonly dialTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly format: Format;
  /** Keys and values as \x00 escapes. */
  readonly hex: boolean;
}

export const globalFlags = {
  endpoints: { type: 'string', describe: 'members to ask, comma-separated', default: '127.0.0.1:2379' },
  'dial-timeout': { type: 'string', describe: 'time allowed for connecting', default: '2s' },
  'command-timeout': { type: 'string', describe: 'time allowed for the answer', default: '5s' },
  'write-out': { type: 'string', alias: 'w', describe: `output format: ${FORMATS.join(', ')}`, default: 'simple' },
  hex: { type: 'boolean', describe: 'print keys and values as hex', default: false },
} as const satisfies Flags;

const ignored = { type: 'string', describe: '', hidden: true } as const;
const ignoredSwitch = { type: 'boolean', describe: '', hidden: true } as const;

/** etcdctl's global flags that change nothing on plain connections: accepted, so that its scripts run. */
export const toleratedFlags = {
  'keepalive-time': ignored,
  'keepalive-timeout': ignored,
  debug: ignoredSwitch,
  'insecure-transport': ignoredSwitch,
  'insecure-discovery': ignoredSwitch,
  'insecure-skip-tls-verify': ignoredSwitch,
} as const satisfies Flags;

/** Its flags whose user would count on something that does not happen: refused by name. */
export const refusedFlags = {
  cacert: ignored,
  cert: ignored,
  key: ignored,
  user: ignored,
  password: ignored,
  'discovery-srv': { ...ignored, alias: 'd' },
  'discovery-srv-name': ignored,
} as const satisfies Flags;

/** Global flags that the environment may set: RAFTKV_ENDPOINTS, and ETCDCTL_ENDPOINTS for those who come from etcd. */
export function fromEnvironment(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  const suffix = name.toUpperCase().replaceAll('-', '_');
  return environment[`RAFTKV_${suffix}`] || environment[`ETCDCTL_${suffix}`] || undefined;
}

/** `textOf` gives a flag's text: given, from the environment, or default. @throws Failure */
export function readGlobals(textOf: (flag: string) => string): Globals {
  const format = textOf('write-out');
  if (!(FORMATS as readonly string[]).includes(format)) {
    throw new Failure(
      ExitCode.unsupported,
      `unsupported output format "${format}"; choose one of ${FORMATS.join(', ')}`,
    );
  }
  return {
    endpoints: textOf('endpoints')
      .split(',')
      .map((endpoint) => endpoint.trim())
      .filter((endpoint) => endpoint !== ''),
    dialTimeoutMs: duration('dial-timeout', textOf('dial-timeout')),
    commandTimeoutMs: duration('command-timeout', textOf('command-timeout')),
    format: format as Format,
    hex: textOf('hex') === 'true',
  };
}

function duration(flag: string, text: string): number {
  const ms = parseGoDuration(text);
  if (ms !== null && ms >= 0) return ms;
  throw new Failure(ExitCode.error, `invalid argument "${text}" for "--${flag}" flag: expected a duration such as 5s`);
}
