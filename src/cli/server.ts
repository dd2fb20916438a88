import { loadConfig, type LoadedConfig } from '../config/config.js';
import { prepareDataDir } from '../config/data-dir.js';
import { ConfigError } from '../config/errors.js';
import { asError, RaftkvError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { VERSION } from '../lib/version.js';
import { note, writeOut } from './output.js';

/** Exit codes of the daemon. */
const OK = 0;
const FAILED = 1;
const BAD_ARGUMENTS = 2;
/** What is in the data directory cannot be used: starting again will not help, an operator must look. */
const UNUSABLE_DATA = 3;
const UNUSABLE_DATA_CODES = new Set([
  'STORAGE_DAMAGE',
  'STORAGE_OTHER_MEMBER',
  'STORAGE_NEWER_FORMAT',
  'KV_DAMAGED_STORE',
]);

/** Time beyond --shutdown-grace after which a stop that hangs is cut short, in milliseconds. */
const STOP_MARGIN_MS = 10_000;

/** Runs `raftkv server`. Resolves to the exit code, once the daemon has stopped. */
export async function runServer(args: readonly string[]): Promise<number> {
  if (args.some((arg) => /^(--?help|-h)$/.test(arg))) {
    const { serverHelp } = await import('../config/reference.js');
    await writeOut([serverHelp()]);
    return OK;
  }
  if (args.some((arg) => /^--?version$/.test(arg))) {
    await writeOut([`raftkv version: ${VERSION}\n`]);
    return OK;
  }
  try {
    const loaded = await loadConfig({
      args,
      environment: process.env,
      stderrIsTerminal: process.stderr.isTTY,
    });
    prepareDataDir(loaded.config.dataDir);
    const { openLogger } = await import('./logging.js');
    return await serve(loaded, openLogger(loaded.config));
  } catch (thrown) {
    // A user's mistake or a state of the machine: one line, no stack.
    if (!(thrown instanceof RaftkvError)) throw thrown;
    // A mistake in the configuration explains itself; for what the disk or the machine did, docs/errors.md says more.
    note(`raftkv: ${thrown.message}${thrown instanceof ConfigError ? '' : ` (${thrown.code})`}`);
    if (thrown instanceof ConfigError) return BAD_ARGUMENTS;
    return UNUSABLE_DATA_CODES.has(thrown.code) ? UNUSABLE_DATA : FAILED;
  }
}

async function serve({ config, warnings }: LoadedConfig, logger: Logger): Promise<number> {
  const dieOf = (error: Error, message: string): never => {
    logger.fatal({ err: error }, message);
    process.exit(FAILED);
  };
  process.on('uncaughtException', (error) => dieOf(error, 'unexpected error, the process ends'));
  const stopAsked = untilSignal(logger);

  for (const warning of warnings) logger.warn({ detail: warning }, 'configuration is odd');
  logger.info(
    {
      version: VERSION,
      node: process.version,
      memberId: config.memberId.toString(16),
      clusterId: config.clusterId.toString(16),
      dataDir: config.dataDir,
      listenPeerUrls: config.listenPeerUrls.map(({ url }) => url),
      listenClientUrls: config.listenClientUrls.map(({ url }) => url),
      initialCluster: config.initialCluster.map(({ name, peerURLs }) => `${name}=${peerURLs.join()}`),
    },
    'starting member',
  );
  const { startDaemon } = await import('../daemon.js');
  const daemon = await startDaemon(config, logger, {
    onFailure: (error) => dieOf(error, 'member failed, the process ends'),
  });
  void daemon.ready.then(() => {
    const { term, leaderId } = daemon.member.status();
    logger.info(
      { clientUrls: daemon.clientUrls, term, leaderId: leaderId?.toString(16) },
      'ready to serve client requests',
    );
  });

  const signal = await stopAsked;
  logger.info({ signal, graceMs: config.shutdownGraceMs }, 'stopping member');
  const tooLong = setTimeout(
    () => dieOf(new Error('the member did not stop in time'), 'stopping took too long, the process ends'),
    config.shutdownGraceMs + STOP_MARGIN_MS,
  );
  try {
    await daemon.stop();
  } catch (thrown) {
    dieOf(asError(thrown), 'member could not be stopped orderly');
  }
  clearTimeout(tooLong);
  logger.info({}, 'member stopped');
  // Whatever still holds the event loop, such as a client's socket, has nothing left to wait for.
  process.exit(OK);
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
function untilSignal(logger: Logger): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isStopping) {
        logger.warn({ signal }, 'second signal, the process ends at once');
        process.exit(FAILED);
      }
      isStopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}
