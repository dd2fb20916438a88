import type { Reply } from '../wire/grpc-connection.js';
import type { Request } from './request.js';

interface KnownDifference {
  readonly about: string;
  readonly covers: (request: Request, left: Reply, right: Reply) => boolean;
}

const UNIMPLEMENTED = 12;
const RESOURCE_EXHAUSTED = 8;
const UNMARSHALLING = 'grpc: error unmarshalling request: ';

/** Differences that are meant to be. Each is explained in docs/divergence.md; each is as narrow as it can be told. */
const KNOWN: readonly KnownDifference[] = [
  {
    about: 'wording of what is wrong with the bytes of a message',
    covers: (request, left, right) =>
      request.kind === 'raw' &&
      left.status === right.status &&
      left.message.startsWith(UNMARSHALLING) &&
      right.message.startsWith(UNMARSHALLING),
  },
  {
    about: 'wording of the refusal of a method that does not exist',
    covers: (request, left, right) =>
      request.kind === 'raw' &&
      request.response === null &&
      right.status === UNIMPLEMENTED &&
      (left.status === UNIMPLEMENTED || left.status === RESOURCE_EXHAUSTED),
  },
];

/** What the difference between two replies to `request` is known as, or null. */
export function knownDifference(request: Request, left: Reply, right: Reply): string | null {
  return KNOWN.find(({ covers }) => covers(request, left, right))?.about ?? null;
}
