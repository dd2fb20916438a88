import type { Logger } from '../../src/lib/logger.js';

/** Puts what a member logs into the trace. */
export function tracingLogger(write: (line: string) => void): Logger {
  const at = (level: string) => (fields: object, message: string) => write(`${level}: ${message} ${shown(fields)}`);
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: () => logger,
  };
  return logger;
}

function shown(fields: object): string {
  return JSON.stringify(fields, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString(16);
    return value instanceof Error ? `${value.name}: ${value.message}` : value;
  });
}
