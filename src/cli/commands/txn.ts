import type { Operation } from '../../client/types.js';
import { sortArguments } from '../arguments.js';
import type { Command, Invocation } from '../command.js';
import type { Flags } from '../flag.js';
import { withClient } from '../connect.js';
import { ExitCode, Failure } from '../failure.js';
import { LineReader } from '../input.js';
import { note, writeOut } from '../output.js';
import { printerFor } from '../print/choose.js';
import { invocation } from '../run.js';
import { readTxn, type Section } from '../txn-grammar.js';
import { delFlags, delRequest } from './del.js';
import { getFlags, getRequest } from './get.js';
import { putFlags, putRequest } from './put.js';

const PROMPTS: Readonly<Record<Section, string>> = {
  compares: 'compares:',
  success: 'success requests (get, put, del):',
  failure: 'failure requests (get, put, del):',
};

/** One line of a list, by the same rules as the command of that name. */
async function operationOf(words: readonly string[], outer: Invocation): Promise<Operation> {
  const [name = '', ...rest] = words;
  const line = words.join(' ');
  const read = (flags: Flags): Invocation => {
    try {
      return invocation(sortArguments(rest, flags), flags, outer.globals);
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      throw new Failure(ExitCode.invalidInput, `invalid txn request: ${line} (${thrown.message})`);
    }
  };
  switch (name) {
    case 'get':
      if (rest.length === 0) break;
      return { type: 'get', ...getRequest(read(getFlags)) };
    case 'put':
      return { type: 'put', ...(await putRequest(read(putFlags), () => Promise.resolve(Buffer.alloc(0)))) };
    case 'del':
      if (rest.length === 0) break;
      return { type: 'del', ...delRequest(read(delFlags)) };
  }
  throw new Failure(ExitCode.invalidInput, `invalid txn request: ${line} (expected get KEY, put KEY VALUE or del KEY)`);
}

export const command: Command = {
  usage: 'txn [options]',
  description:
    'Processes all the requests in one transaction. Reads three lists from stdin, each ended by an empty line: ' +
    'compares, what to do when all of them hold, what to do otherwise',
  flags: { interactive: { type: 'boolean', alias: 'i', describe: 'prompt for each list' } },
  examples: [
    ['raftkv txn -i', 'and then type:'],
    ['  version("lock") = "0"', 'a compare: create, mod, version, value or lease; =, !=, < or >'],
    ['', 'an empty line ends each list'],
    ['  put lock me', 'when all compares hold'],
    ['', ''],
    ['  get lock', 'otherwise'],
    ['', ''],
  ],
  async run(call) {
    if (call.args.length > 0) throw new Failure(ExitCode.badArguments, 'txn command does not accept argument');
    const lines = new LineReader();
    const prompt = (section: Section): void => {
      if (call.isSet('interactive')) note(PROMPTS[section]);
    };
    const txn = await readTxn(
      () => lines.next(),
      (words) => operationOf(words, call),
      prompt,
    );
    lines.close();
    const [printer, response] = await Promise.all([
      printerFor(call.globals),
      withClient(call.globals, (client) => client.txn(txn)),
    ]);
    await writeOut(printer.txn(response));
    return ExitCode.ok;
  },
};
