import type { Command } from './command.js';

interface Entry {
  readonly name: string;
  readonly summary: string;
  /** Only the command that is run is loaded. */
  load(): Promise<{ readonly command: Command }>;
}

/** Every command of the executable but `server`, which has flags of its own (config/flags.ts). */
export const registry: readonly Entry[] = [
  {
    name: 'dev',
    summary: 'Runs a cluster on this machine, to try things out',
    load: () => import('./commands/dev.js'),
  },
  { name: 'get', summary: 'Gets the key or a range of keys', load: () => import('./commands/get.js') },
  { name: 'put', summary: 'Puts the given key into the store', load: () => import('./commands/put.js') },
  { name: 'del', summary: 'Removes the specified key or range of keys', load: () => import('./commands/del.js') },
  { name: 'txn', summary: 'Processes all the requests in one transaction', load: () => import('./commands/txn.js') },
  {
    name: 'compaction',
    summary: 'Forgets the history before a revision',
    load: () => import('./commands/compaction.js'),
  },
  { name: 'status', summary: 'Shows the whole cluster at a glance', load: () => import('./commands/status.js') },
  {
    name: 'member list',
    summary: 'Lists all members in the cluster',
    load: () => import('./commands/member-list.js'),
  },
  {
    name: 'endpoint health',
    summary: 'Checks whether the endpoints can commit',
    load: () => import('./commands/endpoint-health.js'),
  },
  {
    name: 'endpoint status',
    summary: 'Prints out the status of the endpoints',
    load: () => import('./commands/endpoint-status.js'),
  },
  { name: 'version', summary: 'Prints the version', load: () => import('./commands/version.js') },
];

/** Commands that main.ts knows by itself. */
export const COMPLETION = { name: 'completion', summary: 'Prints a script for completion in bash or zsh' } as const;
export const SERVER = { name: 'server', summary: 'Runs one member of a cluster' } as const;
