import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HpackDecoder, HpackEncoder } from './hpack.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('the decoder reads the responses of RFC 7541 C.6: Huffman, a table of 256 octets, eviction', () => {
  const decoder = new HpackDecoder();
  const limit256 = '3f e1 01';
  const first = decoder.decode(
    hex(
      limit256 +
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
    ),
  );
  assert.deepEqual(Object.fromEntries(first), {
    ':status': '302',
    'cache-control': 'private',
    date: 'Mon, 21 Oct 2013 20:13:21 GMT',
    location: 'https://www.example.com',
  });
  const second = decoder.decode(hex('4883 640e ff c1 c0 bf'));
  assert.equal(second.get(':status'), '307');
  assert.equal(second.get('location'), 'https://www.example.com');
  const third = decoder.decode(
    hex(
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ),
  );
  assert.equal(third.get('set-cookie'), 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1');
});

test('a block of references is read again when the table has changed in between', () => {
  const decoder = new HpackDecoder();
  decoder.decode(hex('40 01 61 01 31')); // a: 1 becomes entry 62
  assert.equal(decoder.decode(hex('be')).get('a'), '1');
  decoder.decode(hex('40 01 62 01 32')); // b: 2 becomes entry 62
  assert.deepEqual([...decoder.decode(hex('be'))], [['b', '2']]);
});

test('what the encoder writes, first in full and then by reference, the decoder reads', () => {
  const encoder = new HpackEncoder('127.0.0.1:2379');
  const decoder = new HpackDecoder();
  for (const path of ['/a.B/C', '/a.B/C', '/a.B/D', '/a.B/C', '/a.B/D', '/' + 'x'.repeat(5000), '/a.B/C']) {
    const headers = decoder.decode(encoder.callHeaders(path, path.endsWith('D') ? [['hasleader', 'true']] : []));
    assert.deepEqual(Object.fromEntries(headers), {
      ':method': 'POST',
      ':scheme': 'http',
      ':path': path,
      ':authority': '127.0.0.1:2379',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(path.endsWith('D') ? { hasleader: 'true' } : {}),
    });
  }
  assert.equal(encoder.callHeaders('/a.B/C').length, 6);
});
