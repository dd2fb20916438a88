import { readdirSync, readFileSync } from 'node:fs';

/** What processes have used up. Read from /proc; elsewhere everything is NaN. */
export interface Usage {
  /** utime + stime, in milliseconds. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

const nowhere: Usage = { cpuMs: NaN, residentBytes: NaN };

const isLinux = process.platform === 'linux';

/** /proc counts in USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Fields of /proc/PID/stat after the command's name, which is in parentheses; the first is field 3 of proc(5). */
function statFields(pid: number | string): string[] | null {
  const text = readProc(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** In bytes; 0 for a process that has ended meanwhile. */
function residentBytesOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) * 1024;
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return null; // it has ended meanwhile
    throw error;
  }
}

const PARENT_PID = 1;
const UTIME = 11;
const STIME = 12;

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
  let residentBytes = 0;
  for (const one of family) {
    const fields = all.get(one);
    ticks += Number(fields?.[UTIME] ?? 0) + Number(fields?.[STIME] ?? 0);
    residentBytes += residentBytesOf(one);
  }
  return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, residentBytes };
}

/** Sum over several processes. */
export function usageOfAll(pids: readonly number[]): Usage {
  const usages = pids.map(usageOf);
  return {
    cpuMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    residentBytes: usages.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
  };
}
