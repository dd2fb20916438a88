/** The public door of `raftkv/client`: a client over the network. Loads nothing of the server. */
export { RemoteClient, type RemoteClientOptions } from './remote-client.js';
export { ClientError, type ClientErrorCode } from './errors.js';
export { prefixEnd } from './ranges.js';
export type * from './types.js';
