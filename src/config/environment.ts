import type { Given } from './flags.js';
import { environmentName, optionByFlag } from './options.js';
import { nearest } from './suggest.js';
import { foreignFlags } from './unsupported.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names that belong to the command line client or to Kubernetes, which describes a Service called raftkv by them. */
const NOT_OURS = /^RAFTKV_(ENDPOINTS|DIAL_TIMEOUT|COMMAND_TIMEOUT|WRITE_OUT|HEX|(SERVICE|PORT)(_.*)?)$/;

/** RAFTKV_* of the environment by flag name. An empty value counts as not set, as in etcd. Unknown names only warn. */
export function readEnvironment(environment: Environment): { given: Map<string, Given>; warnings: string[] } {
  const flagByName = new Map(
    ['config-file', ...optionByFlag.keys(), ...foreignFlags].map((flag) => [environmentName(flag), flag]),
  );
  const given = new Map<string, Given>();
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('RAFTKV_') || text === undefined || text === '') continue;
    const flag = flagByName.get(name);
    if (flag !== undefined) {
      given.set(flag, { place: name, text });
    } else if (!NOT_OURS.test(name)) {
      const meant = nearest(name, [...optionByFlag.keys()].map(environmentName));
      warnings.push(`environment variable ${name} is unknown${meant === undefined ? '' : `; did you mean ${meant}?`}`);
    }
  }
  return { given, warnings };
}
