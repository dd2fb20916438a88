import type { Program } from './harness.js';

/** These tests are about our daemon. Run with CLUSTER_PROGRAM=etcd they test themselves against etcd. */
export const program: Program = process.env['CLUSTER_PROGRAM'] === 'etcd' ? 'etcd' : 'raftkv';

/** Milliseconds. Half of the default, so that the tests are half as long. */
export const electionTimeoutMs = 500;

/** Milliseconds after which a test has failed: far more than one needs, so that what hangs is named. */
export const TEST_TIMEOUT_MS = 120_000;
