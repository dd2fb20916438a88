import { join } from 'node:path';

/** One member of a development cluster: where it listens, where its data and its log lie. */
export interface Place {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly dataDir: string;
  readonly logFile: string;
}

/** Where etcd's own examples put their members: 2379, 22379, 32379, ... */
const CLASSIC_FIRST = 2379;
const CLASSIC_SECOND = 22_379;
const CLASSIC_STEP = 10_000;
/** Between the members of a cluster with a base port of its own. */
const STEP = 10;

/** The members n1, n2, ...; `basePort` null: the ports that etcd's examples use. */
export function layOut(members: number, folder: string, basePort: number | null): Place[] {
  return Array.from({ length: members }, (_, position) => {
    const classic = position === 0 ? CLASSIC_FIRST : CLASSIC_SECOND + (position - 1) * CLASSIC_STEP;
    const clientPort = basePort === null ? classic : basePort + position * STEP;
    const name = `n${position + 1}`;
    return {
      name,
      clientPort,
      peerPort: clientPort + 1,
      dataDir: join(folder, name),
      logFile: join(folder, `${name}.log`),
    };
  });
}

/** What follows `raftkv` on the command line of this member. */
export function serverArguments(place: Place, all: readonly Place[]): string[] {
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  return [
    'server',
    `--name=${place.name}`,
    `--data-dir=${place.dataDir}`,
    `--listen-client-urls=${url(place.clientPort)}`,
    `--advertise-client-urls=${url(place.clientPort)}`,
    `--listen-peer-urls=${url(place.peerPort)}`,
    `--initial-advertise-peer-urls=${url(place.peerPort)}`,
    `--initial-cluster=${all.map(({ name, peerPort }) => `${name}=${url(peerPort)}`).join(',')}`,
    '--initial-cluster-token=raftkv-dev',
  ];
}
