import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtoMessage, ProtoWriter } from './protobuf.js';
import { decodeReply, encodeRequest, operationIdOf } from './kv-wire.js';

test('an operation carries its id through its bytes', () => {
  for (const id of [0, 1, 70_000, 2 ** 32 - 1]) {
    assert.equal(operationIdOf(encodeRequest({ kind: 'put', key: 'k', value: 'v' }, id)), id);
  }
  assert.equal(operationIdOf(Buffer.from('short')), null);
  assert.equal(operationIdOf(Buffer.from('some other bytes')), null);
});

test('a put request has the fields of etcd', () => {
  const bytes = encodeRequest({ kind: 'put', key: 'color', value: 'red' }, 7);
  const message = new ProtoMessage(bytes.subarray(0, -6));
  assert.deepEqual([message.text(1), message.text(2), message.number(4)], ['color', 'red', 1]);
});

test('numbers survive up to 2^53', () => {
  for (const value of [1, 127, 128, 300, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1]) {
    assert.equal(new ProtoMessage(new ProtoWriter().number(3, value).finish()).number(3), value);
  }
});

test('a range response is read back with its pairs', () => {
  const pair = new ProtoWriter().bytes(1, 'k').number(2, 5).number(3, 6).number(4, 2).bytes(5, 'v').finish();
  const body = new ProtoWriter().message(2, pair).number(3, true).number(4, 9).finish();
  const request = { kind: 'range', key: 'k', end: null, revision: 0, limit: 1 } as const;
  assert.deepEqual(decodeReply(request, { revision: 6, body }), {
    revision: 6,
    result: {
      kind: 'range',
      kvs: [{ key: 'k', value: 'v', createRevision: 5, modRevision: 6, version: 2 }],
      count: 9,
      more: true,
    },
  });
});
