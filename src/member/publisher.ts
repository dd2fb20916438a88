import { CommandKind } from '../kv/commands.js';
import { encodePublishMember, type MemberRecord } from '../kv/members.js';
import type { KvResult } from '../kv/results.js';
import type { Clock, Logger } from '../raft/ports.js';
import type { Done } from './api.js';
import type { MemberOptions } from './options.js';

/** Pause in ms before a publication that did not go through is tried again. */
const RETRY_PAUSE_MS = 100;

/** What the publisher needs of its member. */
export interface PublishTarget {
  readonly options: MemberOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isStopped: boolean;
  members(): readonly MemberRecord[];
  propose(kind: CommandKind, request: Uint8Array, done: Done<KvResult>): void;
}

/** Tells the cluster the member's name and client URLs, unless it knows them already. Ends when it does, or at stop. */
export async function runPublisher(target: PublishTarget): Promise<void> {
  const { memberId: id, name, clientURLs } = target.options;
  const request = encodePublishMember({ id, name, clientURLs });
  while (!target.isStopped && !isPublished(target)) {
    const error = await new Promise<Error | null>((resolve) =>
      target.propose(CommandKind.publishMember, request, resolve),
    );
    if (!error) return;
    target.logger.debug({ err: error }, 'publication failed, trying again');
    await target.clock.sleep(RETRY_PAUSE_MS);
  }
}

/** Whether this member's applied state shows its current name and client URLs. */
export function isPublished(target: Pick<PublishTarget, 'options' | 'members'>): boolean {
  const { memberId, name, clientURLs } = target.options;
  const known = target.members().find((member) => member.id === memberId);
  if (!known || known.name !== name) return false;
  return (
    known.clientURLs.length === clientURLs.length && known.clientURLs.every((url, place) => url === clientURLs[place])
  );
}
