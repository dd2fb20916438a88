/**
 * Sends the same seeded random requests to two servers and compares every reply:
 *   npm run compare -- --seed 7 --sequences 200 --length 500 --members 1 --right raftkv --left etcd
 */
import { parseArgs } from 'node:util';
import { isInstalled, type Program } from '../cluster/harness.js';
import { methods } from '../wire/etcd-messages.js';
import { methodsOfOneOnly, runCampaign } from './campaign.js';
import { emptyTally } from './run.js';
import { freshSide, type Pair } from './sides.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    sequences: { type: 'string' },
    length: { type: 'string', default: '500' },
    members: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'string', default: '' },
    differences: { type: 'string', default: '5' },
    left: { type: 'string', default: 'etcd' },
    right: { type: 'string', default: 'raftkv' },
  },
});

function program(name: string): Program {
  if (name !== 'etcd' && name !== 'raftkv') throw new Error(`no server is called ${name}: expected etcd or raftkv`);
  if (isInstalled(name)) return name;
  const remedy = name === 'etcd' ? 'install etcd and put it on the path' : 'run npm run build first';
  throw new Error(`${name} is not there: ${remedy}`);
}

const [left, right] = [program(values.left), program(values.right)];
const members = Number(values.members);
const keep = values.keep === '' ? [] : values.keep.split(',').map(Number);
const tally = emptyTally();
const started = performance.now();

async function freshPair(): Promise<Pair> {
  const sides = await Promise.allSettled([freshSide(left, members), freshSide(right, members)]);
  const [leftSide, rightSide] = sides.map((side) => (side.status === 'fulfilled' ? side.value : null));
  if (leftSide && rightSide) return { left: leftSide, right: rightSide };
  await Promise.all([leftSide?.destroy(), rightSide?.destroy()]);
  throw sides.find((side) => side.status === 'rejected')?.reason;
}

const leftOut = await methodsOfOneOnly(freshPair);
if (leftOut.size > 0) console.log(`not compared, as only one of the two has them:\n  ${[...leftOut].join('\n  ')}`);
// Who leads is chance, and with it who may hand leadership over.
if (members > 1) leftOut.add(methods.moveLeader.path);
const signatures = await runCampaign(
  {
    firstSeed: Number(values.seed),
    sequences: keep.length > 0 ? 1 : Number(values.sequences ?? 200),
    length: Number(values.length),
    members,
    jobs: keep.length > 0 ? 1 : Number(values.jobs),
    keep,
    maxDifferences: Number(values.differences),
    freshPair,
    leftOut,
    report: (text) => console.log(`\n${text}`),
  },
  tally,
);

const statuses = new Map<string, string[]>();
for (const [outcome, count] of [...tally.outcomes].sort()) {
  const [, name = '', status = ''] = /^(.*) (-?\d+)$/.exec(outcome) ?? [];
  statuses.set(name, [...(statuses.get(name) ?? []), `${status}: ${count}`]);
}
console.log('\nEqual replies, by method and gRPC status');
for (const [name, counts] of statuses) console.log(`  ${name.padEnd(26)} ${counts.join('   ')}`);
for (const [about, count] of tally.known) console.log(`Known difference, ${count} times: ${about}`);
const total = [...tally.outcomes.values()].reduce((sum, count) => sum + count, 0);
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`\n${total} requests to ${left} and ${right}, ${members} member(s), ${seconds} s`);
for (const [signature, count] of signatures) console.log(`DIFFERENT ${count} times: ${signature}`);
console.log(signatures.size === 0 ? 'no difference' : `${signatures.size} kinds of difference`);
process.exitCode = signatures.size === 0 ? 0 : 1;
