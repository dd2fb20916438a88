import type { Command } from '../command.js';
import { withClient } from '../connect.js';
import { ExitCode, Failure } from '../failure.js';
import { writeOut } from '../output.js';
import { printerFor } from '../print/choose.js';

export const command: Command = {
  usage: 'compaction [options] <revision>',
  description: 'Forgets the history before a revision; the keys as they stand are not touched',
  flags: { physical: { type: 'boolean', describe: 'wait until the space is free' } },
  examples: [
    ['raftkv compaction 1200', ''],
    ['raftkv compaction --physical 1200', 'and wait for it'],
  ],
  hasTable: true,
  async run(call) {
    const [text] = call.args;
    if (text === undefined || call.args.length > 1) {
      throw new Failure(ExitCode.badArguments, 'compaction command needs 1 argument');
    }
    const revision = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(revision)) {
      throw new Failure(
        ExitCode.error,
        `"${text}" is no revision: expected a whole number; \`raftkv get KEY -w json\` shows it`,
      );
    }
    const [printer, response] = await Promise.all([
      printerFor(call.globals),
      withClient(call.globals, (client) => client.compact(revision, { physical: call.isSet('physical') })),
    ]);
    await writeOut(printer.compact(response, revision));
    return ExitCode.ok;
  },
};
