import { readFileSync } from 'node:fs';
import type { ErrorCode, YAMLError } from 'yaml';
import { asError } from '../lib/errors.js';
import { ConfigError } from './errors.js';
import type { Given } from './flags.js';
import { optionByFlag } from './options.js';
import { didYouMean } from './suggest.js';
import { foreignFlags } from './unsupported.js';

/**
 * Options from a YAML or JSON file (JSON is YAML), by flag name. Keys without a value count as not set.
 * The parser is loaded only when there is a file.
 * @throws ConfigError that names file and line.
 */
export async function readConfigFile(path: string): Promise<{ given: Map<string, Given>; warnings: string[] }> {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new ConfigError(`cannot read config file ${path}: ${asError(thrown).message}`);
  }
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => `${path}:${lines.linePos(offset).line}`;
  const damage = document.errors[0];
  if (damage !== undefined) throw new ConfigError(`${at(damage.pos[0])}: ${whatIsBroken(damage)}`);

  const given = new Map<string, Given>();
  const warnings: string[] = [];
  if (document.contents === null) return { given, warnings };
  if (!isMap(document.contents)) {
    throw new ConfigError(`${path}: expected lines such as "name: n1", found something else`);
  }
  for (const pair of document.contents.items) {
    const keyOffset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const place = `${at(keyOffset)}: ${key}`;
    const value = (pair.value as { toJSON?: () => unknown } | null)?.toJSON?.() ?? null;
    if (!optionByFlag.has(key) && !foreignFlags.has(key)) {
      throw new ConfigError(`${at(keyOffset)}: unknown key "${key}"${didYouMean(key, optionByFlag.keys())}`);
    }
    const text = asText(key, value, place, warnings);
    if (text !== null) given.set(key, { place, text });
  }
  return { given, warnings };
}

function whatIsBroken(damage: YAMLError): string {
  const code: ErrorCode = damage.code;
  if (code === 'DUPLICATE_KEY') return 'this key is there twice; keep one';
  if (code === 'TAB_AS_INDENT') return 'indented with a tab; use spaces';
  return `no valid YAML or JSON: ${damage.message.split('\n')[0] ?? ''}`;
}

/** A value of the file as a flag would have it; null when it says nothing. */
function asText(key: string, value: unknown, place: string, warnings: string[]): string | null {
  if (value === null || value === '') return null;
  if (typeof value === 'number' && optionByFlag.get(key)?.option.kind.fileNumbersAreNanoseconds === true) {
    warnings.push(`${place} ${value} is read as nanoseconds, as etcd does; write a unit, such as ${value / 1e9}s`);
    return `${value}ns`;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.map(String).join(',');
  const entries = Object.entries(value as Record<string, unknown>);
  // A section of etcd's sample file in which nothing is switched on.
  if (foreignFlags.has(key)) {
    const inUse = entries.find(([, inner]) => inner !== null && inner !== '' && inner !== false);
    return inUse === undefined ? null : `${inUse[0]}: ${String(inUse[1])}`;
  }
  if (key === 'initial-cluster') return entries.map(([name, url]) => `${name}=${String(url)}`).join(',');
  throw new ConfigError(`${place}: expected one value, found a section`);
}
