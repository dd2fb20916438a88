import type { Logger } from '../lib/logger.js';
import type { MemberApi } from '../member/api.js';
import { clusterService } from './cluster-service.js';
import type { ServiceTable } from './handlers.js';
import { Headers } from './header.js';
import { healthService, type Health } from './health-service.js';
import { kvService } from './kv-service.js';
import { maintenanceService } from './maintenance-service.js';
import { requireLeader } from './require-leader.js';
import { unimplemented } from './unimplemented.js';

/** Everything that gRPC clients can call on one member. */
export interface ClientServices {
  readonly tables: readonly ServiceTable[];
  readonly health: Health;
}

/** @param maxTxnOps the limit on conditions, and on operations per branch, of a transaction; etcd's default is 128 */
export function clientServices(member: MemberApi, logger: Logger, maxTxnOps?: number): ClientServices {
  const headers = new Headers(member);
  const health = healthService(logger);
  const etcd = [
    kvService(member, headers, logger, maxTxnOps),
    clusterService(member, headers, logger),
    maintenanceService(member, headers, logger),
  ].map((table) => requireLeader(table, member));
  const built = [...etcd, health.table];
  return { tables: [...built, unimplemented(built)], health };
}
