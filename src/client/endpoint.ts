import { ClientError } from './errors.js';

/** `host:port`, with or without `http://` in front, as gRPC's target. @throws ClientError */
export function targetOf(endpoint: string): string {
  const refuse = (why: string): never => {
    throw new ClientError('CLIENT_BAD_ENDPOINT', `endpoint "${endpoint}": ${why}`, { endpoint });
  };
  if (/^(https|unixs):/i.test(endpoint)) return refuse('TLS is not supported yet; use http://host:port');
  if (/^unix:/i.test(endpoint)) return endpoint;
  const parts = /^(?:http:\/\/)?(\[[0-9a-fA-F:.%]+\]|[^/:@?#[\]\s]+):(\d{1,5})\/?$/i.exec(endpoint);
  if (parts === null) return refuse('expected host:port, such as 127.0.0.1:2379');
  return `dns:${parts[1] ?? ''}:${parts[2] ?? ''}`;
}
