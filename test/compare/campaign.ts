import { Dice } from './dice.js';
import { anyRequest, calledMethods } from './generate.js';
import type { Request } from './request.js';
import { runSequence, type Difference, type Tally } from './run.js';
import { shrinkSequence, simplify } from './shrink.js';
import type { Pair } from './sides.js';

export interface CampaignOptions {
  readonly firstSeed: number;
  readonly sequences: number;
  /** Requests in each sequence. */
  readonly length: number;
  readonly members: number;
  /** Paths of methods that one of the two does not have. */
  readonly leftOut: ReadonlySet<string>;
  /** Sequences under way at once, each with servers of its own. */
  readonly jobs: number;
  /** Only these positions of the (only) sequence are sent; empty for all. */
  readonly keep: readonly number[];
  /** Different differences after which no new sequence is begun. */
  readonly maxDifferences: number;
  readonly freshPair: () => Promise<Pair>;
  readonly report: (text: string) => void;
}

/** The sequence that `seed` stands for. */
export function sequenceOf(
  seed: number,
  length: number,
  members = 1,
  leftOut: ReadonlySet<string> = new Set(),
): Request[] {
  const dice = new Dice(seed);
  return Array.from({ length }, () => anyRequest(dice, members, leftOut));
}

const UNIMPLEMENTED = 12;
/** Milliseconds after which the shortest sequence found so far must do. */
const MAX_SHRINK_MS = 180_000;

/** Paths of the methods that only one of the two implements: there is nothing to compare. */
export async function methodsOfOneOnly(freshPair: () => Promise<Pair>): Promise<Set<string>> {
  return withPair(freshPair, async ({ left, right }) => {
    const paths = new Set<string>();
    for (const { path } of calledMethods) {
      const replies = await Promise.all([left, right].map((side) => side.call(0, path, Buffer.alloc(0))));
      if (replies.some(({ status }) => status === UNIMPLEMENTED)) paths.add(path);
    }
    return paths;
  });
}

async function withPair<T>(freshPair: () => Promise<Pair>, use: (pair: Pair) => Promise<T>): Promise<T> {
  const pair = await freshPair();
  try {
    return await use(pair);
  } finally {
    await Promise.all([pair.left.destroy(), pair.right.destroy()]);
  }
}

/** Shrinks what `found` was found in, and tells it: the shortest sequence, both answers, the line that replays it. */
async function explain(options: CampaignOptions, seed: number, requests: readonly Request[], found: Difference) {
  options.report(`seed ${seed}, request ${found.position}; looking for a shorter way to it\n${tellDifference(found)}`);
  const deadline = performance.now() + MAX_SHRINK_MS;
  const showsIt = async (candidate: readonly Request[]) => {
    if (performance.now() > deadline) return false;
    const difference = await withPair(options.freshPair, (pair) => runSequence(pair, candidate));
    return difference?.signature === found.signature;
  };
  const upToHere = requests.slice(0, found.position + 1);
  if (!(await showsIt(upToHere))) {
    options.report(`seed ${seed}: not seen again when the sequence was repeated`);
    return;
  }
  const kept = await shrinkSequence(upToHere, showsIt);
  const shortest = await simplify(
    kept.map((position) => requests[position] as Request),
    showsIt,
  );
  const lines: string[] = [];
  const shown = await withPair(options.freshPair, (pair) =>
    runSequence(pair, shortest, undefined, (request, answer) => lines.push(request, `    ${answer}`)),
  );
  const positions = kept.map((position) => (options.keep.length > 0 ? options.keep[position] : position)).join(',');
  const replay = `npm run compare -- --seed ${seed} --length ${options.length} --members ${options.members} --keep ${positions}`;
  options.report([...lines, tellDifference(shown ?? found), `replay: ${replay}`].join('\n'));
}

const tellDifference = (difference: Difference) =>
  [difference.request, `  left:  ${difference.left}`, `  right: ${difference.right}`].join('\n');

/** Runs sequences until all are done or enough differences are known. Gives the differences, by signature, with their count. */
export async function runCampaign(options: CampaignOptions, tally: Tally): Promise<Map<string, number>> {
  const signatures = new Map<string, number>();
  const lastSeed = options.firstSeed + options.sequences;
  let nextSeed = options.firstSeed;
  const worker = async () => {
    while (nextSeed < lastSeed && signatures.size < options.maxDifferences) {
      const seed = nextSeed++;
      const all = sequenceOf(seed, options.length, options.members, options.leftOut);
      const requests = options.keep.length === 0 ? all : options.keep.map((position) => all[position] as Request);
      const found = await withPair(options.freshPair, (pair) => runSequence(pair, requests, tally));
      if (found === null) continue;
      const before = signatures.get(found.signature) ?? 0;
      signatures.set(found.signature, before + 1);
      if (before === 0) await explain(options, seed, requests, found);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  return signatures;
}
