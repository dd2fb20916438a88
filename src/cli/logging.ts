import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import pino, { type DestinationStream } from 'pino';
import type { ServerConfig } from '../config/config.js';
import { ConfigError } from '../config/errors.js';
import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';

/** The daemon's logger, as --log-level, --log-format and --log-outputs ask. @throws ConfigError when a file cannot be opened. */
export function openLogger(config: Pick<ServerConfig, 'name' | 'logLevel' | 'logFormat' | 'logOutputs'>): Logger {
  const outputs = [...new Set(config.logOutputs)].map(openOutput);
  const streams = outputs.map((stream) => ({
    level: config.logLevel,
    stream: config.logFormat === 'console' ? readable(stream) : stream,
  }));
  return pino(
    {
      level: config.logLevel,
      base: { member: config.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.multistream(streams),
  );
}

/** Synchronous: the last words of a process that dies are the ones that matter. */
function openOutput(name: string): DestinationStream {
  if (name === 'default' || name === 'stderr') return pino.destination({ dest: 2, sync: true });
  if (name === 'stdout') return pino.destination({ dest: 1, sync: true });
  try {
    mkdirSync(dirname(name), { recursive: true });
    return pino.destination({ dest: name, append: true, sync: true });
  } catch (thrown) {
    throw new ConfigError(`--log-outputs ${name}: ${asError(thrown).message}; name a file that can be written`);
  }
}

interface LogLine extends Record<string, unknown> {
  readonly level: string;
  readonly time: string;
  readonly member: string;
  readonly msg: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
}

/** `10:42:07.123 INFO  n1 became leader  term=3`: for people at a terminal. */
function readable(stream: DestinationStream): DestinationStream {
  return { write: (line) => stream.write(formatLine(JSON.parse(line) as LogLine)) };
}

/** One event in one line; the stack of an error follows on lines of its own. */
export function formatLine({ level, time, member, msg, err, ...fields }: LogLine): string {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`);
  const error = err === undefined ? '' : ` err=${plain(err.message ?? '')}`;
  const stack = err?.stack === undefined || level === 'info' || level === 'warn' ? '' : `${err.stack}\n`;
  return `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${member} ${msg} ${rest.join('')}${error}\n${stack}`;
}

function plain(value: unknown): string {
  return typeof value === 'string' && /^[^\s="]+$/.test(value) ? value : JSON.stringify(value);
}
