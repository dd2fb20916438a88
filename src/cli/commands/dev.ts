import { realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command, Invocation } from '../command.js';
import { serverArguments, layOut, type Place } from '../dev/layout.js';
import type { DevCluster } from '../dev/cluster.js';
import { ExitCode, Failure } from '../failure.js';
import { writeOut } from '../output.js';
import { integerOf } from '../ranges.js';

/** How often it looks who leads, in milliseconds. */
const WATCH_MS = 1_000;
const HIGHEST_BASE_PORT = 65_000;

export const command: Command = {
  usage: 'dev [options]',
  description: 'Runs a cluster on this machine, to try things out: real daemons, stopped together by Ctrl-C',
  flags: {
    members: { type: 'string', describe: '1, 3 or 5', default: '3' },
    'data-dir': { type: 'string', describe: 'where data and logs go', default: '.raftkv-dev' },
    fresh: { type: 'boolean', describe: 'begin without the data of earlier runs' },
    'base-port': {
      type: 'string',
      describe: "n1 listens here for clients and one above for peers, n2 ten above; 0: etcd's 2379, 22379, 32379",
      default: '0',
    },
  },
  examples: [
    ['raftkv dev', 'three members on 2379, 22379 and 32379'],
    ['raftkv dev --members 1 --fresh', 'one member, empty'],
    ['raftkv dev --base-port 23790', 'beside another cluster'],
  ],
  async run(call) {
    const { members, folder, basePort } = readFlags(call);
    const places = layOut(members, folder, basePort);
    const { DevCluster } = await import('../dev/cluster.js');
    const script = process.argv[1] ?? '';
    const program = [process.execPath, '--max-semi-space-size=32', script];
    const started = performance.now();
    const stop = untilStopped();
    const cluster = await DevCluster.start({ places, folder, program, isFresh: call.isSet('fresh') }, stop.signal);
    if (!stop.signal.aborted) {
      const { welcome } = await import('../dev/screen.js');
      const seconds = (performance.now() - started) / 1000;
      await writeOut([welcome(await cluster.look(), shown(folder), callName(script), seconds)]);
    }

    watchChildren(cluster, stop.signal, (place) => `${callName(script)} ${serverArguments(place, places).join(' ')}`);
    await watchLeader(cluster, stop.signal);
    // The terminal may be gone; the members must end all the same.
    const told = writeOut(['stopping ...\n']).catch(() => null);
    await cluster.stop();
    await told;
    await writeOut([`stopped; the data is kept in ${shown(folder)}\n`]).catch(() => null);
    return ExitCode.ok;
  },
};

function readFlags(call: Invocation): { members: number; folder: string; basePort: number | null } {
  if (call.args.length > 0) throw new Failure(ExitCode.badArguments, 'dev command takes no arguments');
  const members = integerOf(call, 'members');
  if (![1, 3, 5].includes(members)) {
    throw new Failure(ExitCode.badArguments, `--members: expected 1, 3 or 5, found ${members}`);
  }
  const basePort = integerOf(call, 'base-port');
  if (basePort < 0 || basePort > HIGHEST_BASE_PORT) {
    throw new Failure(
      ExitCode.badArguments,
      `--base-port: expected a port up to ${HIGHEST_BASE_PORT}, found ${basePort}`,
    );
  }
  return { members, folder: resolve(call.text('data-dir')), basePort: basePort === 0 ? null : basePort };
}

/** Aborts at Ctrl-C, SIGTERM, or when the terminal goes away. */
function untilStopped(): AbortController {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  return stop;
}

/** Says it once when a member dies by itself, and how to start it again. */
function watchChildren(cluster: DevCluster, stopped: AbortSignal, restart: (place: Place) => string): void {
  for (const child of cluster.children) {
    void child.ended.then((ending) => {
      if (stopped.aborted) return;
      const how = typeof ending === 'number' ? `exit code ${ending}` : ending;
      return writeOut([`${child.place.name} has died (${how}); start it again with: ${restart(child.place)}\n`]);
    });
  }
}

/** Tells who leads, each time it changes, until it is stopped. */
async function watchLeader(cluster: DevCluster, stopped: AbortSignal): Promise<void> {
  let known = '';
  while (!stopped.aborted) {
    const looks = await cluster.look();
    const leader = looks.find(({ status }) => status !== null && status.leader === status.header.memberId);
    if (leader?.status) {
      const line = `${leader.child.place.name} leads, term ${leader.status.raftTerm}`;
      if (known !== '' && known !== line) await writeOut([`${line}\n`]);
      known = line;
    }
    await sleep(WATCH_MS, null, { signal: stopped }).catch(() => null);
  }
}

/** A path as people would write it from here. */
function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === '' ? '.' : fromHere.startsWith('..') ? path : fromHere;
}

/** How people call us from where they are: by name when we are installed, by path in a checkout. */
function callName(script: string): string {
  if (script.includes('node_modules')) return 'npx raftkv';
  const fromHere = relative(realpathSync(process.cwd()), realpathSync(script));
  return fromHere.startsWith('..') ? 'raftkv' : fromHere;
}
