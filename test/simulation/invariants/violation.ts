/** Something that must never be was seen. `invariant` is its short name (ES, LC, DUR, ...), as in the table of docs/testing.md. */
export class InvariantViolation extends Error {
  constructor(
    readonly invariant: InvariantName,
    message: string,
  ) {
    super(`${invariant}: ${message}`);
  }
}

/**
 * ES election safety, LAO leader append-only, LM log matching, LC leader completeness, SMS state-machine safety, DUR said
 * implies synced, VOTE one vote per term, ORDER indexes in their order, LIN linearizable, REV revisions and answers,
 * ONCE a command is applied at most once and only if its client was not told otherwise, DET equal states, RES bounds,
 * LIVE progress after healing, STOP a member stopped or could not start without a reason.
 */
export type InvariantName =
  | 'ES'
  | 'LAO'
  | 'LM'
  | 'LC'
  | 'SMS'
  | 'DUR'
  | 'VOTE'
  | 'ORDER'
  | 'LIN'
  | 'REV'
  | 'ONCE'
  | 'DET'
  | 'RES'
  | 'LIVE'
  | 'STOP';

/** @throws InvariantViolation unless `holds`. */
export function must(holds: boolean, invariant: InvariantName, message: () => string): void {
  if (!holds) throw new InvariantViolation(invariant, message());
}
