import { ClientError } from './errors.js';
import { RemoteClient, type RemoteClientOptions } from './remote-client.js';

/** Whether one endpoint can commit. */
export interface Health {
  readonly endpoint: string;
  readonly healthy: boolean;
  /** Milliseconds, with fractions. */
  readonly tookMs: number;
  /** Null when healthy. */
  readonly error: ClientError | null;
}

const PERMISSION_DENIED = 7;

/** Asks one member for a linearizable read. Being refused the key is as good as an answer: the cluster agreed on it. */
export async function checkHealth(
  endpoint: string,
  options: Omit<RemoteClientOptions, 'endpoints'> = {},
): Promise<Health> {
  const client = new RemoteClient({ ...options, endpoints: [endpoint] });
  const started = performance.now();
  let error: ClientError | null = null;
  try {
    await client.get('health');
  } catch (thrown) {
    if (!(thrown instanceof ClientError)) throw thrown;
    if (thrown.status !== PERMISSION_DENIED) error = thrown;
  } finally {
    client.close();
  }
  return { endpoint, healthy: error === null, tookMs: performance.now() - started, error };
}
