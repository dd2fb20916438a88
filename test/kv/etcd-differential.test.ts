import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ServiceError, credentials } from '@grpc/grpc-js';
import fc from 'fast-check';
import { checkDeleteRange, checkPut, checkRange, checkTxn } from '../../src/kv/checks.js';
import { CommandKind } from '../../src/kv/commands.js';
import { KvError, type KvErrorCode } from '../../src/kv/errors.js';
import type { KvResult } from '../../src/kv/results.js';
import { isReadOnlyTxn } from '../../src/kv/txn.js';
import {
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from '../../src/kv/wire/encode.js';
import { WireReader, tagOf } from '../../src/kv/wire/reader.js';
import type {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../src/kv/wire/requests.js';
import { compactionRequest, deleteRangeRequest, putRequest, rangeRequest, txnRequest } from './generators.js';
import { Driver } from './support.js';

/*
 * The same requests to a real etcd 3.4 and to our state machine: all answers must be equal byte for byte, but for the
 * header. Skipped where no etcd is installed.
 */

const version = spawnSync('etcd', ['--version'], { encoding: 'utf8' }).stdout;
const skip = typeof version === 'string' && version.includes('etcd Version: 3.4') ? false : 'no etcd 3.4 is installed';

const MAX_TXN_OPS = 128;

const TEXTS: Partial<Record<KvErrorCode, string>> = {
  KV_EMPTY_KEY: 'etcdserver: key is not provided',
  KV_KEY_NOT_FOUND: 'etcdserver: key not found',
  KV_VALUE_PROVIDED: 'etcdserver: value is provided',
  KV_LEASE_PROVIDED: 'etcdserver: lease is provided',
  KV_TOO_MANY_OPERATIONS: 'etcdserver: too many operations in txn request',
  KV_DUPLICATE_KEY: 'etcdserver: duplicate key given in txn request',
  KV_COMPACTED: 'etcdserver: mvcc: required revision has been compacted',
  KV_FUTURE_REVISION: 'etcdserver: mvcc: required revision is a future revision',
  KV_LEASE_NOT_FOUND: 'etcdserver: requested lease not found',
};

let etcd: ChildProcess;
let folder: string;
let client: Client;

before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), 'raftkv-etcd-'));
  const [clientPort, peerPort] = [await freePort(), await freePort()];
  const [clientURL, peerURL] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`];
  etcd = spawn(
    'etcd',
    [
      ['--data-dir', folder],
      ['--listen-client-urls', clientURL],
      ['--advertise-client-urls', clientURL],
      ['--listen-peer-urls', peerURL],
      ['--initial-advertise-peer-urls', peerURL],
      ['--initial-cluster', `default=${peerURL}`],
    ].flat(),
    { stdio: 'ignore' },
  );
  client = new Client(`127.0.0.1:${clientPort}`, credentials.createInsecure());
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await ask('Range', encodeRangeRequest({ key: 'a' }));
    if (Buffer.isBuffer(answer)) return;
    await sleep(100);
  }
  throw new Error('etcd does not answer');
});

after(() => {
  if (skip !== false) return;
  client.close();
  etcd.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** @returns the response, or the text of the error */
function ask(method: string, request: Buffer): Promise<Buffer | string> {
  const identity = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    const path = `/etcdserverpb.KV/${method}`;
    const deadline = Date.now() + 30_000;
    client.makeUnaryRequest(
      path,
      identity,
      identity,
      request,
      { deadline },
      (error: ServiceError | null, response?: Buffer) => {
        resolve(error === null && response !== undefined ? response : (error?.details ?? 'nothing'));
      },
    );
  });
}

/** Takes the header off: its revision, and the rest. */
function split(response: Buffer): { readonly revision: number; readonly body: Buffer } {
  const reader = new WireReader(response);
  assert.equal(reader.tag('response'), tagOf(1, 2));
  const end = reader.enter();
  let revision = 0;
  while (!reader.atEnd()) {
    const tag = reader.tag('header');
    if (tag === tagOf(3, 0)) revision = reader.int53();
    else reader.skip(tag, []);
  }
  reader.leave(end);
  return { revision, body: response.subarray(reader.position) };
}

type Action =
  | { readonly method: 'Put'; readonly request: PutRequest }
  | { readonly method: 'DeleteRange'; readonly request: DeleteRangeRequest }
  | { readonly method: 'Txn'; readonly request: TxnRequest }
  | { readonly method: 'Compact'; readonly request: CompactionRequest }
  | { readonly method: 'Range'; readonly request: RangeRequest };

function encode(action: Action): Buffer {
  switch (action.method) {
    case 'Put':
      return encodePutRequest(action.request);
    case 'DeleteRange':
      return encodeDeleteRangeRequest(action.request);
    case 'Txn':
      return encodeTxnRequest(action.request);
    case 'Compact':
      return encodeCompactionRequest(action.request);
    case 'Range':
      return encodeRangeRequest(action.request);
  }
}

/** Does what a server does with a request. */
function serve(driver: Driver, action: Action): KvResult | KvError {
  const encoded = encode(action);
  try {
    switch (action.method) {
      case 'Put':
        checkPut(action.request);
        return driver.apply(CommandKind.put, encoded);
      case 'DeleteRange':
        checkDeleteRange(action.request);
        return driver.apply(CommandKind.deleteRange, encoded);
      case 'Txn':
        checkTxn(action.request, MAX_TXN_OPS);
        return isReadOnlyTxn(action.request)
          ? driver.machine.readTxn(action.request)
          : driver.apply(CommandKind.txn, encoded);
      case 'Compact':
        return driver.apply(CommandKind.compact, encoded);
      case 'Range':
        checkRange(action.request);
        return driver.machine.range(action.request);
    }
  } catch (error) {
    if (error instanceof KvError) return error;
    throw error;
  }
}

/** Brings the small revisions that are drawn to where the store is by now. */
function recent(drawn: number, current: number): number {
  return drawn > 0 && drawn < 100 ? Math.max(1, current - 20 + drawn) : drawn;
}

/** etcd 3.4 crashes on a target that it does not know, whatever the order. */
function tamedRange(request: RangeRequest, current: number): RangeRequest {
  return {
    ...request,
    revision: recent(request.revision, current),
    sortTarget: Math.max(0, request.sortTarget) % 5,
    minModRevision: recent(request.minModRevision, current),
    maxModRevision: recent(request.maxModRevision, current),
    minCreateRevision: recent(request.minCreateRevision, current),
    maxCreateRevision: recent(request.maxCreateRevision, current),
  };
}

/** etcd 3.4 crashes as well when a transaction keeps the value or lease of a key that it has deleted by an open interval. */
function tamedTxn(request: TxnRequest, current: number): TxnRequest {
  const tamed = (operation: RequestOp): RequestOp => {
    if (operation.kind === 'range') return { kind: 'range', request: tamedRange(operation.request, current) };
    if (operation.kind === 'txn') return { kind: 'txn', request: tamedTxn(operation.request, current) };
    if (operation.kind === 'deleteRange' && operation.request.rangeEnd === '\0') {
      return { kind: 'deleteRange', request: { ...operation.request, rangeEnd: 'z' } };
    }
    return operation;
  };
  return {
    compare: request.compare.map((compare) => ({
      ...compare,
      number: compare.target === 0 ? compare.number : recent(compare.number, current),
    })),
    success: request.success.map(tamed),
    failure: request.failure.map(tamed),
  };
}

function tamed(action: Action, current: number): Action {
  if (action.method === 'Range') return { method: 'Range', request: tamedRange(action.request, current) };
  if (action.method === 'Txn') return { method: 'Txn', request: tamedTxn(action.request, current) };
  if (action.method === 'Compact') {
    const { revision, physical } = action.request;
    return { method: 'Compact', request: { revision: recent(revision, current) - (revision > 5 ? 10 : 0), physical } };
  }
  return action;
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: putRequest.map((request) => ({ method: 'Put' as const, request })) },
  { weight: 2, arbitrary: deleteRangeRequest.map((request) => ({ method: 'DeleteRange' as const, request })) },
  { weight: 9, arbitrary: txnRequest.map((request) => ({ method: 'Txn' as const, request })) },
  { weight: 1, arbitrary: compactionRequest.map((request) => ({ method: 'Compact' as const, request })) },
  { weight: 9, arbitrary: rangeRequest.map((request) => ({ method: 'Range' as const, request })) },
);

async function compare(driver: Driver, one: Action, told: string): Promise<void> {
  const theirs = await ask(one.method, encode(one));
  const ours = serve(driver, one);
  if (ours instanceof KvError) {
    assert.equal(TEXTS[ours.code], Buffer.isBuffer(theirs) ? 'done' : theirs, told);
    return;
  }
  assert.ok(Buffer.isBuffer(theirs), `${told}: etcd says ${String(theirs)}`);
  const { revision, body } = split(theirs);
  assert.equal(ours.revision, revision, told);
  assert.equal(Buffer.from(ours.body).toString('hex'), body.toString('hex'), told);
}

test('a real etcd answers every request as we do', { skip, timeout: 300_000 }, async () => {
  const driver = await Driver.start();
  const seed = Number(process.env['SEED'] ?? 20260801);
  const count = Number(process.env['REQUESTS'] ?? 600);
  for (const [position, drawn] of fc.sample(action, { seed, numRuns: count }).entries()) {
    const one = tamed(drawn, driver.machine.revision);
    await compare(driver, one, `request ${position} of seed ${seed}: ${describe(one)}`);
  }
});

function describe(one: Action): string {
  return JSON.stringify(one, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
