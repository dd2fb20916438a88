import { VERSION } from '../lib/version.js';
import { ConfigError } from './errors.js';

/** A flag of etcd that raftkv does not have. */
interface Unsupported {
  readonly reason: string;
  /** Values that ask for nothing beyond what raftkv does anyway: these are accepted, with a warning. */
  readonly harmless: readonly string[];
}

/** A switch that is off. */
const off = ['false'];
/** A path, name or address that is not given. */
const unset = [''];
const NO_TLS = 'TLS is not available, connections are plain text';

const groups: readonly { reason: string; harmless: readonly string[]; flags: string }[] = [
  {
    reason: NO_TLS,
    harmless: unset,
    flags: `cert-file key-file client-crl-file client-cert-allowed-hostname trusted-ca-file client-cert-file
      client-key-file peer-cert-file peer-key-file peer-client-cert-file peer-client-key-file peer-trusted-ca-file
      peer-cert-allowed-cn peer-cert-allowed-hostname peer-crl-file self-signed-cert-validity cipher-suites
      tls-min-version tls-max-version client-transport-security peer-transport-security ca-file peer-ca-file`,
  },
  {
    reason: NO_TLS,
    harmless: off,
    flags: `client-cert-auth auto-tls peer-client-cert-auth peer-auto-tls peer-skip-client-san-verification
      experimental-peer-skip-client-san-verification`,
  },
  { reason: 'users and roles are not available', harmless: ['simple', ''], flags: 'auth-token' },
  { reason: 'users and roles are not available', harmless: [], flags: 'bcrypt-cost auth-token-ttl' },
  { reason: 'the size of the key space is not limited', harmless: [], flags: 'quota-backend-bytes' },
  {
    reason: 'history is compacted only on request (`raftkv compaction`)',
    harmless: ['0', '0s', 'periodic'],
    flags: 'auto-compaction-retention auto-compaction-mode',
  },
  {
    reason: 'the members of the first configuration are given by --initial-cluster',
    harmless: ['', 'exit', 'proxy'],
    flags: `discovery discovery-fallback discovery-proxy discovery-srv discovery-srv-name discovery-token
      discovery-endpoints discovery-dial-timeout discovery-request-timeout discovery-keepalive-time
      discovery-keepalive-timeout discovery-insecure-transport discovery-insecure-skip-tls-verify discovery-cert
      discovery-key discovery-cacert discovery-user discovery-password experimental-discovery-srv`,
  },
  {
    reason: 'raftkv has no proxy mode',
    harmless: ['off'],
    flags: `proxy proxy-failure-wait proxy-refresh-interval proxy-dial-timeout proxy-write-timeout proxy-read-timeout`,
  },
  { reason: 'metrics are not available', harmless: ['basic', ''], flags: 'metrics listen-metrics-urls' },
  { reason: 'HTTP shares the client port', harmless: [''], flags: 'listen-client-http-urls' },
  { reason: 'HTTP answers any origin and host name', harmless: ['*', ''], flags: 'cors host-whitelist' },
  { reason: 'the etcd v2 API is not served', harmless: off, flags: 'enable-v2' },
  { reason: 'the etcd v2 API is not served', harmless: unset, flags: 'v2-deprecation experimental-enable-v2v3' },
  {
    reason: 'Node has its own profiler (node --cpu-prof)',
    harmless: off,
    flags: 'enable-pprof',
  },
  {
    reason: 'tracing is not available',
    harmless: off,
    flags: 'enable-distributed-tracing experimental-enable-distributed-tracing',
  },
  {
    reason: 'tracing is not available',
    harmless: unset,
    flags: `distributed-tracing-address distributed-tracing-service-name distributed-tracing-instance-id
      distributed-tracing-sampling-rate experimental-distributed-tracing-address experimental-distributed-tracing-service-name
      experimental-distributed-tracing-instance-id experimental-distributed-tracing-sampling-rate`,
  },
  {
    reason: 'a cluster that lost its majority for good cannot be rebuilt from one member',
    harmless: off,
    flags: 'force-new-cluster',
  },
  { reason: 'every write is synced', harmless: off, flags: 'unsafe-no-fsync' },
  { reason: 'the log lives in the data directory', harmless: [''], flags: 'wal-dir' },
  { reason: 'members cannot be added or removed', harmless: ['true'], flags: 'strict-reconfig-check' },
  { reason: 'there are no learners', harmless: [], flags: 'max-learners experimental-max-learners' },
  {
    reason: 'members are not compared with each other while they run',
    harmless: off,
    flags: `compact-hash-check-enabled initial-corrupt-check experimental-initial-corrupt-check
      experimental-compact-hash-check-enabled`,
  },
  {
    reason: 'members are not compared with each other while they run',
    harmless: ['0s', '0'],
    flags: `corrupt-check-time compact-hash-check-time experimental-corrupt-check-time
      experimental-compact-hash-check-time`,
  },
  {
    reason: 'leases are not available',
    harmless: off,
    flags: `enable-lease-checkpoint enable-lease-checkpoint-persist experimental-enable-lease-checkpoint
      experimental-enable-lease-checkpoint-persist`,
  },
  {
    reason: 'watches are not available',
    harmless: [],
    flags: 'watch-progress-notify-interval experimental-watch-progress-notify-interval',
  },
  {
    reason: 'rotate log files with logrotate or the like',
    harmless: off,
    flags: 'enable-log-rotation',
  },
  {
    reason: 'rotate log files with logrotate or the like',
    harmless: ['{}', ''],
    flags: 'log-rotation-config-json log-package-levels',
  },
  { reason: 'use --log-level=debug', harmless: off, flags: 'debug' },
  { reason: 'feature gates are etcd internals', harmless: [''], flags: 'feature-gates' },
  {
    reason: 'ports and buffers are left to the system',
    harmless: off,
    flags: 'socket-reuse-port socket-reuse-address',
  },
  {
    reason: 'clients may ping as often as they like',
    harmless: [],
    flags: 'grpc-keepalive-min-time',
  },
];

/** Knobs of etcd's own machinery. Without them nothing a user can see changes, so they never stop a start. */
const withoutEffect = new Set(
  `logger max-snapshots max-wals backend-batch-interval backend-batch-limit backend-bbolt-freelist-type
  experimental-backend-bbolt-freelist-type initial-election-tick-advance bootstrap-defrag-threshold-megabytes
  experimental-bootstrap-defrag-threshold-megabytes compaction-batch-limit experimental-compaction-batch-limit
  compaction-sleep-interval experimental-compaction-sleep-interval downgrade-check-time
  experimental-downgrade-check-time warning-apply-duration experimental-warning-apply-duration
  warning-unary-request-duration experimental-warning-unary-request-duration memory-mlock experimental-memory-mlock
  txn-mode-write-with-shared-buffer experimental-txn-mode-write-with-shared-buffer
  experimental-stop-grpc-service-on-defrag experimental-snapshot-catchup-entries`.split(/\s+/),
);

const unsupported: ReadonlyMap<string, Unsupported> = new Map(
  groups.flatMap(({ reason, harmless, flags }) => flags.split(/\s+/).map((flag) => [flag, { reason, harmless }])),
);

/** Flags of etcd, of any version from 3.4 on, that are no option here. */
export const foreignFlags: ReadonlySet<string> = new Set([...unsupported.keys(), ...withoutEffect]);

/** Whether a lone `--flag` is meant as true. */
export function isForeignBoolean(flag: string): boolean {
  if (withoutEffect.has(flag)) return /mlock|tick-advance|shared-buffer|stop-grpc/.test(flag);
  return unsupported.get(flag)?.harmless.some((value) => value === 'true' || value === 'false') === true;
}

/**
 * What to tell about a flag of etcd that raftkv lacks: a warning when ignoring it is safe. `value` null: not known.
 * @throws ConfigError when its user would count on something that does not happen.
 */
export function judgeForeign(flag: string, value: string | null, written: string): string | null {
  if (flag === 'logger') return null;
  if (withoutEffect.has(flag)) return `${written} has no effect in raftkv; remove it`;
  const found = unsupported.get(flag);
  if (found === undefined) return null;
  if (value !== null && found.harmless.includes(value)) return `${written} is not needed: ${found.reason}; remove it`;
  throw new ConfigError(`${written} is not supported yet by raftkv ${VERSION}: ${found.reason}; remove it`);
}
