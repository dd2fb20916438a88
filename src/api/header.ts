import { bigVarintSize, varintSize, writeBigVarint, writeVarint } from '../kv/wire/writer.js';
import type { MemberApi } from '../member/api.js';

/** Field 1 of every response, length-delimited. */
const HEADER_TAG = 0x0a;
const CLUSTER_ID_TAG = 0x08;
const MEMBER_ID_TAG = 0x10;
const REVISION_TAG = 0x18;
const TERM_TAG = 0x20;

/** Puts ResponseHeaders in front of bodies. Cluster and member never change, so their bytes are made once. */
export class Headers {
  readonly #ids: Buffer;

  constructor(private readonly member: MemberApi) {
    const { clusterId, memberId } = member;
    this.#ids = Buffer.alloc(2 + bigVarintSize(clusterId) + bigVarintSize(memberId));
    this.#ids[0] = CLUSTER_ID_TAG;
    const position = writeBigVarint(this.#ids, 1, clusterId);
    this.#ids[position] = MEMBER_ID_TAG;
    writeBigVarint(this.#ids, position + 1, memberId);
  }

  /** A whole response: the header with the member's term as it is now, then `body`. Revision 0 is left out, as proto3 wants. */
  respond(revision: number, body: Uint8Array): Buffer {
    const { term } = this.member;
    let headerBytes = this.#ids.length;
    if (revision > 0) headerBytes += 1 + varintSize(revision);
    if (term > 0) headerBytes += 1 + varintSize(term);
    // Two ids, a revision and a term are at most 42 bytes: the length takes one byte.
    const response = Buffer.allocUnsafe(2 + headerBytes + body.length);
    response[0] = HEADER_TAG;
    response[1] = headerBytes;
    response.set(this.#ids, 2);
    let position = 2 + this.#ids.length;
    if (revision > 0) {
      response[position] = REVISION_TAG;
      position = writeVarint(response, position + 1, revision);
    }
    if (term > 0) {
      response[position] = TERM_TAG;
      position = writeVarint(response, position + 1, term);
    }
    response.set(body, position);
    return response;
  }
}
