import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { encodeRangeRequest } from '../kv/wire/encode.js';
import { asError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import type { MemberApi } from '../member/api.js';
import { statusOf } from './errors.js';
import { ETCD_CLUSTER_VERSION, ETCD_VERSION } from './etcd-version.js';

export interface HttpRoutesOptions {
  readonly member: MemberApi;
  readonly logger: Logger;
  /** raftkv's own version, told in the `server` header of every response. */
  readonly version: string;
}

/** Resolves when all is well; rejects with the reason in a few words. */
type Check = () => Promise<void>;

/** What is asked of HTTP/1.1 on the client port: /health, /livez, /readyz and /version, as etcd answers them. */
export function httpRoutes({ member, logger, version }: HttpRoutesOptions): RequestListener {
  const linearizableRead: Check = () =>
    new Promise((resolve, reject) => {
      member.linearizableRead((error) => (error ? reject(failure(error)) : resolve()));
    });
  const serializableRead: Check = () =>
    new Promise((resolve, reject) => {
      member.range(LOCAL_READ, (error) => (error ? reject(failure(error)) : resolve()));
    });
  const failure = (error: Error) => new Error(statusOf(error, logger).message);
  const always: Check = () => Promise.resolve();

  /** In etcd's order. What cannot go wrong in this version (no alarms, no learners) is listed all the same. */
  const readiness: ReadonlyMap<string, Check> = new Map([
    ['data_corruption', always],
    ['serializable_read', serializableRead],
    ['linearizable_read', linearizableRead],
    ['non_learner', always],
  ]);
  const liveness: ReadonlyMap<string, Check> = new Map([['serializable_read', serializableRead]]);

  const health = async (query: URLSearchParams): Promise<string> => {
    const isSerializable = query.get('serializable') === 'true';
    if (!isSerializable && member.status().leaderId === null) return 'RAFT NO LEADER';
    try {
      await (isSerializable ? serializableRead() : linearizableRead());
      return '';
    } catch (thrown) {
      return `RANGE ERROR:${asError(thrown).message}`;
    }
  };

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Not parsed as a URL: what comes here may be none.
    const [pathname = '', query = ''] = (request.url ?? '').split('?', 2);
    const searchParams = new URLSearchParams(query);
    const [, first = '', name] = pathname.split('/');
    const checks = first === 'livez' ? liveness : first === 'readyz' ? readiness : null;
    const isKnown =
      pathname === '/health' ||
      pathname === '/version' ||
      (checks &&
        (pathname === `/${first}` || (name !== undefined && checks.has(name) && pathname === `/${first}/${name}`)));
    if (!isKnown) return sendText(response, 404, '404 page not found\n');
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      return sendText(response, 405, 'Method Not Allowed\n');
    }
    if (pathname === '/version') {
      return sendJson(response, 200, { etcdserver: ETCD_VERSION, etcdcluster: ETCD_CLUSTER_VERSION });
    }
    if (!checks) {
      const reason = await health(searchParams);
      return sendJson(response, reason === '' ? 200 : 503, { health: reason === '' ? 'true' : 'false', reason });
    }
    const asked = name === undefined ? checks : new Map([[name, checks.get(name) as Check]]);
    const { isWell, lines } = await runChecks(asked, searchParams.getAll('exclude'));
    if (!isWell) return sendText(response, 503, `${lines}${pathname} check failed\n`);
    sendText(response, 200, searchParams.has('verbose') ? `${lines}ok\n` : 'ok\n');
  };

  return (request, response) => {
    response.setHeader('server', `raftkv/${version}`);
    route(request, response).catch((thrown: unknown) => {
      const error = asError(thrown);
      logger.error({ err: error }, 'http request failed unexpectedly');
      if (!response.headersSent) sendText(response, 500, 'Internal Server Error\n');
      else response.destroy();
    });
  };
}

/** A read of one key, which need not exist, answered by this member alone. */
const LOCAL_READ = encodeRangeRequest({ key: 'health', serializable: true });

/** One line per check, as Kubernetes prints its own. */
async function runChecks(
  checks: ReadonlyMap<string, Check>,
  excluded: readonly string[],
): Promise<{ isWell: boolean; lines: string }> {
  let isWell = true;
  let lines = '';
  for (const [name, check] of checks) {
    if (excluded.includes(name)) {
      lines += `[+]${name} excluded: ok\n`;
      continue;
    }
    try {
      await check();
      lines += `[+]${name} ok\n`;
    } catch (thrown) {
      isWell = false;
      lines += `[-]${name} failed: ${asError(thrown).message}\n`;
    }
  }
  return { isWell, lines };
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

function sendJson(response: ServerResponse, status: number, content: object): void {
  const text = JSON.stringify(content);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
