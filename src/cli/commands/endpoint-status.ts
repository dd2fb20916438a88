import { asError } from '../../lib/errors.js';
import type { Command } from '../command.js';
import { endpointsOf, withClient } from '../connect.js';
import { ExitCode } from '../failure.js';
import { note, writeOut } from '../output.js';
import { printerFor } from '../print/choose.js';
import type { EndpointStatus } from '../print/printer.js';

export const command: Command = {
  usage: 'endpoint status [options]',
  description:
    'Prints out the status of the endpoints specified in --endpoints. With -w simple a line each: ' +
    'endpoint, ID, version, db size, is leader, is learner, raft term, raft index, raft applied index, errors',
  flags: { cluster: { type: 'boolean', describe: 'all endpoints of the member list' } },
  examples: [['raftkv endpoint status --cluster -w table', 'the whole cluster']],
  hasTable: true,
  async run(call) {
    const endpoints = await endpointsOf(call.globals, call.isSet('cluster'));
    const answers = await Promise.allSettled(
      endpoints.map((endpoint) => withClient({ ...call.globals, endpoints: [endpoint] }, (client) => client.status())),
    );
    const list: EndpointStatus[] = [];
    let exitCode: ExitCode = ExitCode.ok;
    for (const [position, answer] of answers.entries()) {
      const endpoint = endpoints[position] ?? '';
      if (answer.status === 'fulfilled') {
        list.push({ endpoint, status: answer.value });
      } else {
        exitCode = ExitCode.error;
        note(`Failed to get the status of endpoint ${endpoint} (${asError(answer.reason).message})`);
      }
    }
    await writeOut((await printerFor(call.globals)).endpointStatus(list));
    return exitCode;
  },
};
