import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../random.js';
import { isLinearizableByBruteForce } from './brute-force.js';
import { type GenerateOptions, type Generated, generate } from './generate.js';
import { type Recorded, describe } from './history.js';
import type { KeyValue, Result } from './kv-model.js';
import { OutOfTimeError, checkLinearizable, groupsByKey } from './linearizability.js';
import { corruptions } from './corruptions.js';
import { checkRevisionOrder } from './revision-order.js';

const small: GenerateOptions = {
  operations: 7,
  clients: 3,
  keys: 2,
  unknown: 0.15,
  wide: 0.3,
  compareRevisions: false,
};
const large: GenerateOptions = {
  operations: 400,
  clients: 8,
  keys: 5,
  unknown: 0.03,
  wide: 0.3,
  compareRevisions: true,
};
/** For long runs: CHECKER_HISTORIES=100000. */
const HISTORIES = Number(process.env['CHECKER_HISTORIES'] ?? 12_000);
const CORRUPTED = Math.max(20, Math.round(HISTORIES / 100));

function* histories(seed: bigint, count: number, options: GenerateOptions): Iterable<[Generated, SeededRandom]> {
  const root = new SeededRandom(seed);
  for (let position = 0; position < count; position++) {
    const random = root.fork(`history ${position}`);
    yield [generate(random, options), random];
  }
}

test('checker B agrees with brute force on small histories, right and wrong', () => {
  const verdicts = { right: 0, wrong: 0 };
  for (const [{ history }, random] of histories(1n, HISTORIES, small)) {
    const judged = random.chance(0.7) ? disturb(history, random) : history;
    const expected = isLinearizableByBruteForce(judged);
    const violation = checkLinearizable(judged);
    if ((violation === null) !== expected) {
      assert.fail(describe({ reason: `brute force says ${expected}`, operations: judged }));
    }
    verdicts[expected ? 'right' : 'wrong']++;
  }
  // Both verdicts must be common, or the comparison says little.
  assert.ok(verdicts.right > HISTORIES / 5 && verdicts.wrong > HISTORIES / 5, JSON.stringify(verdicts));
});

test('histories that are right by construction pass both checkers', () => {
  for (const [{ history, placed }] of histories(2n, 100, large)) {
    const violation = checkRevisionOrder(history, placed) ?? checkLinearizable(history);
    if (violation) assert.fail(describe(violation));
  }
});

test('a history without a word on unanswered writes fails checker A, which needs to know which took effect', () => {
  for (const [{ history, placed }] of histories(3n, 20, large)) {
    if (placed.size > 0 && Math.min(...placed.keys()) < 50)
      assert.match(checkRevisionOrder(history)?.reason ?? '', /./);
  }
});

for (const corruption of corruptions) {
  test(`a history with ${corruption.name} is always detected`, () => {
    const options: GenerateOptions = { ...large, operations: 120, clients: 2, unknown: 0, exclusive: true };
    let applied = 0;
    for (const [{ history, order }, random] of histories(4n, CORRUPTED, options)) {
      const corrupted = corruption.apply(order, random, history);
      if (corrupted === null) continue;
      applied++;
      if (corruption.by !== 'B') assert.notEqual(checkRevisionOrder(corrupted), null, 'checker A missed it');
      if (corruption.by !== 'A') assert.notEqual(checkLinearizable(corrupted), null, 'checker B missed it');
    }
    assert.ok(applied > CORRUPTED / 2, `applied to ${applied} of ${CORRUPTED} histories`);
  });
}

test('at least twenty kinds of corruption are known', () => {
  assert.ok(new Set(corruptions.map(({ name }) => name)).size >= 20);
});

test('running out of time is an error, not a verdict', () => {
  const [[{ history }]] = [...histories(5n, 1, { ...large, unknown: 0 })] as [[Generated, SeededRandom]];
  assert.throws(() => checkLinearizable(history, { maxStates: 10 }), OutOfTimeError);
});

test('operations are searched apart when no operation connects their keys', () => {
  const put = (id: number, key: string): Recorded => ({
    id,
    request: { kind: 'put', key, value: `${id}` },
    invokedAt: 2 * id,
    returnedAt: 2 * id + 1,
    reply: { revision: id + 2, result: { kind: 'put', previous: null } },
    serializable: false,
    session: 'c0',
  });
  const history = [put(0, 'a'), put(1, 'b'), put(2, 'a'), put(3, 'c')];
  assert.deepEqual(
    groupsByKey(history).map((group) => group.map(({ id }) => id)),
    [[0, 2], [1], [3]],
  );
  const scan: Recorded = {
    ...put(4, 'a'),
    request: { kind: 'range', key: 'a', end: 'c', revision: 0, limit: 0 },
  };
  assert.deepEqual(
    groupsByKey([...history, scan]).map((group) => group.map(({ id }) => id)),
    [[0, 1, 2, 4], [3]],
  );
});

/** Changes one or two answers a little; the outcome may still be linearizable. */
function disturb(history: readonly Recorded[], random: SeededRandom): Recorded[] {
  const disturbed = [...history];
  for (let change = random.between(1, 2); change > 0; change--) {
    const position = random.below(disturbed.length);
    const operation = disturbed[position] as Recorded;
    if (operation.reply === null) continue;
    const reply = { ...operation.reply, result: disturbResult(operation.reply.result, disturbed, random) };
    disturbed[position] = { ...operation, reply };
  }
  return disturbed;
}

function disturbResult(result: Result, history: readonly Recorded[], random: SeededRandom): Result {
  const pairs = history.flatMap(({ reply }) => (reply ? pairsIn(reply.result) : []));
  const borrow = (key: string | undefined): KeyValue | null => {
    const candidates = pairs.filter((pair) => key === undefined || pair.key === key);
    return candidates.length > 0 && random.chance(0.8) ? random.pick(candidates) : null;
  };
  switch (result.kind) {
    case 'put':
      return { ...result, previous: borrow(result.previous?.key) };
    case 'delete': {
      const previous = borrow(result.previous[0]?.key);
      return { ...result, deleted: previous ? 1 : 0, previous: previous ? [previous] : [] };
    }
    case 'range': {
      const pair = borrow(result.kvs[0]?.key);
      return { ...result, kvs: pair ? [pair] : [], count: pair ? 1 : 0 };
    }
    case 'txn':
      return { ...result, succeeded: !result.succeeded };
    default:
      return result;
  }
}

function pairsIn(result: Result): readonly KeyValue[] {
  if (result.kind === 'put') return result.previous ? [result.previous] : [];
  if (result.kind === 'delete') return result.previous;
  return result.kind === 'range' ? result.kvs : [];
}
