import type { Command } from '../command.js';
import { withClient } from '../connect.js';
import { ExitCode, Failure } from '../failure.js';
import { writeOut } from '../output.js';
import { printerFor } from '../print/choose.js';

export const command: Command = {
  usage: 'member list',
  description:
    'Lists all members in the cluster. With -w simple a line each: ' +
    'ID, status, name, peer addresses, client addresses, is learner',
  flags: {},
  examples: [['raftkv member list -w table', '']],
  hasTable: true,
  async run(call) {
    if (call.args.length > 0) throw new Failure(ExitCode.badArguments, 'member list command takes no arguments');
    const [printer, response] = await Promise.all([
      printerFor(call.globals),
      withClient(call.globals, (client) => client.memberList()),
    ]);
    await writeOut(printer.memberList(response));
    return ExitCode.ok;
  },
};
