import { DELIMITED, VARINT, tagOf } from './reader.js';
import { WireWriter, varintSize, writeVarint } from './writer.js';

/** etcdserverpb.ResponseHeader. */
export interface ResponseHeader {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: number;
  readonly raftTerm: number;
}

const REVISION = tagOf(3, VARINT);
const RAFT_TERM = tagOf(4, VARINT);

/** Makes the headers of one member, whose ids never change. */
export class HeaderEncoder {
  readonly #ids: Buffer;

  constructor(clusterId: bigint, memberId: bigint) {
    this.#ids = new WireWriter().int64(1, clusterId).int64(2, memberId).finish();
  }

  /**
   * A whole response: the header as its field 1, then `body`, which is the rest (KvResult.body). With an empty `body` it
   * is a response that has nothing but a header.
   */
  response(revision: number, raftTerm: number, body: Uint8Array): Buffer {
    const ids = this.#ids;
    let size = ids.length;
    if (revision > 0) size += 1 + varintSize(revision);
    if (raftTerm > 0) size += 1 + varintSize(raftTerm);
    const response = Buffer.allocUnsafe(1 + varintSize(size) + size + body.length);
    response[0] = tagOf(1, DELIMITED);
    let position = writeVarint(response, 1, size);
    response.set(ids, position);
    position += ids.length;
    if (revision > 0) {
      response[position++] = REVISION;
      position = writeVarint(response, position, revision);
    }
    if (raftTerm > 0) {
      response[position++] = RAFT_TERM;
      position = writeVarint(response, position, raftTerm);
    }
    response.set(body, position);
    return response;
  }
}

const NO_BODY = Buffer.alloc(0);

/** The header as field 1 of a response, with its tag and length: put in front of KvResult.body it makes the whole message. */
export function encodeHeader(header: ResponseHeader): Buffer {
  return new HeaderEncoder(header.clusterId, header.memberId).response(header.revision, header.raftTerm, NO_BODY);
}
