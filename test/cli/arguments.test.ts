import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortArguments } from '../../src/cli/arguments.js';
import { Failure } from '../../src/cli/failure.js';
import { commonFlags, invocation } from '../../src/cli/run.js';

const flags = {
  ...commonFlags,
  prefix: { type: 'boolean', describe: '' },
  lease: { type: 'string', describe: '', default: '0' },
} as const;
const globals = { endpoints: [], dialTimeoutMs: 1, commandTimeoutMs: 1, format: 'simple', hex: false } as const;

/** What reaches the command: arguments, lease, prefix, format. */
function read(...argv: string[]): unknown {
  const call = invocation(sortArguments(argv, flags), flags, globals);
  return [call.args, call.text('lease'), call.isSet('prefix'), call.text('write-out')];
}

test('keys and values reach the command as they were typed', () => {
  assert.deepEqual(read('k', '0x10', '1.0', '007'), [['k', '0x10', '1.0', '007'], '0', false, 'simple']);
  assert.deepEqual(read('k', '--', '-v', '--prefix', '--'), [['k', '-v', '--prefix', '--'], '0', false, 'simple']);
  assert.deepEqual(read('--', '-k'), [['-k'], '0', false, 'simple']);
  assert.deepEqual(read('', '"quoted"', "'single'", 'a=b', '-'), [
    ['', '"quoted"', "'single'", 'a=b', '-'],
    '0',
    false,
    'simple',
  ]);
});

test('a switch never swallows the key behind it', () => {
  assert.deepEqual(read('--prefix', 'true'), [['true'], '0', true, 'simple']);
  assert.deepEqual(read('--prefix=false', 'k'), [['k'], '0', false, 'simple']);
});

test('a flag’s value may stand behind it, or behind =, and may begin with a dash or look like a number', () => {
  assert.deepEqual(read('--lease', '0012', 'k'), [['k'], '0012', false, 'simple']);
  assert.deepEqual(read('--lease=-1', 'k'), [['k'], '-1', false, 'simple']);
  assert.deepEqual(read('--lease', '-1'), [[], '-1', false, 'simple']);
  assert.deepEqual(read('--lease='), [[], '', false, 'simple']);
  assert.deepEqual(read('--lease=1', '--lease=2'), [[], '2', false, 'simple']);
  assert.deepEqual(read('--lease=a\nb'), [[], 'a\nb', false, 'simple']);
});

test('the short flag is read in each of its forms', () => {
  for (const form of [['-w', 'json'], ['-wjson'], ['-w=json']]) {
    assert.deepEqual(read('k', ...form), [['k'], '0', false, 'json'], form.join(' '));
  }
});

test('what is no flag is refused with the name that was probably meant', () => {
  const refusal = (...argv: string[]): string => {
    try {
      read(...argv);
    } catch (thrown) {
      assert.ok(thrown instanceof Failure);
      assert.equal(thrown.exitCode, 1);
      return thrown.message;
    }
    assert.fail('accepted');
  };
  assert.equal(refusal('--prefx'), 'unknown flag: --prefx; did you mean --prefix?');
  assert.match(refusal('k', '-v'), /^unknown flag: -v; a key or value that begins with "-" goes after "--"$/);
  assert.match(refusal('--lease'), /^flag needs an argument: --lease$/);
  assert.match(refusal('--prefix=maybe'), /expected true or false/);
});
