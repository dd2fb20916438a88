import { spawn, type ChildProcess } from 'node:child_process';
import { executable } from './raftkv.js';

/** A raftkv that runs until it is told to stop, and what it has said so far. */
export class Running {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';
  #heard: () => void = () => undefined;

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('RAFTKV_'));
    this.#child = spawn(process.execPath, [executable, ...args], {
      env: { ...Object.fromEntries(inherited), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#hear('stdout', chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#hear('stderr', chunk));
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        resolve(code ?? signal ?? -1);
        this.#heard();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  #hear(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this[stream] += chunk.toString();
    this.#heard();
  }

  /** Resolves when it has said this. Rejects with everything it said when it ends without. */
  async said(expected: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = expected.exec(this.stdout + this.stderr);
      if (found !== null) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`ended without saying ${String(expected)}:\n${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** For the end of a test, whatever has happened. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** Whether a process of this id is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
