import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What processes have used up. Read from /proc; elsewhere everything is NaN. */
export interface Usage {
  /** utime + stime, in milliseconds. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

const nowhere: Usage = { cpuMs: NaN, residentBytes: NaN };

const isLinux = process.platform === 'linux';
const configured = (name: string) => (isLinux ? Number(execFileSync('getconf', [name], { encoding: 'utf8' })) : NaN);
const ticksPerSecond = configured('CLK_TCK');
const pageBytes = configured('PAGESIZE');

/** Fields of /proc/PID/stat after the command's name, which is in parentheses; the first is field 3 of proc(5). */
function statFields(pid: number | string): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return null; // it has ended meanwhile
    throw error;
  }
}

const PARENT_PID = 1;
const UTIME = 11;
const STIME = 12;
const RSS_PAGES = 21;

/** Usage of `pid` and of all processes it has started. */
export function usageOf(pid: number): Usage {
  if (!isLinux) return nowhere;
  const all = new Map<number, string[]>();
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statFields(name) : null;
    if (fields !== null) all.set(Number(name), fields);
  }
  const family = new Set([pid]);
  for (let before = 0; before < family.size;) {
    before = family.size;
    for (const [one, fields] of all) if (family.has(Number(fields[PARENT_PID]))) family.add(one);
  }
  let ticks = 0;
  let pages = 0;
  for (const one of family) {
    const fields = all.get(one);
    ticks += Number(fields?.[UTIME] ?? 0) + Number(fields?.[STIME] ?? 0);
    pages += Number(fields?.[RSS_PAGES] ?? 0);
  }
  return { cpuMs: (ticks * 1000) / ticksPerSecond, residentBytes: pages * pageBytes };
}

/** Sum over several processes. */
export function usageOfAll(pids: readonly number[]): Usage {
  const usages = pids.map(usageOf);
  return {
    cpuMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    residentBytes: usages.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
  };
}
