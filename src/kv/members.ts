import { crc32 } from '../lib/crc32.js';
import { DamagedStoreError, KvError } from './errors.js';
import { DELIMITED, VARINT, WireReader, tagOf } from './wire/reader.js';
import { WireWriter } from './wire/writer.js';

/** A member as the cluster knows it. `name` and `clientURLs` are empty until it has published them. */
export interface MemberRecord {
  readonly id: bigint;
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
}

/** What a member publishes of itself when it comes up. */
export interface MemberAttributes {
  readonly id: bigint;
  readonly name: string;
  readonly clientURLs: readonly string[];
}

/*
 * Both are encoded as etcdserverpb.Member: ID 1, name 2, peerURLs 3, clientURLs 4. In the table `member` a CRC-32 of it
 * (4 bytes) comes first.
 */

const CHECKSUM_BYTES = 4;
export const MEMBER_KEY_BYTES = 8;

/** The request of the command publishMember. */
export function encodePublishMember(attributes: MemberAttributes): Buffer {
  return encodeMember({ ...attributes, peerURLs: [] });
}

/** @throws KvError KV_MALFORMED_REQUEST */
export function decodePublishMember(request: Uint8Array): MemberAttributes {
  const { id, name, clientURLs } = decodeMember(request);
  return { id, name, clientURLs };
}

/** etcdserverpb.Member, as a MemberListResponse repeats it too. */
export function encodeMember(member: MemberRecord): Buffer {
  const writer = new WireWriter().int64(1, member.id).string(2, member.name);
  for (const url of member.peerURLs) writer.message(3, Buffer.from(url));
  for (const url of member.clientURLs) writer.message(4, Buffer.from(url));
  return writer.finish();
}

const FIELDS = [undefined, 'ID', 'Name', 'PeerURLs', 'ClientURLs'];

function decodeMember(bytes: Uint8Array): MemberRecord {
  const reader = new WireReader(bytes);
  let id = 0n;
  let name = '';
  const peerURLs: string[] = [];
  const clientURLs: string[] = [];
  while (!reader.atEnd()) {
    const tag = reader.tag('Member');
    if (tag === tagOf(1, VARINT)) id = reader.uint64();
    else if (tag === tagOf(2, DELIMITED)) name = reader.string();
    else if (tag === tagOf(3, DELIMITED)) peerURLs.push(reader.string());
    else if (tag === tagOf(4, DELIMITED)) clientURLs.push(reader.string());
    else reader.skip(tag, FIELDS);
  }
  return { id, name, peerURLs, clientURLs };
}

export function encodeMemberKey(id: bigint): Buffer {
  const key = Buffer.allocUnsafe(MEMBER_KEY_BYTES);
  key.writeBigUInt64BE(id);
  return key;
}

export function encodeMemberRecord(member: MemberRecord): Buffer {
  const content = encodeMember(member);
  const record = Buffer.allocUnsafe(CHECKSUM_BYTES + content.length);
  record.writeUInt32BE(crc32(content), 0);
  content.copy(record, CHECKSUM_BYTES);
  return record;
}

/** @throws DamagedStoreError */
export function decodeMemberRecord(key: Buffer, record: Buffer): MemberRecord {
  const content = record.subarray(CHECKSUM_BYTES);
  if (record.length < CHECKSUM_BYTES || crc32(content) !== record.readUInt32BE(0)) {
    throw damagedMember(key, 'the checksum does not match');
  }
  try {
    const member = decodeMember(content);
    if (key.equals(encodeMemberKey(member.id))) return member;
  } catch (error) {
    if (!(error instanceof KvError)) throw error;
  }
  throw damagedMember(key, 'the record contradicts itself');
}

function damagedMember(key: Buffer, problem: string): DamagedStoreError {
  return new DamagedStoreError('member', key.toString('hex'), problem);
}
