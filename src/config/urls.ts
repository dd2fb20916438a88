import { ConfigError } from './errors.js';

/** Where to listen, or where a peer or client finds us. Plain HTTP: TLS comes with a later version. */
export interface HostPort {
  /** As it was written, without a slash at the end. */
  readonly url: string;
  /** A name or an address, IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** `option` is named in the message. @throws ConfigError */
export function parseUrl(option: string, text: string): HostPort {
  const wanted = `${option}: expected http://host:port, found "${text}"`;
  if (/^https:\/\//i.test(text)) {
    throw new ConfigError(`${wanted}: TLS is not supported yet by this version; use http://`);
  }
  if (/^unixs?:/i.test(text)) {
    throw new ConfigError(`${wanted}: unix sockets are not supported yet by this version; use http://host:port`);
  }
  const parts = /^http:\/\/(?:\[([0-9a-fA-F:.%]+)\]|([^/:@?#[\]\s]+)):(\d{1,5})\/?$/i.exec(text);
  if (parts === null) throw new ConfigError(`${wanted}${whatIsWrong(text)}`);
  const port = Number(parts[3]);
  if (port < 1 || port > 65_535) throw new ConfigError(`${wanted}: the port must be between 1 and 65535`);
  return { url: text.replace(/\/$/, ''), host: (parts[1] ?? parts[2]) as string, port };
}

function whatIsWrong(text: string): string {
  if (text === '') return '; an entry between the commas is empty';
  if (!text.includes('://')) return '; the scheme is missing: write http:// in front';
  if (/^http:\/\/(\[[^\]]*\]|[^/:]+)\/?$/.test(text)) return '; the port is missing';
  if (/^http:\/\/[^/]+\/./.test(text)) return '; remove the path';
  return '';
}

/** A comma-separated list of URLs without repetitions. @throws ConfigError */
export function parseUrls(option: string, text: string): HostPort[] {
  const urls = text.split(',').map((part) => parseUrl(option, part.trim()));
  const seen = new Set<string>();
  for (const { url } of urls) {
    if (seen.has(url)) throw new ConfigError(`${option}: ${url} is listed twice; list it once`);
    seen.add(url);
  }
  return urls;
}

/** Listens everywhere, so it says nothing about where the member can be reached. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Reaches only this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** `url` as other machines may use it: a wildcard becomes localhost. */
export function advertised(listen: HostPort): HostPort {
  if (!isWildcard(listen.host)) return listen;
  return { url: `http://localhost:${listen.port}`, host: 'localhost', port: listen.port };
}
