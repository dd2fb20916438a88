import type { DeleteOptions } from '../../client/types.js';
import type { Command, Invocation } from '../command.js';
import { withClient } from '../connect.js';
import { ExitCode, Failure } from '../failure.js';
import { writeOut } from '../output.js';
import { printerFor } from '../print/choose.js';
import { rangeOf, type KeyRange } from '../ranges.js';

export const delFlags: Command['flags'] = {
  prefix: { type: 'boolean', describe: 'all keys that begin with <key>' },
  'from-key': { type: 'boolean', describe: 'all keys from <key> on, in byte order' },
  'prev-kv': { type: 'boolean', describe: 'answer with the keys as they were' },
};

/** The request that a del command line asks for. @throws Failure */
export function delRequest(call: Invocation): KeyRange & { readonly options: DeleteOptions } {
  if (call.args.length === 0 || call.args.length > 2) {
    throw new Failure(
      ExitCode.badArguments,
      'del command needs one argument as key and an optional argument as range_end',
    );
  }
  const range = rangeOf(call);
  const prevKv = call.isSet('prev-kv');
  return { ...range, options: range.rangeEnd === undefined ? { prevKv } : { rangeEnd: range.rangeEnd, prevKv } };
}

export const command: Command = {
  usage: 'del [options] <key> [range_end]',
  description: 'Removes the specified key or range of keys [key, range_end). Prints how many there were.',
  flags: delFlags,
  examples: [
    ['raftkv del greeting', ''],
    ['raftkv del --prefix jobs/', 'everything below jobs/'],
    ['raftkv del --from-key ""', 'everything'],
  ],
  async run(call) {
    const { key, options } = delRequest(call);
    const [printer, response] = await Promise.all([
      printerFor(call.globals),
      withClient(call.globals, (client) => client.del(key, options)),
    ]);
    await writeOut(printer.del(response));
    return ExitCode.ok;
  },
};
