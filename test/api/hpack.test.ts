import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLegalAuthority } from '../../src/api/hpack-authority.js';
import { decodeHuffman } from '../../src/api/hpack-huffman.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const plain = (text: string): Buffer => Buffer.from([text.length, ...Buffer.from(text)]);
const block = (...parts: (Buffer | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));

test("the strings of RFC 7541, appendix C, come out of Huffman's code", () => {
  const vectors: [string, string][] = [
    ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
    ['a8eb10649cbf', 'no-cache'],
    ['25a849e95ba97d7f', 'custom-key'],
    ['25a849e95bb8e8b4bf', 'custom-value'],
    ['6402', '302'],
    ['aec3771a4b', 'private'],
    ['d07abe941054d444a8200595040b8166e082a62d1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['9d29ad171863c78f0b97c8e9ae82ae43d3', 'https://www.example.com'],
    [
      '94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ],
  ];
  for (const [coded, text] of vectors) assert.equal(decodeHuffman(hex(coded))?.toString('latin1'), text);
  assert.equal(decodeHuffman(Buffer.alloc(0))?.length, 0);
});

test("bytes that are not in Huffman's code are no string", () => {
  assert.equal(decodeHuffman(hex('ffffffff')), null, 'the end of string');
  assert.equal(decodeHuffman(hex('a8eb10649cbfff')), null, 'a byte of padding');
  assert.equal(decodeHuffman(hex('a8eb10649cbe')), null, 'padding that is not all ones');
});

test('a block with a legal authority, or with none, is left alone', () => {
  for (const authority of ['127.0.0.1:2379', '[::1]:2379', 'n1.example.com', '%2Ftmp%2Fsocket', 'a_b~c']) {
    const legal = block(0x83, 0x86, 0x41, plain(authority), 0x84);
    assert.equal(withLegalAuthority(legal), legal, authority);
  }
  // RFC 7541, C.3.1 and C.4.1; and one that refers to the entry that they leave behind.
  for (const legal of ['828684410f7777772e6578616d706c652e636f6d', '828684418cf1e3c2e5f23a6ba0ab90f4ff', '828684be']) {
    const given = hex(legal);
    assert.equal(withLegalAuthority(given), given);
  }
  const elsewhere = block(0x83, 0x44, plain('/a#b'), 0x40, plain('grpc-x'), plain('http://a'));
  assert.equal(withLegalAuthority(elsewhere), elsewhere);
});

test('an illegal authority becomes a legal one of the same length, in any kind of literal', () => {
  for (const head of [block(0x41), block(0x01), block(0x11), block(0x40, plain(':authority'))]) {
    const given = block(0x83, 0x3f, 0xe1, 0x1f, head, plain('http://127.0.0.1:2379'), 0x86);
    const legal = block(0x83, 0x3f, 0xe1, 0x1f, head, plain('http:--127.0.0.1:2379'), 0x86);
    assert.deepEqual(withLegalAuthority(given), legal);
  }
  const long = `#initially=[${'http://127.0.0.1:2379;'.repeat(40)}]`;
  const size = block(0x7f, 0x80 | ((long.length - 127) & 127), (long.length - 127) >> 7);
  assert.deepEqual(
    withLegalAuthority(block(0x41, size, Buffer.from(long))),
    block(0x41, size, Buffer.from(long.replaceAll('/', '-').replaceAll('#', '-'))),
  );
});

test('what etcdctl 3.4 sends for an endpoint with a scheme is repaired', () => {
  // Taken off the wire: the authority is http://127.0.0.1:40641.
  const path = '459760a924882d9dcb6571afa066a925a87510ac6e48d36a3f';
  const given = hex(`8386 ${path} 41909d29aee30c044eae05c0b86e34071a0f 5f8b1d75d0620d263d4c4d6564`);
  const legal = block(hex(`8386 ${path} 41`), plain('http:--127.0.0.1:40641'), hex('5f8b1d75d0620d263d4c4d6564'));
  assert.deepEqual(withLegalAuthority(given), legal);
});

test('a malformed block is left to the HTTP/2 library', () => {
  const illegal = block(0x41, plain('http://a'));
  for (const tail of ['ffffffffffff', '41', '4105', '410561', '7f', '00']) {
    const given = block(illegal, hex(tail));
    assert.equal(withLegalAuthority(given), given, tail);
  }
  const brokenCode = hex('4184ffffffff');
  assert.equal(withLegalAuthority(brokenCode), brokenCode);
});
