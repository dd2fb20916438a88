import type { Reply, Request } from './kv-model.js';

/** One operation of one client, as the client saw it. */
export interface Recorded {
  /** Unique in the history. */
  readonly id: number;
  readonly request: Request;
  /** Order stamps of one clock that all clients share; no two are equal. */
  readonly invokedAt: number;
  /** Infinity when no definite answer came: it may take effect at any time from invokedAt on, or never. */
  readonly returnedAt: number;
  /** null when no answer came. With a finite returnedAt it is known from elsewhere that it took effect by then. */
  readonly reply: Reply | null;
  /** Served by one member's own state, maybe an old one; only reads. */
  readonly serializable: boolean;
  /** Which client asked which process of which member. Within one session no read goes back in revision. */
  readonly session: string;
}

/** What a checker found wrong: the sentence for people, and the operations that cannot be. */
export interface Violation {
  readonly reason: string;
  readonly operations: readonly Recorded[];
}

export function describe({ reason, operations }: Violation): string {
  const lines = operations.map((operation) => {
    const { id, session, invokedAt, returnedAt, request, reply } = operation;
    return `  #${id} ${session} [${invokedAt}, ${returnedAt}] ${JSON.stringify(request)} -> ${JSON.stringify(reply)}`;
  });
  return [reason, ...lines].join('\n');
}
