import type { RemoteClient } from '../client/remote-client.js';
import type { Globals } from './globals.js';

/** Runs `work` with a client for the endpoints of the command line, and closes it. gRPC is loaded only here. */
export async function withClient<T>(globals: Globals, work: (client: RemoteClient) => Promise<T>): Promise<T> {
  const { RemoteClient } = await import('../client/remote-client.js');
  const client = new RemoteClient(globals);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** The endpoints to look at one by one: those given, or with --cluster all that the member list knows. */
export async function endpointsOf(globals: Globals, wholeCluster: boolean): Promise<readonly string[]> {
  if (!wholeCluster) return globals.endpoints;
  const { members } = await withClient(globals, (client) => client.memberList());
  return members.flatMap((member) => member.clientURLs);
}
