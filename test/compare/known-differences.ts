import { methods } from '../wire/etcd-messages.js';
import type { Reply } from '../wire/grpc-connection.js';
import type { Request } from './request.js';

interface KnownDifference {
  readonly about: string;
  readonly covers: (request: Request, left: Reply, right: Reply) => boolean;
}

const OUT_OF_RANGE = 11;
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
  {
    about: 'HashKV at the very revision that was compacted: etcd 3.4 refuses it, later etcd answers',
    covers: (request, left, right) =>
      request.kind === 'fields' &&
      request.method === methods.hashKv &&
      left.status === OUT_OF_RANGE &&
      left.message.endsWith('required revision has been compacted') &&
      right.status === 0,
  },
];

/** What the difference between two replies to `request` is known as, or null. */
export function knownDifference(request: Request, left: Reply, right: Reply): string | null {
  return KNOWN.find(({ covers }) => covers(request, left, right))?.about ?? null;
}
