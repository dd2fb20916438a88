import { formatGoDuration } from '../../lib/duration.js';
import type { Command } from '../command.js';
import { endpointsOf } from '../connect.js';
import { ExitCode, Failure } from '../failure.js';
import { note, writeOut } from '../output.js';
import { printerFor } from '../print/choose.js';

export const command: Command = {
  usage: 'endpoint health [options]',
  description:
    'Checks whether the endpoints specified in --endpoints can commit; -w simple tells it on stderr, as etcdctl does',
  flags: { cluster: { type: 'boolean', describe: 'all endpoints of the member list' } },
  examples: [['raftkv endpoint health --cluster -w table', 'the whole cluster']],
  hasTable: true,
  async run(call) {
    const endpoints = await endpointsOf(call.globals, call.isSet('cluster'));
    const { checkHealth } = await import('../../client/health.js');
    const list = await Promise.all(endpoints.map((endpoint) => checkHealth(endpoint, call.globals)));
    const output = (await printerFor(call.globals)).endpointHealth(list);
    if (output !== null) await writeOut(output);
    else for (const { endpoint, error, tookMs } of list) note(healthLine(endpoint, error, tookMs));
    if (list.every(({ healthy }) => healthy)) return ExitCode.ok;
    throw new Failure(ExitCode.error, 'unhealthy cluster');
  },
};

function healthLine(endpoint: string, error: Error | null, tookMs: number): string {
  return error === null
    ? `${endpoint} is healthy: successfully committed proposal: took = ${formatGoDuration(tookMs)}`
    : `${endpoint} is unhealthy: failed to commit proposal: ${error.message}`;
}
