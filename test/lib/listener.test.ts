import assert from 'node:assert/strict';
import { connect, type AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { listen } from '../../src/lib/listener.js';

const canConnect = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

test('localhost means the IPv4 address, also where it has one of each kind: clients say 127.0.0.1', async () => {
  const listener = await listen('http://localhost:0', () => undefined);
  assert.ok(await canConnect('127.0.0.1', Number(new URL(listener.url).port)));
  listener.stop();
  await listener.destroy();
});

test('what cannot be listened on is told with the way out', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address() as AddressInfo;
  await assert.rejects(
    listen(`http://127.0.0.1:${port}`, () => undefined),
    /the port is in use .*another port$/,
  );
  await assert.rejects(
    listen('http://no-such-host.invalid:0', () => undefined),
    /host name cannot be resolved/,
  );
  await assert.rejects(
    listen('127.0.0.1:1', () => undefined),
    /expected http:\/\/host:port/,
  );
  holder.close();
});
