import { WireReader, tagOf, VARINT } from '../kv/wire/reader.js';
import { WireWriter } from '../kv/wire/writer.js';
import type { Logger } from '../lib/logger.js';
import type { MemberApi, MemberRecord } from '../member/api.js';
import { statusOf } from './errors.js';
import type { ServiceTable, UnaryHandler } from './handlers.js';
import type { Headers } from './header.js';
import { decoding } from './unary.js';

/** etcd's Cluster service: who belongs. Its headers carry no revision. */
export function clusterService(member: MemberApi, headers: Headers, logger: Logger): ServiceTable {
  const memberList: UnaryHandler = decoding(readMemberListRequest, logger, ({ linearizable }, _context, reply) => {
    const answer = () => reply(null, headers.respond(0, encodeMembers(member.members())));
    if (!linearizable) {
      answer();
      return;
    }
    member.linearizableRead((error) => {
      if (error) reply(statusOf(error, logger));
      else answer();
    });
  });
  return { unary: new Map([['/etcdserverpb.Cluster/MemberList', memberList]]), streams: new Map() };
}

/** Clients of etcd before 3.5 do not send the field, and mean what it says by default. */
function readMemberListRequest(bytes: Buffer): { linearizable: boolean } {
  const reader = new WireReader(bytes);
  let linearizable = false;
  while (!reader.atEnd()) {
    const tag = reader.tag('MemberListRequest');
    if (tag === tagOf(1, VARINT)) linearizable = reader.bool();
    else reader.skip(tag, [undefined, 'Linearizable']);
  }
  return { linearizable };
}

/** MemberListResponse without its header, in the order of the ids. */
function encodeMembers(members: readonly MemberRecord[]): Buffer {
  const writer = new WireWriter();
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const { id, name, peerURLs, clientURLs } of sorted) {
    const content = new WireWriter().int64(1, id).string(2, name);
    for (const url of peerURLs) content.string(3, url);
    for (const url of clientURLs) content.string(4, url);
    writer.message(2, content.finish());
  }
  return writer.finish();
}
