import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimClock } from './clock.js';
import { Machine } from './machine.js';
import { SeededRandom } from './random.js';
import { Scheduler } from './scheduler.js';

const trueTime = { offsetMs: 0, rate: 1, jitterMs: 0 };

function world(seed = 1n) {
  const random = new SeededRandom(seed);
  const scheduler = new Scheduler({ random: random.fork('scheduler') });
  const machine = new Machine(0, 'm1');
  machine.start();
  const clock = (fault = trueTime) => new SimClock(scheduler, machine, random.fork('clock'), fault);
  return { random, scheduler, machine, clock };
}

test('events happen in the order of their times', async () => {
  const { scheduler } = world();
  const seen: number[] = [];
  for (const delayMs of [5, 1, 3, 2, 4]) scheduler.after(delayMs, 'event', () => seen.push(delayMs));
  assert.equal(await scheduler.run(100), 'idle');
  assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  assert.equal(scheduler.nowMs, 5);
});

test('a heap of many random events comes out sorted', async () => {
  const { random, scheduler } = world();
  let last = 0;
  let count = 0;
  for (let position = 0; position < 5_000; position++) {
    scheduler.after(random.below(500), 'event', () => {
      assert.ok(scheduler.nowMs >= last);
      last = scheduler.nowMs;
      count++;
    });
  }
  await scheduler.run(1_000);
  assert.equal(count, 5_000);
});

test('events of the same moment happen in an order that the seed decides', async () => {
  const order = async (seed: bigint) => {
    const { scheduler } = world(seed);
    const seen: number[] = [];
    for (let position = 0; position < 20; position++) scheduler.after(1, 'event', () => seen.push(position));
    await scheduler.run(10);
    return seen.join();
  };
  assert.equal(await order(1n), await order(1n));
  assert.notEqual(await order(1n), await order(2n));
});

test('every continuation of an event is done before the next event', async () => {
  const { scheduler } = world();
  const seen: string[] = [];
  const hops = async (name: string) => {
    for (let hop = 0; hop < 50; hop++) await Promise.resolve();
    seen.push(name);
  };
  scheduler.after(1, 'first', () => void hops('first'));
  scheduler.after(1.000001, 'second', () => seen.push('second'));
  await scheduler.run(10);
  assert.deepEqual(seen, ['first', 'second']);
});

test('a run stops at its limit and can go on from there', async () => {
  const { scheduler } = world();
  let count = 0;
  scheduler.after(5, 'early', () => count++);
  scheduler.after(15, 'late', () => count++);
  assert.equal(await scheduler.run(10), 'limit');
  assert.equal(scheduler.nowMs, 10);
  assert.equal(count, 1);
  assert.equal(await scheduler.run(20), 'idle');
  assert.equal(count, 2);
});

test('what an event throws ends the run', async () => {
  const { scheduler } = world();
  scheduler.after(1, 'bad', () => {
    throw new Error('planned');
  });
  await assert.rejects(scheduler.run(10), /planned/);
});

test('an event that schedules without end fails the run', async () => {
  const { scheduler } = world();
  scheduler.after(1, 'bad', () => {
    for (;;) scheduler.after(1, 'more', () => {});
  });
  await assert.rejects(scheduler.run(10), /'more' loops/);
});

test('a cancelled event does not happen', async () => {
  const { scheduler } = world();
  const event = scheduler.after(1, 'event', () => assert.fail('it happened'));
  scheduler.cancel(event);
  assert.equal(await scheduler.run(10), 'idle');
});

test('a sleep of a crashed process never resolves, also not after a restart', async () => {
  const { scheduler, machine, clock } = world();
  const earlier = clock();
  void earlier.sleep(5).then(() => assert.fail('the dead woke up'));
  scheduler.after(1, 'crash', () => machine.crash());
  scheduler.after(2, 'restart', () => machine.start());
  await scheduler.run(100);
});

test('a paused process gets everything that came meanwhile at once, in order, when it goes on', async () => {
  const { scheduler, machine, clock } = world();
  const seen: string[] = [];
  const sleeper = clock();
  for (const ms of [3, 2, 4]) void sleeper.sleep(ms).then(() => seen.push(`${ms}@${scheduler.nowMs}`));
  scheduler.after(1, 'pause', () => (machine.status = 'paused'));
  scheduler.after(50, 'resume', () => {
    machine.status = 'up';
    scheduler.resume(machine);
  });
  await scheduler.run(100);
  assert.deepEqual(seen, ['2@50', '3@50', '4@50']);
});

test('a clock with an offset and a wrong rate sleeps by its own time', async () => {
  const { scheduler, clock } = world();
  const fast = clock({ offsetMs: 1_000, rate: 1.25, jitterMs: 0 });
  let wokenAt = 0;
  void fast.sleep(100).then(() => (wokenAt = fast.now()));
  await scheduler.run(1_000);
  assert.ok(Math.abs(scheduler.nowMs - 80) < 1e-9, `true time is ${scheduler.nowMs}`);
  assert.ok(Math.abs(wokenAt - 1_100) < 1e-9);
});

test('a deferred task runs after all continuations of the event that deferred it', async () => {
  const { scheduler, clock } = world();
  const seen: string[] = [];
  const deferring = clock();
  scheduler.after(1, 'event', () => {
    deferring.defer(() => seen.push('deferred'));
    void Promise.resolve().then(() => seen.push('continuation'));
  });
  await scheduler.run(10);
  assert.deepEqual(seen, ['continuation', 'deferred']);
});

test('the hash of two runs is equal exactly when they did the same', async () => {
  const run = async (seed: bigint, extra: boolean) => {
    const { scheduler, clock } = world(seed);
    const sleeper = clock({ offsetMs: 0, rate: 1, jitterMs: 1 });
    for (let position = 0; position < 100; position++) void sleeper.sleep(position);
    if (extra) scheduler.after(3, 'extra', () => {});
    await scheduler.run(1_000);
    return scheduler.hash.toString();
  };
  assert.equal(await run(7n, false), await run(7n, false));
  assert.notEqual(await run(7n, false), await run(8n, false));
  assert.notEqual(await run(7n, false), await run(7n, true));
});
