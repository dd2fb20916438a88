import type { MemberId } from './messages.js';

/** How many of `voters` members make a majority. */
export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Whether a majority of `voters` satisfies `claim`. */
export function hasQuorum(voters: readonly MemberId[], claim: (voter: MemberId) => boolean): boolean {
  let agreeing = 0;
  for (const voter of voters) if (claim(voter)) agreeing++;
  return agreeing >= majorityOf(voters.length);
}

/** The highest value that a majority of `voters` has reached: what `reached` gives, sorted, at the majority's place. */
export function quorumReached(voters: readonly MemberId[], reached: (voter: MemberId) => number): number {
  const descending = voters.map(reached).sort((a, b) => b - a);
  return descending[majorityOf(voters.length) - 1] ?? 0;
}
