import { readEnvironment, type Environment } from './environment.js';
import { ConfigError } from './errors.js';
import { readConfigFile } from './file.js';
import { parseFlags, type Given } from './flags.js';
import { identifyCluster, type IdentifiedMember } from './identity.js';
import { options, optionKeys, type OptionKey, type OptionValues } from './options.js';
import { judgeForeign } from './unsupported.js';
import { advertised, isLoopback, isWildcard, parseUrl, type HostPort } from './urls.js';

/** A configuration that makes sense: what startDaemon takes. Times in milliseconds, sizes in bytes. */
export interface ServerConfig extends Omit<
  OptionValues,
  'dataDir' | 'initialAdvertisePeerUrls' | 'advertiseClientUrls' | 'initialCluster' | 'logFormat'
> {
  readonly dataDir: string;
  readonly initialAdvertisePeerUrls: readonly HostPort[];
  readonly advertiseClientUrls: readonly HostPort[];
  /** The members of the first configuration, by id ascending. */
  readonly initialCluster: readonly IdentifiedMember[];
  /** This member's own id in it. */
  readonly memberId: bigint;
  readonly clusterId: bigint;
  readonly logFormat: 'json' | 'console';
}

export interface LoadedConfig {
  readonly config: ServerConfig;
  /** Odd, but no reason to stop. One line each. */
  readonly warnings: readonly string[];
}

/** Where options come from besides files. */
export interface ConfigSources {
  /** The command line after `raftkv server`. */
  readonly args: readonly string[];
  readonly environment: Environment;
  /** Whether people read stderr directly: decides the default of --log-format. */
  readonly stderrIsTerminal: boolean;
}

/** Merges key by key: flag over environment over file over default. @throws ConfigError */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const flags = parseFlags(sources.args);
  const environment = readEnvironment(sources.environment);
  const path = (flags.get('config-file') ?? environment.given.get('config-file'))?.text;
  const file = path === undefined ? { given: new Map<string, Given>(), warnings: [] } : await readConfigFile(path);
  const given = new Map([...file.given, ...environment.given, ...flags]);
  given.delete('config-file');
  const warnings = [...file.warnings, ...environment.warnings];
  for (const [flag, { place, text }] of given) {
    const warning = judgeForeign(flag, text, place);
    if (warning !== null) warnings.push(warning);
  }
  const config = settle(readValues(given), sources.stderrIsTerminal);
  return { config, warnings: [...warnings, ...oddities(config)] };
}

function readValues(given: ReadonlyMap<string, Given>): OptionValues {
  const values = {} as Record<OptionKey, unknown>;
  for (const key of optionKeys) {
    const { flag, kind, defaultText } = options[key];
    const found = given.get(flag);
    if (found !== undefined) values[key] = kind.parse(found.text, found.place);
    else values[key] = defaultText === null ? null : kind.parse(defaultText, `--${flag}`);
  }
  return values as OptionValues;
}

/** Derives what was left open and holds the options against each other. */
function settle(values: OptionValues, stderrIsTerminal: boolean): ServerConfig {
  checkName(values.name);
  checkTimes(values.heartbeatIntervalMs, values.electionTimeoutMs);
  checkPorts(values.listenPeerUrls, values.listenClientUrls);
  const { name } = values;
  const peerUrls = values.initialAdvertisePeerUrls ?? values.listenPeerUrls.map(advertised);
  if (peerUrls.length > 1) {
    throw new ConfigError(`--initial-advertise-peer-urls: ${urlText(peerUrls)}: a member has one peer URL; name one`);
  }
  const members = values.initialCluster ?? [{ name, peerURLs: peerUrls.map(({ url }) => url) }];
  const own = members.find((member) => member.name === name);
  if (own === undefined) {
    const names = members.map((member) => member.name).join(', ');
    throw new ConfigError(
      `--name ${name} is not in --initial-cluster (${names}); use one of these names, or add ${name}`,
    );
  }
  if (own.peerURLs.join() !== urlText(peerUrls)) {
    throw new ConfigError(
      `--initial-cluster has ${name}=${own.peerURLs.join()}, but --initial-advertise-peer-urls is ${urlText(peerUrls)}; make them equal`,
    );
  }
  const cluster = identifyCluster(members, values.initialClusterToken);
  return {
    ...values,
    dataDir: values.dataDir ?? `${name}.raftkv`,
    initialAdvertisePeerUrls: peerUrls,
    advertiseClientUrls: values.advertiseClientUrls ?? values.listenClientUrls.map(advertised),
    initialCluster: cluster.members,
    memberId: cluster.members.find((member) => member.name === name)?.id ?? 0n,
    clusterId: cluster.clusterId,
    logFormat: values.logFormat ?? (stderrIsTerminal ? 'console' : 'json'),
  };
}

function checkName(name: string): void {
  if (/^[^\s,=/\\\0]+$/.test(name)) return;
  throw new ConfigError(`--name: expected a name without spaces, commas, "=" and slashes, found "${name}"`);
}

function checkTimes(heartbeatMs: number, electionMs: number): void {
  if (electionMs >= 5 * heartbeatMs) return;
  throw new ConfigError(
    `--election-timeout ${electionMs} ms is too short for --heartbeat-interval ${heartbeatMs} ms; ` +
      `it must be at least 5 times as long (${5 * heartbeatMs} ms)`,
  );
}

function checkPorts(peer: readonly HostPort[], client: readonly HostPort[]): void {
  for (const one of peer) {
    const other = client.find((candidate) => candidate.port === one.port && mayCollide(candidate.host, one.host));
    if (other !== undefined) {
      throw new ConfigError(
        `--listen-peer-urls ${one.url} and --listen-client-urls ${other.url} are the same port; give each its own`,
      );
    }
  }
}

function mayCollide(a: string, b: string): boolean {
  return a === b || isWildcard(a) || isWildcard(b);
}

function urlText(urls: readonly HostPort[]): string {
  return urls.map(({ url }) => url).join(',');
}

/** The classic mistakes of a first cluster: they start, and then nobody finds anybody. */
function oddities(config: ServerConfig): string[] {
  const found: string[] = [];
  const hosts = config.initialCluster.flatMap(({ peerURLs }) => peerURLs.map((url) => parseUrl('', url).host));
  const spansMachines = hosts.some((host) => !isLoopback(host) && !isWildcard(host));
  const checks = [
    ['--initial-advertise-peer-urls', config.initialAdvertisePeerUrls],
    ['--advertise-client-urls', config.advertiseClientUrls],
  ] as const;
  for (const [flag, urls] of checks) {
    for (const { url, host } of urls) {
      if (isWildcard(host))
        found.push(`${flag} ${url}: nobody can connect to a wildcard; name the address of this machine`);
      else if (spansMachines && isLoopback(host)) {
        found.push(`${flag} ${url}: reaches this machine only, but the cluster spans several; name its address`);
      }
    }
  }
  if (config.maxRequestBytes > 10 * 1024 * 1024) {
    found.push(`--max-request-bytes ${config.maxRequestBytes}: requests above 10 MiB delay all others`);
  }
  return found;
}
