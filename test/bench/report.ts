import Table from 'cli-table3';
import type { Program } from '../cluster/harness.js';
import type { Measurement, RoundResult } from './round.js';

export type Results = ReadonlyMap<Program, readonly RoundResult[]>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

const number = (value: number, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '-');
const latency = (ms: number) => number(ms, ms < 10 ? 2 : 1);

/** Median and range of what `ours` is to `theirs`, round by round: only figures of one round may be divided. */
function ratio(ours: readonly number[], theirs: readonly number[]): string {
  const ratios = ours.map((value, round) => value / (theirs[round] ?? NaN)).filter(Number.isFinite);
  if (ratios.length === 0) return '-';
  const range = ratios.length > 1 ? ` (${number(Math.min(...ratios), 2)}-${number(Math.max(...ratios), 2)})` : '';
  return `${number(median(ratios), 2)}${range}`;
}

const style = { head: [], border: [], compact: true };

function loadTable(results: Results, programs: readonly Program[]): string {
  const table = new Table({
    head: [
      '',
      ...programs.flatMap((program) => [`${program} /s`, 'p50 ms', 'p99 ms', 'CPU ms/1000']),
      'client',
      'ratio',
    ],
    colAligns: ['left'],
    style,
  });
  const names = new Set([...results.values()].flat().flatMap(({ loads }) => [...loads.keys()]));
  for (const name of names) {
    const of = (program: Program, pick: (measurement: Measurement) => number) =>
      (results.get(program) ?? []).flatMap(({ loads }) => {
        const measurement = loads.get(name);
        return measurement === undefined ? [] : [pick(measurement)];
      });
    const cells = programs.flatMap((program) => [
      number(median(of(program, ({ perSecond }) => perSecond))),
      latency(median(of(program, ({ p50Ms }) => p50Ms))),
      latency(median(of(program, ({ p99Ms }) => p99Ms))),
      number(median(of(program, ({ cpuMsPer1000 }) => cpuMsPer1000)), 1),
    ]);
    const client = median(programs.flatMap((program) => of(program, (one) => one.clientCpuMsPer1000)));
    const rates = (program: Program) => of(program, ({ perSecond }) => perSecond);
    table.push([name, ...cells, number(client, 1), ratio(rates('raftkv'), rates('etcd'))]);
  }
  return table.toString();
}

function figureTable(results: Results, programs: readonly Program[]): string {
  const table = new Table({ head: ['', ...programs, 'ratio'], colAligns: ['left'], style });
  const names = new Set([...results.values()].flat().flatMap(({ figures }) => [...figures.keys()]));
  for (const name of names) {
    const of = (program: Program) => (results.get(program) ?? []).map(({ figures }) => figures.get(name) ?? NaN);
    const cells = programs.map((program) => number(median(of(program)), 1));
    table.push([name, ...cells, ratio(of('raftkv'), of('etcd'))]);
  }
  return table.toString();
}

/** Medians over the rounds as two tables. A ratio above 1 means that raftkv's figure is the larger one. */
export function renderResults(results: Results): string {
  const programs = [...results.keys()];
  return `${loadTable(results, programs)}\n\n${figureTable(results, programs)}`;
}

/** Everything that was measured, round by round. */
export function resultsAsJson(results: Results): string {
  const rounds = [...results].map(([program, all]) => [
    program,
    all.map(({ loads, figures }) => ({ loads: Object.fromEntries(loads), figures: Object.fromEntries(figures) })),
  ]);
  return JSON.stringify(Object.fromEntries(rounds), null, 2);
}
