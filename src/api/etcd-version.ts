/**
 * The etcd release whose behaviour and wire forms we follow, and are tested against. Clients parse it and switch features
 * by it, so it must look like a release of etcd and promise nothing that is not there.
 */
export const ETCD_VERSION = '3.4.23';

/** The lowest version that every member of the cluster speaks. */
export const ETCD_CLUSTER_VERSION = '3.4.0';
