import { ConfigError } from './errors.js';
import { parseUrl } from './urls.js';

/** One member of the first configuration. */
export interface InitialMember {
  readonly name: string;
  readonly peerURLs: readonly string[];
}

/**
 * `n1=http://h1:2380,n2=http://h2:2380`: each member once, with its one peer URL.
 * @throws ConfigError
 */
export function parseInitialCluster(text: string): InitialMember[] {
  const members = new Map<string, string>();
  const ownerByUrl = new Map<string, string>();
  for (const part of text.split(',').map((entry) => entry.trim())) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0));
    if (name === '') {
      throw new ConfigError(`--initial-cluster: expected name=http://host:port entries, found "${part}"`);
    }
    const { url } = parseUrl('--initial-cluster', part.slice(equals + 1));
    if (members.has(name)) {
      throw new ConfigError(`--initial-cluster: ${name} is listed twice; each member has one name and one peer URL`);
    }
    const owner = ownerByUrl.get(url);
    if (owner !== undefined) {
      throw new ConfigError(`--initial-cluster: ${owner} and ${name} both have ${url}; each member needs its own`);
    }
    members.set(name, url);
    ownerByUrl.set(url, name);
  }
  return [...members].map(([name, url]) => ({ name, peerURLs: [url] }));
}
