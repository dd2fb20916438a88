import { FaultCounts } from './fault-counts.js';
import type { SeedReport } from './run-seed.js';

/** What many seeds came to, added up. */
export class Totals {
  seeds = 0;
  simulatedMs = 0;
  events = 0;
  operations = 0;
  answered = 0;
  messages = 0;
  committed = 0;
  readonly faults = new FaultCounts();
  readonly failed: SeedReport[] = [];

  add(report: SeedReport): void {
    this.seeds++;
    this.simulatedMs += report.simulatedMs;
    this.events += report.events;
    this.operations += report.operations;
    this.answered += report.answered;
    this.messages += report.messages;
    this.committed += report.committed;
    this.faults.merge(report.faults);
    if (report.violation) this.failed.push(report);
  }

  lines(elapsedMs: number): string[] {
    const perSecond = (count: number): string => ((count / elapsedMs) * 1000).toFixed(0);
    return [
      `seeds        ${this.seeds} (${((this.seeds / elapsedMs) * 60_000).toFixed(0)}/min)`,
      `simulated    ${(this.simulatedMs / 3_600_000).toFixed(2)} cluster-hours`,
      `events       ${this.events} (${perSecond(this.events)}/s), ${this.messages} messages`,
      `operations   ${this.operations}, ${this.answered} answered, ${this.committed} entries committed`,
      ...this.faults.entries().map(([fault, times]) => `fault        ${fault}: ${times}`),
      `violations   ${this.failed.length}`,
    ];
  }
}

/** The line that repeats a failing seed exactly. */
export function replayLine({ seed }: SeedReport, members: number | undefined): string {
  return `npm run sim -- --seed ${seed}${members === undefined ? '' : ` --members ${members}`} --trace`;
}
