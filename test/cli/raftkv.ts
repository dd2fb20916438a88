import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const executable = fileURLToPath(new URL('../../bin/raftkv', import.meta.url));

/** The executable runs what was built. */
export const isBuilt = existsSync(fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url)));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The environment of this process without what the programs under test look at. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(RAFTKV|ETCDCTL|ETCD)_/.test(name)));
}

/** Runs a program to its end. Output is latin1, so that every byte can be compared. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...cleanEnvironment(), ...options.environment } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('latin1').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => undefined); // a program that reads no input closes it
    child.stdin.end(options.input ?? '');
  });
}

export function raftkv(args: readonly string[], options?: RunOptions): Promise<Ran> {
  return run(process.execPath, [executable, ...args], options);
}
