import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import type { Place } from './layout.js';

/** How a process ended: exit code or signal. */
export type Ending = number | NodeJS.Signals;

/** The daemon of one member, started by us. Its output goes to its log file. */
export class Child {
  readonly #process: ChildProcess;
  readonly #logStart: number;
  readonly ended: Promise<Ending>;
  #ending: Ending | null = null;

  /** `command` is what a user would type to start the same daemon: program and arguments. */
  constructor(
    readonly place: Place,
    command: readonly string[],
  ) {
    const log = openSync(place.logFile, 'a');
    this.#logStart = statSync(place.logFile).size;
    const [program = '', ...args] = command;
    // A group of its own: Ctrl-C reaches only us, and we stop the members one after the other, orderly.
    this.#process = spawn(program, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      const end = (ending: Ending): void => {
        this.#ending = ending;
        resolve(ending);
      };
      this.#process.once('exit', (code, signal) => end(code ?? signal ?? 1));
      this.#process.once('error', () => end(1));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Null while it runs. */
  get ending(): Ending | null {
    return this.#ending;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#ending === null) this.#process.kill(signal);
  }

  /** The one line in which a daemon says why it cannot start, or the last line of its log. */
  lastWords(): string {
    const log = readFileSync(this.place.logFile).subarray(this.#logStart).toString('utf8').trim().split('\n');
    const told = log.find((line) => line.startsWith('raftkv: '));
    return told?.slice('raftkv: '.length) ?? log.at(-1) ?? '';
  }
}
