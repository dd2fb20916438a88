import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallContext, CallStatus, ServerStream } from '../../src/api/handlers.js';
import { healthService } from '../../src/api/health-service.js';
import { silentLogger } from '../../src/lib/logger.js';

const context: CallContext = { metadata: () => undefined, remainingMs: Infinity };

test('a watcher that ends with a malformed message is forgotten', () => {
  const health = healthService(silentLogger);
  const sent: Uint8Array[] = [];
  const ends: (CallStatus | null)[] = [];
  const stream: ServerStream = {
    send: (message) => sent.push(message) > 0,
    onDrain() {},
    end: (status) => ends.push(status),
  };
  const watch = health.table.streams.get('/grpc.health.v1.Health/Watch');
  const listener = watch?.(stream, context);
  listener?.onMessage(Buffer.alloc(0));
  listener?.onMessage(Buffer.from([0x0a, 0x7f]));
  assert.equal(ends.length, 1);
  const before = sent.length;
  health.setServing(false);
  assert.equal(sent.length, before);
});
