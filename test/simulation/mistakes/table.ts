import Table from 'cli-table3';
import { runSeed } from '../run-seed.js';
import { mistakes } from './index.js';
import { type Mistake, mistaken } from './mistake.js';

/** Seeds within which a mistake must be found. */
export const MAX_SEEDS = 400;

export interface Finding {
  /** How many seeds it took; null when none of them found it. */
  readonly seeds: number | null;
  readonly invariant: string;
  readonly message: string;
}

/** Runs seeds with the mistake built in until an invariant breaks. */
export async function find(mistake: Mistake, from = 1): Promise<Finding> {
  for (let count = 1; count <= MAX_SEEDS; count++) {
    const { violation } = await runSeed({
      seed: BigInt(from + count - 1),
      startMember: mistaken(mistake),
      ...(mistake.profile && { profile: mistake.profile }),
    });
    if (violation) return { seeds: count, invariant: violation.invariant, message: violation.message };
  }
  return { seeds: null, invariant: '', message: '' };
}

/** Whether the mistake was found, and by an invariant that is about it. */
export function isProven(mistake: Mistake, { seeds, invariant }: Finding): boolean {
  return seeds !== null && mistake.seenBy.some((name) => name === invariant);
}

/** Prints how each mistake is found. Resolves to whether all were. */
export async function printMistakes(): Promise<boolean> {
  const table = new Table({
    head: ['row', 'mistake', 'seeds', 'seen by', 'as'],
    wordWrap: true,
    colWidths: [5, 50, 7, 9, 60],
  });
  let allFound = true;
  for (const mistake of mistakes) {
    const finding = await find(mistake);
    allFound &&= isProven(mistake, finding);
    const message = finding.message.split('\n')[0] ?? '';
    table.push([mistake.row, mistake.name, finding.seeds ?? 'never', finding.invariant, message.slice(0, 160)]);
    console.log(`${finding.seeds ?? 'never'} seeds: ${mistake.name} (${finding.invariant})`);
  }
  console.log(table.toString());
  return allFound;
}
