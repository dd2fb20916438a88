import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goJson, goQuote, hexEscaped, humanBytes } from '../../src/cli/print/go-text.js';

test('bytes are quoted as Go’s %q does it', () => {
  const odd = Buffer.from('b\x00\xff\n\t"\\<é\u2028\x7f\x1b\u00a0 😀 \u0301 \ufffd \ue000', 'utf8');
  assert.equal(goQuote(odd), '"b\\x00ÿ\\n\\t\\"\\\\<é\\u2028\\x7f\\x1b\\u00a0 😀 \u0301 \ufffd \\ue000"');
  assert.equal(goQuote(Buffer.of(0x61, 0xff, 0xc3, 0xed, 0xa0, 0x80)), '"a\\xff\\xc3\\xed\\xa0\\x80"');
  assert.equal(goQuote(Buffer.of(0xc3)), '"\\xc3"');
});

test('JSON is written as Go writes it: whole 64-bit numbers, base64, no angle brackets', () => {
  assert.equal(goJson({ id: 18446744073709551615n }), '{"id":18446744073709551615}');
  assert.equal(goJson({ key: Buffer.from('ab'), gone: undefined, list: [1, true] }), '{"key":"YWI=","list":[1,true]}');
  assert.equal(goJson('<a&b>\u2028'), '"\\u003ca\\u0026b\\u003e\\u2028"');
});

test('sizes are in powers of 1000 with a decimal below ten', () => {
  assert.equal(humanBytes(0), '0 B');
  assert.equal(humanBytes(9), '9 B');
  assert.equal(humanBytes(551), '551 B');
  assert.equal(humanBytes(1500), '1.5 kB');
  assert.equal(humanBytes(20_480), '20 kB');
  assert.equal(humanBytes(2_147_483_648), '2.1 GB');
});

test('hex mode escapes every byte', () => {
  assert.equal(hexEscaped(Buffer.from('a\n')), '\\x61\\x0a');
});
