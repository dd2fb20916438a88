import type { GetOptions, SortOrder, SortTarget } from '../../client/types.js';
import type { Command, Invocation } from '../command.js';
import { withClient } from '../connect.js';
import { ExitCode, Failure } from '../failure.js';
import { writeOut } from '../output.js';
import { printerFor } from '../print/choose.js';
import { integerOf, rangeOf, type KeyRange } from '../ranges.js';

const SORT_TARGETS: Readonly<Record<string, SortTarget>> = {
  CREATE: 'CREATE',
  KEY: 'KEY',
  MODIFY: 'MOD',
  VALUE: 'VALUE',
  VERSION: 'VERSION',
};

export const getFlags: Command['flags'] = {
  prefix: { type: 'boolean', describe: 'all keys that begin with <key>' },
  'from-key': { type: 'boolean', describe: 'all keys from <key> on, in byte order' },
  limit: { type: 'string', describe: 'most keys to answer with, 0 for all', default: '0' },
  rev: { type: 'string', describe: 'as of this revision, 0 for the newest', default: '0' },
  order: { type: 'string', describe: 'ASCEND or DESCEND', default: '' },
  'sort-by': { type: 'string', describe: 'CREATE, KEY, MODIFY, VALUE or VERSION', default: '' },
  'keys-only': { type: 'boolean', describe: 'only the keys' },
  'count-only': { type: 'boolean', describe: 'only how many there are' },
  'print-value-only': { type: 'boolean', describe: 'only the values; with -w simple' },
  consistency: { type: 'string', describe: 'l: linearizable, s: serializable, from one member alone', default: 'l' },
};

/** The request that a get command line asks for. @throws Failure */
export function getRequest(call: Invocation): KeyRange & { readonly options: GetOptions } {
  if (call.args.length === 0) {
    throw new Failure(
      ExitCode.badArguments,
      'get command needs one argument as key and an optional argument as range_end',
    );
  }
  if (call.isSet('keys-only') && call.isSet('count-only')) {
    throw new Failure(
      ExitCode.badArguments,
      '`--keys-only` and `--count-only` cannot be set at the same time, choose one',
    );
  }
  const range = rangeOf(call);
  return {
    ...range,
    options: {
      ...(range.rangeEnd === undefined ? {} : { rangeEnd: range.rangeEnd }),
      limit: integerOf(call, 'limit'),
      revision: integerOf(call, 'rev'),
      serializable: consistency(call.text('consistency')),
      ...sorting(call.text('order').toUpperCase(), call.text('sort-by').toUpperCase(), call),
      keysOnly: call.isSet('keys-only'),
      countOnly: call.isSet('count-only'),
    },
  };
}

function consistency(text: string): boolean {
  if (text === 's') return true;
  if (text === 'l') return false;
  throw new Failure(ExitCode.unsupported, `unknown consistency flag "${text}"; use l or s`);
}

function sorting(order: string, target: string, call: Invocation): { sortOrder: SortOrder; sortTarget: SortTarget } {
  if (order !== '' && order !== 'ASCEND' && order !== 'DESCEND') {
    throw new Failure(ExitCode.unsupported, `bad sort order ${call.text('order')}; use ASCEND or DESCEND`);
  }
  const sortTarget = target === '' ? 'KEY' : SORT_TARGETS[target];
  if (sortTarget === undefined) {
    throw new Failure(
      ExitCode.unsupported,
      `bad sort target ${call.text('sort-by')}; use ${Object.keys(SORT_TARGETS).join(', ')}`,
    );
  }
  // Keys come in ascending order anyway; anything else must be told which way.
  const asked = order === '' ? (sortTarget === 'KEY' ? 'NONE' : 'ASCEND') : order;
  return { sortTarget, sortOrder: asked === 'ASCEND' && sortTarget === 'KEY' ? 'NONE' : asked };
}

export const command: Command = {
  usage: 'get [options] <key> [range_end]',
  description: 'Gets the key or a range of keys',
  flags: {
    ...getFlags,
    'must-exist': { type: 'boolean', describe: 'exit code 1 when no key is found' },
  },
  examples: [
    ['raftkv get greeting', 'the key and its value'],
    ['raftkv get --print-value-only greeting', 'the value alone, for scripts'],
    ['raftkv get --prefix jobs/ --keys-only', 'the names below jobs/'],
    ['raftkv get -w json --rev 7 greeting', 'how it was at revision 7'],
  ],
  async run(call) {
    const { key, options } = getRequest(call);
    const valueOnly = call.isSet('print-value-only');
    if (valueOnly && call.globals.format !== 'simple') {
      throw new Failure(ExitCode.badArguments, 'print-value-only is only for `--write-out=simple`');
    }
    if (options.countOnly === true && call.globals.format !== 'fields' && call.globals.format !== 'json') {
      throw new Failure(ExitCode.badArguments, '--count-only is only for `--write-out=fields` and `--write-out=json`');
    }
    const [printer, response] = await Promise.all([
      printerFor(call.globals),
      withClient(call.globals, (client) => client.get(key, options)),
    ]);
    await writeOut(printer.get(response, { valueOnly }));
    return call.isSet('must-exist') && response.count === 0 ? ExitCode.error : ExitCode.ok;
  },
};
