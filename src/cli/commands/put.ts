import type { Bytes, PutOptions } from '../../client/types.js';
import type { Command, Invocation } from '../command.js';
import { withClient } from '../connect.js';
import { ExitCode, Failure } from '../failure.js';
import { readAll } from '../input.js';
import { writeOut } from '../output.js';
import { printerFor } from '../print/choose.js';
import { leaseOf } from '../ranges.js';

export const putFlags: Command['flags'] = {
  lease: { type: 'string', describe: 'lease, in hexadecimal, to attach to the key', default: '0' },
  'prev-kv': { type: 'boolean', describe: 'answer with the key as it was before' },
  'ignore-value': { type: 'boolean', describe: 'keep the current value' },
  'ignore-lease': { type: 'boolean', describe: 'keep the current lease' },
};

export interface PutRequest {
  readonly key: string;
  readonly value: Bytes;
  readonly options: PutOptions;
}

/** The request that a put command line asks for; `input` gives the value when it is not among the arguments. @throws Failure */
export async function putRequest(call: Invocation, input: () => Promise<Buffer>): Promise<PutRequest> {
  const [key, value] = call.args;
  const ignoreValue = call.isSet('ignore-value');
  if (key === undefined) throw wrongArguments();
  if (ignoreValue && value !== undefined) {
    throw new Failure(ExitCode.badArguments, "put command needs only 1 argument when 'ignore-value' is set");
  }
  const options = {
    lease: leaseOf(call.text('lease')),
    prevKv: call.isSet('prev-kv'),
    ignoreValue,
    ignoreLease: call.isSet('ignore-lease'),
  };
  if (ignoreValue) return { key, value: '', options };
  if (value !== undefined) return { key, value, options };
  const read = await input();
  if (read.length === 0) throw wrongArguments();
  return { key, value: read, options };
}

function wrongArguments(): Failure {
  return new Failure(ExitCode.badArguments, 'put command needs 1 argument and input from stdin or 2 arguments');
}

export const command: Command = {
  usage: 'put [options] <key> [value]',
  description:
    'Puts the given key into the store. Without a value it reads the value from stdin. ' +
    'A key or value that begins with "-" goes after "--".',
  flags: putFlags,
  examples: [
    ['raftkv put greeting "hello, raft"', ''],
    ['raftkv put config < config.json', 'the value from stdin'],
    ['raftkv put offset -- -1', 'a value that looks like a flag'],
  ],
  async run(call) {
    const { key, value, options } = await putRequest(call, readAll);
    const [printer, response] = await Promise.all([
      printerFor(call.globals),
      withClient(call.globals, (client) => client.put(key, value, options)),
    ]);
    await writeOut(printer.put(response));
    return ExitCode.ok;
  },
};
