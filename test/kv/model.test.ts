import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CommandKind } from '../../src/kv/commands.js';
import { KvError } from '../../src/kv/errors.js';
import type { SlicedRange } from '../../src/kv/range.js';
import type { KvResult } from '../../src/kv/results.js';
import { decodeRevision } from '../../src/kv/revision-record.js';
import type { KvStateMachine } from '../../src/kv/state-machine.js';
import { isReadOnlyTxn } from '../../src/kv/txn.js';
import {
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeTxnRequest,
} from '../../src/kv/wire/encode.js';
import type {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from '../../src/kv/wire/requests.js';
import { compactionRequest, deleteRangeRequest, putRequest, rangeRequest, txnRequest } from './generators.js';
import { type Answer, ReferenceModel } from './reference-model.js';
import { Driver, loadProtocol } from './support.js';

const message = await loadProtocol();

type Action =
  | { readonly kind: 'put'; readonly request: PutRequest }
  | { readonly kind: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly request: TxnRequest }
  | { readonly kind: 'compact'; readonly request: CompactionRequest }
  | { readonly kind: 'range'; readonly request: RangeRequest; readonly maxKeys: number }
  | { readonly kind: 'openRange'; readonly request: RangeRequest }
  | { readonly kind: 'stepRanges'; readonly maxKeys: number }
  | { readonly kind: 'noop' }
  | { readonly kind: 'compactionStep'; readonly maxKeys: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'restart' };

const command = fc.oneof(
  { weight: 8, arbitrary: putRequest.map((request) => ({ kind: 'put' as const, request })) },
  { weight: 3, arbitrary: deleteRangeRequest.map((request) => ({ kind: 'deleteRange' as const, request })) },
  { weight: 5, arbitrary: txnRequest.map((request) => ({ kind: 'txn' as const, request })) },
  { weight: 2, arbitrary: compactionRequest.map((request) => ({ kind: 'compact' as const, request })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'noop' as const }) },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: command },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('range' as const),
      request: rangeRequest,
      maxKeys: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('compactionStep' as const), maxKeys: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
);

const RESPONSES = {
  put: 'PutResponse',
  deleteRange: 'DeleteRangeResponse',
  txn: 'TxnResponse',
  compact: 'CompactionResponse',
  range: 'RangeResponse',
} as const;

function encodeCommandRequest(drawn: Action): Buffer {
  switch (drawn.kind) {
    case 'put':
      return encodePutRequest(drawn.request);
    case 'deleteRange':
      return encodeDeleteRangeRequest(drawn.request);
    case 'txn':
      return encodeTxnRequest(drawn.request);
    case 'compact':
      return encodeCompactionRequest(drawn.request);
    default:
      throw new Error(`${drawn.kind} is no command`);
  }
}

function expectAnswer(kind: keyof typeof RESPONSES, outcome: KvResult | KvError, answer: Answer): void {
  if (outcome instanceof KvError) {
    assert.equal(outcome.code, typeof answer === 'string' ? answer : 'done');
    return;
  }
  assert.ok(typeof answer !== 'string', 'done, expected a refusal');
  assert.equal(outcome.revision, answer.revision);
  const type = message(RESPONSES[kind]);
  const expected = Buffer.from(type.encode(type.fromObject(answer.message)).finish());
  if (!expected.equals(outcome.body)) {
    const decoded = type.toObject(type.decode(outcome.body), { longs: Number });
    assert.deepEqual(decoded, answer.message);
    assert.deepEqual(Buffer.from(outcome.body), expected);
  }
}

function tried(run: () => KvResult): KvResult | KvError {
  try {
    return run();
  } catch (error) {
    if (error instanceof KvError) return error;
    throw error;
  }
}

function readInSlices(machine: KvStateMachine, request: RangeRequest, maxKeys: number): KvResult {
  const read = machine.openRange(request);
  for (;;) {
    const result = read.step(maxKeys);
    if (result !== null) return result;
  }
}

async function perform(driver: Driver, model: ReferenceModel, drawn: Action): Promise<Driver> {
  const { machine } = driver;
  switch (drawn.kind) {
    case 'put':
      expectAnswer('put', driver.apply(CommandKind.put, encodeCommandRequest(drawn)), model.put(drawn.request));
      break;
    case 'deleteRange':
      expectAnswer(
        'deleteRange',
        driver.apply(CommandKind.deleteRange, encodeCommandRequest(drawn)),
        model.deleteRange(drawn.request),
      );
      break;
    case 'txn': {
      if (isReadOnlyTxn(drawn.request)) {
        expectAnswer(
          'txn',
          tried(() => machine.readTxn(drawn.request)),
          model.txn(drawn.request),
        );
      }
      expectAnswer('txn', driver.apply(CommandKind.txn, encodeCommandRequest(drawn)), model.txn(drawn.request));
      break;
    }
    case 'compact':
      expectAnswer(
        'compact',
        driver.apply(CommandKind.compact, encodeCommandRequest(drawn)),
        model.compact(drawn.request.revision),
      );
      break;
    case 'range':
      expectAnswer(
        'range',
        tried(() => machine.range(drawn.request)),
        model.range(drawn.request),
      );
      expectAnswer(
        'range',
        tried(() => readInSlices(machine, drawn.request, drawn.maxKeys)),
        model.range(drawn.request),
      );
      break;
    case 'noop':
      machine.applyNoop(machine.appliedIndex + 1, 1);
      break;
    case 'compactionStep':
      machine.compactionStep(drawn.maxKeys);
      break;
    case 'flush':
      await machine.flush({ sync: false });
      break;
    case 'openRange':
    case 'stepRanges':
      throw new Error(`${drawn.kind} is not for here`);
    case 'restart':
      await machine.flush({ sync: true });
      return driver.restart();
  }
  assert.equal(machine.revision, model.revision);
  assert.equal(machine.compactRevision, model.compactRevision);
  return driver;
}

const sliced: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('openRange' as const), request: rangeRequest }),
  fc.record({ kind: fc.constant('stepRanges' as const), maxKeys: fc.integer({ min: 1, max: 3 }) }),
);

test('a range that is answered in slices sees the store as it was when it began', async () => {
  const actions = fc.array(fc.oneof({ weight: 3, arbitrary: action }, { weight: 1, arbitrary: sliced }), {
    maxLength: 60,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(actions, async (drawn) => {
      const driver = await Driver.start({ cacheBytes: 3000 });
      const { machine } = driver;
      const model = new ReferenceModel();
      let open: { readonly read: SlicedRange; readonly answer: Answer }[] = [];
      const stepAll = (maxKeys: number): void => {
        open = open.filter(({ read, answer }) => {
          const result = read.step(maxKeys);
          if (result !== null) expectAnswer('range', result, answer);
          return result === null;
        });
      };
      for (const one of drawn) {
        if (one.kind === 'openRange') {
          const answer = model.range(one.request);
          if (typeof answer === 'string') assert.throws(() => machine.openRange(one.request), { code: answer });
          else open.push({ read: machine.openRange(one.request), answer });
        } else if (one.kind === 'stepRanges') {
          stepAll(one.maxKeys);
        } else {
          await perform(driver, model, one);
        }
      }
      while (open.length > 0) stepAll(2);
      driver.finishCompaction(); // would not end if a range had left its pin behind
    }),
    { numRuns: 400 },
  );
});

test('every answer is that of the reference model, through flushes, compactions and restarts', async () => {
  const actions = fc.array(
    fc.oneof({ weight: 20, arbitrary: action }, { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) }),
    {
      minLength: 1,
      maxLength: 60,
      size: 'max',
    },
  );
  await fc.assert(
    fc.asyncProperty(actions, async (drawn) => {
      // A cache of next to nothing, so that records are read again.
      let driver = await Driver.start({ cacheBytes: 3000 });
      const model = new ReferenceModel();
      for (const one of drawn) driver = await perform(driver, model, one);
      // In the end the store holds exactly what compaction leaves.
      driver.finishCompaction();
      await driver.machine.flush({ sync: true });
      const stored = driver.store.keys('revision').map((key) => decodeRevision(key));
      assert.deepEqual(stored.map(({ main, sub }) => `${main}.${sub}`).sort(), model.kept());
    }),
    { numRuns: 400 },
  );
});

test('a member that crashes anywhere and replays the log ends up with the same content (S16, S17)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 50, size: 'max' }), fc.nat(), async (drawn, crash) => {
      const crashAt = crash % drawn.length;
      const driver = await Driver.start();
      const log: Action[] = [];
      let crashed = driver;
      const isCommand = (one: Action): boolean => one.kind in CommandKind || one.kind === 'noop';
      const applyTo = (target: Driver, one: Action): void => {
        if (one.kind === 'noop') target.machine.applyNoop(target.machine.appliedIndex + 1, 1);
        else target.apply(CommandKind[one.kind as keyof typeof CommandKind], encodeCommandRequest(one));
      };
      for (const [position, one] of drawn.entries()) {
        if (position === crashAt) crashed = await driver.restart();
        if (isCommand(one)) {
          log.push(one);
          applyTo(driver, one);
        } else if (one.kind === 'flush') {
          await driver.machine.flush({ sync: false });
        } else if (one.kind === 'compactionStep') {
          driver.machine.compactionStep(one.maxKeys);
        }
      }
      for (const one of log.slice(crashed.machine.appliedIndex)) applyTo(crashed, one);
      // Neither how far compaction has come in memory nor what has been flushed may show.
      assert.equal(crashed.machine.contentHash(), driver.machine.contentHash());
      assert.deepEqual(crashed.machine.hashKV(0), driver.machine.hashKV(0));
      crashed.finishCompaction();
      assert.equal(crashed.machine.contentHash(), driver.machine.contentHash());
      await crashed.machine.flush({ sync: true });
      const again = await crashed.restart();
      assert.equal(again.machine.contentHash(), driver.machine.contentHash());
      driver.finishCompaction();
      await driver.machine.flush({ sync: true });
      assert.deepEqual(again.store.keys('revision'), driver.store.keys('revision'));
    }),
    { numRuns: 400 },
  );
});
