import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What runs a member: our daemon, or etcd as a witness. */
export type Program = 'raftkv' | 'etcd';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const RAFTKV = join(root, 'bin', 'raftkv');
/** How much of a member's output is kept for the message of a failed test. */
const MAX_LOG_CHARACTERS = 64_000;

export function isInstalled(program: Program): boolean {
  if (program === 'raftkv') return existsSync(RAFTKV) && existsSync(join(root, 'dist'));
  return spawnSync('etcd', ['--version'], { stdio: 'ignore' }).status === 0;
}

const running = new Set<ChildProcess>();

// A test that fails or is interrupted must leave no daemon behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}

/** Exit code of a process, or the signal that ended it. */
export type Ending = number | NodeJS.Signals;

/** One member of a cluster: where it listens, where its data lies, and its process while there is one. */
export class MemberProcess {
  #child: ChildProcess | null = null;
  #ended: Promise<Ending> = Promise.resolve(0);
  #log = '';

  constructor(
    readonly name: string,
    readonly clientPort: number,
    readonly dataDir: string,
    readonly program: Program,
    readonly args: readonly string[],
  ) {}

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`member ${this.name} is not running`);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** The end of what the member has written to stdout and stderr, over all its lives. */
  get log(): string {
    return this.#log;
  }

  /** Starts the process. Does not wait until it serves. */
  start(extraArgs: readonly string[] = []): void {
    if (this.#child !== null) throw new Error(`member ${this.name} is running already`);
    // Run as a user runs it, by its first line, which gives Node its options.
    const [command, first] = this.program === 'etcd' ? (['etcd', []] as const) : ([RAFTKV, ['server']] as const);
    // In the session of its client: Linux shares the processors out by session, and a session of its own on a busy
    // machine wakes up late. Both programs are run alike.
    const child = spawn(command, [...first, ...this.args, ...extraArgs], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    running.add(child);
    const keep = (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-MAX_LOG_CHARACTERS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => keep(Buffer.from(`could not start: ${error.message}\n`)));
      child.once('close', (code, signal) => {
        running.delete(child);
        if (this.#child === child) this.#child = null;
        resolve(code ?? signal ?? -1);
      });
    });
  }

  /** Resolves when the process has ended, whatever ended it. */
  ended(): Promise<Ending> {
    return this.#ended;
  }

  /** SIGKILL: no chance to finish anything. */
  kill(): Promise<Ending> {
    return this.signal('SIGKILL');
  }

  /** SIGTERM: the orderly way. */
  terminate(): Promise<Ending> {
    return this.signal('SIGTERM');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Sends `signal` and waits for the end of the process. */
  signal(signal: NodeJS.Signals): Promise<Ending> {
    this.#child?.kill(signal);
    return this.#ended;
  }
}
