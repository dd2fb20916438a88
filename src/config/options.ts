import type { Kind } from './kinds.js';
import { boolean, duration, initialCluster, list, oneOf, text, urls, wholeNumber } from './kinds.js';

/** Everything about one option of the server. Flags, environment, file, help and documentation all come from here. */
export interface Option<T> {
  /** etcd's flag name where etcd has the option. The environment has it as RAFTKV_ and upper snake case. */
  readonly flag: string;
  readonly group: 'Member' | 'Cluster' | 'Consensus' | 'Limits' | 'Logging';
  readonly kind: Kind<T>;
  /** As a user would write it; null when it follows from other options, as `derivedFrom` says. */
  readonly defaultText: string | null;
  readonly derivedFrom?: string;
  /** One sentence for the help. */
  readonly description: string;
  /** When an operator should touch it, for the documentation. */
  readonly advice: string;
  readonly since: string;
}

interface FixedOption<T> extends Option<T> {
  readonly defaultText: string;
}

interface DerivedOption<T> extends Option<T> {
  readonly defaultText: null;
  readonly derivedFrom: string;
}

const fixed = <T>(definition: FixedOption<T>): FixedOption<T> => definition;
const derived = <T>(definition: Omit<DerivedOption<T>, 'defaultText'>): DerivedOption<T> => ({
  ...definition,
  defaultText: null,
});
const MAX_COUNT = 2 ** 32 - 1;
/** With what consensus and the wire add to it, a write must fit into one message between members, of 16 MiB at most. */
const MOST_REQUEST_BYTES = 15 * 1024 * 1024;

/** Every option of `raftkv server`, once. */
export const options = {
  name: fixed({
    flag: 'name',
    group: 'Member',
    kind: text,
    defaultText: 'default',
    description: 'Name of this member; must be one of the names in --initial-cluster.',
    advice: 'Always in a cluster of more than one member. Never change it afterwards without need.',
    since: '0.1.0',
  }),
  dataDir: derived({
    flag: 'data-dir',
    group: 'Member',
    kind: text,
    derivedFrom: '<name>.raftkv',
    description: 'Folder for the log and the key space; created when it is missing.',
    advice: 'In production: a local disk with fast fsync, of which nothing else makes use. One member, one folder.',
    since: '0.1.0',
  }),
  listenPeerUrls: fixed({
    flag: 'listen-peer-urls',
    group: 'Member',
    kind: urls,
    defaultText: 'http://localhost:2380',
    description: 'Where to listen for the other members.',
    advice: 'When members run on several machines: http://0.0.0.0:2380 or the address of a private network.',
    since: '0.1.0',
  }),
  listenClientUrls: fixed({
    flag: 'listen-client-urls',
    group: 'Member',
    kind: urls,
    defaultText: 'http://localhost:2379',
    description: 'Where to listen for clients.',
    advice: 'When clients run on other machines: http://0.0.0.0:2379 or one address.',
    since: '0.1.0',
  }),
  initialAdvertisePeerUrls: derived({
    flag: 'initial-advertise-peer-urls',
    group: 'Cluster',
    kind: urls,
    derivedFrom: '--listen-peer-urls, localhost for a wildcard',
    description: 'Where the other members reach this one; must equal its entry in --initial-cluster.',
    advice: 'Whenever --listen-peer-urls is a wildcard or a name that the others cannot resolve.',
    since: '0.1.0',
  }),
  advertiseClientUrls: derived({
    flag: 'advertise-client-urls',
    group: 'Cluster',
    kind: urls,
    derivedFrom: '--listen-client-urls, localhost for a wildcard',
    description: 'Where clients reach this member; the member list tells it to them.',
    advice: 'Whenever --listen-client-urls is a wildcard: clients that sync their endpoints use what stands here.',
    since: '0.1.0',
  }),
  initialCluster: derived({
    flag: 'initial-cluster',
    group: 'Cluster',
    kind: initialCluster,
    derivedFrom: '<name>=<initial-advertise-peer-urls>',
    description: 'All members of the first configuration, this one among them; used at the first start only.',
    advice: 'In a cluster of more than one member, and then the same text on each of them.',
    since: '0.1.0',
  }),
  initialClusterState: fixed({
    flag: 'initial-cluster-state',
    group: 'Cluster',
    kind: oneOf('new', 'existing'),
    defaultText: 'new',
    description: 'Whether the cluster is new or this member joins an existing one.',
    advice: 'Leave it: a member with data ignores it.',
    since: '0.1.0',
  }),
  initialClusterToken: fixed({
    flag: 'initial-cluster-token',
    group: 'Cluster',
    kind: text,
    defaultText: 'etcd-cluster',
    description: 'Goes into the ids, so that clusters with equal URLs are never taken for one another.',
    advice: 'When several clusters live on the same machines, or a cluster is built anew on the URLs of an old one.',
    since: '0.1.0',
  }),
  heartbeatIntervalMs: fixed({
    flag: 'heartbeat-interval',
    group: 'Consensus',
    kind: duration(10, 10_000, { bareMs: true }),
    defaultText: '100',
    description: 'A leader is heard at least this often.',
    advice: 'Between distant machines: about the round trip time between members.',
    since: '0.1.0',
  }),
  electionTimeoutMs: fixed({
    flag: 'election-timeout',
    group: 'Consensus',
    kind: duration(50, 50_000, { bareMs: true }),
    defaultText: '1000',
    description: 'Silence after which a follower asks for votes; at least 5 times --heartbeat-interval.',
    advice: 'With --heartbeat-interval, about ten times it. Must be the same on all members.',
    since: '0.1.0',
  }),
  preVote: fixed({
    flag: 'pre-vote',
    group: 'Consensus',
    kind: boolean,
    defaultText: 'true',
    description: 'Ask whether an election could be won before raising the term.',
    advice: 'Leave it: without it a member that comes back from isolation disturbs a healthy leader.',
    since: '0.1.0',
  }),
  snapshotCount: fixed({
    flag: 'snapshot-count',
    group: 'Consensus',
    kind: wholeNumber('entries', 1, MAX_COUNT),
    defaultText: '10000',
    description: 'Applied entries that gather in the log before it is cut.',
    advice: 'Lower for less memory, higher where members often fall behind for a while.',
    since: '0.1.0',
  }),
  snapshotCatchupEntries: fixed({
    flag: 'snapshot-catchup-entries',
    group: 'Consensus',
    kind: wholeNumber('entries', 0, MAX_COUNT),
    defaultText: '5000',
    description: 'Applied entries that a cut leaves in the log for slow followers.',
    advice: 'Higher when followers that were briefly away need whole snapshots.',
    since: '0.1.0',
  }),
  maxRequestBytes: fixed({
    flag: 'max-request-bytes',
    group: 'Limits',
    kind: wholeNumber('bytes', 1024, MOST_REQUEST_BYTES),
    defaultText: '1572864',
    description: 'Largest write that is accepted.',
    advice: 'Rarely: large values delay everything behind them. Must be the same on all members.',
    since: '0.1.0',
  }),
  maxTxnOps: fixed({
    flag: 'max-txn-ops',
    group: 'Limits',
    kind: wholeNumber('operations', 1, 100_000),
    defaultText: '128',
    description: 'Most operations in one transaction.',
    advice: 'When a client is told "too many operations in txn request" and cannot split its work.',
    since: '0.1.0',
  }),
  maxConcurrentStreams: fixed({
    flag: 'max-concurrent-streams',
    group: 'Limits',
    kind: wholeNumber('streams', 1, MAX_COUNT),
    defaultText: '4294967295',
    description: 'Most calls that one client connection may have open at a time.',
    advice: 'When single clients must not occupy a member.',
    since: '0.1.0',
  }),
  grpcKeepaliveIntervalMs: fixed({
    flag: 'grpc-keepalive-interval',
    group: 'Limits',
    kind: duration(1_000, 86_400_000, { bareMs: false }),
    defaultText: '30s',
    description: 'How often an idle client connection is pinged.',
    advice: 'Shorter when a firewall drops idle connections.',
    since: '0.1.0',
  }),
  grpcKeepaliveTimeoutMs: fixed({
    flag: 'grpc-keepalive-timeout',
    group: 'Limits',
    kind: duration(100, 3_600_000, { bareMs: false }),
    defaultText: '10s',
    description: 'How long a pinged client may stay silent before its connection is closed.',
    advice: 'Longer on networks that lose packets for long.',
    since: '0.1.0',
  }),
  shutdownGraceMs: fixed({
    flag: 'shutdown-grace',
    group: 'Limits',
    kind: duration(0, 600_000, { bareMs: false }),
    defaultText: '10s',
    description: 'How long requests under way may take to finish after SIGTERM.',
    advice: 'Keep it below what systemd, Docker or Kubernetes wait before they kill.',
    since: '0.1.0',
  }),
  logLevel: fixed({
    flag: 'log-level',
    group: 'Logging',
    kind: oneOf('debug', 'info', 'warn', 'error', 'fatal'),
    defaultText: 'info',
    description: 'Least severity that is logged.',
    advice: 'debug while looking for a fault: it logs every message between members.',
    since: '0.1.0',
  }),
  logFormat: derived({
    flag: 'log-format',
    group: 'Logging',
    kind: oneOf('json', 'console'),
    derivedFrom: 'console on a terminal, else json',
    description: 'One JSON object or one readable line per event.',
    advice: 'json where a collector reads the logs.',
    since: '0.1.0',
  }),
  logOutputs: fixed({
    flag: 'log-outputs',
    group: 'Logging',
    kind: list,
    defaultText: 'default',
    description: 'Where logs go: stderr, stdout, default (stderr), or paths of files that are appended to.',
    advice: 'When nothing collects stderr.',
    since: '0.1.0',
  }),
} as const;

export type OptionKey = keyof typeof options;
type ValueOf<O> = O extends Option<infer T> ? T : never;

/** What was given and what is default, before the options are held against each other. Null: to be derived. */
export type OptionValues = {
  readonly [K in OptionKey]: (typeof options)[K] extends DerivedOption<infer T>
    ? T | null
    : ValueOf<(typeof options)[K]>;
};

export const optionKeys = Object.keys(options) as OptionKey[];

export const optionByFlag: ReadonlyMap<string, { readonly key: OptionKey; readonly option: Option<unknown> }> = new Map(
  optionKeys.map((key) => [options[key].flag, { key, option: options[key] }]),
);

/** `--data-dir` is RAFTKV_DATA_DIR in the environment. */
export function environmentName(flag: string): string {
  return `RAFTKV_${flag.toUpperCase().replaceAll('-', '_')}`;
}
