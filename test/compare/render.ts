import { crc32 } from '../../src/lib/crc32.js';
import { MessageType, type Decoded, type DecodedValue, type Fields, type FieldValue } from '../wire/protobuf.js';
import { pathOf, resolveFields, type Request, type View } from './request.js';

const MAX_SHOWN_BYTES = 48;

/** Bytes as quoted text, each byte that is not printable as \xNN; long ones by their start, length and checksum. */
export function renderBytes(bytes: Uint8Array): string {
  const text = Array.from(bytes.subarray(0, MAX_SHOWN_BYTES), (byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  if (bytes.length <= MAX_SHOWN_BYTES) return `"${text}"`;
  return `"${text}..."(${bytes.length} bytes, crc ${crc32(bytes).toString(16)})`;
}

function renderSent(value: FieldValue): string {
  if (value instanceof Uint8Array) return renderBytes(value);
  if (typeof value === 'string') return renderBytes(Buffer.from(value));
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return renderList(value as FieldValue[], renderSent);
  return renderFields(value as Fields);
}

/** Runs of equal elements are written once: a txn at the limit has 128 of them. */
function renderList<T>(values: readonly T[], render: (value: T) => string): string {
  const texts: string[] = [];
  for (let at = 0; at < values.length;) {
    const text = render(values[at] as T);
    let end = at + 1;
    while (end < values.length && render(values[end] as T) === text) end++;
    texts.push(
      end - at > 2
        ? `${end - at} times ${text}`
        : Array<string>(end - at)
            .fill(text)
            .join(', '),
    );
    at = end;
  }
  return `[${texts.join(', ')}]`;
}

function renderFields(fields: Fields): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}: ${renderSent(value as FieldValue)}`);
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

/** A request as one readable line. */
export function renderRequest(request: Request, view: View): string {
  const member = request.member > 0 ? `  (member ${request.member + 1})` : '';
  const name = pathOf(request).replace('/etcdserverpb.', '');
  if (request.kind === 'fields') return `${name} ${renderFields(resolveFields(request.fields, view))}${member}`;
  const bytes = request.message.subarray(0, 64).toString('hex') + (request.message.length > 64 ? '...' : '');
  return `${name} ${request.about}: ${request.message.length} bytes ${bytes}${member}`;
}

/** Fields that name the machine, the process or the moment: only whether they are there is compared. */
const LOCAL_FIELDS: ReadonlySet<string> = new Set([
  'ResponseHeader.cluster_id',
  'ResponseHeader.member_id',
  'ResponseHeader.raft_term',
  'Member.ID',
  'Member.peerURLs',
  'Member.clientURLs',
  'StatusResponse.version',
  'StatusResponse.dbSize',
  'StatusResponse.dbSizeInUse',
  'StatusResponse.leader',
  'StatusResponse.raftIndex',
  'StatusResponse.raftTerm',
  'StatusResponse.raftAppliedIndex',
]);

/** Fields that came after etcd 3.4, which a server may have or not; and a checksum that each computes in its own way. */
const OPEN_FIELDS: ReadonlySet<string> = new Set([
  'StatusResponse.storageVersion',
  'StatusResponse.dbSizeQuota',
  'StatusResponse.downgradeInfo',
  'HashKVResponse.hash_revision',
  'HashKVResponse.hash',
]);

const isZero = (value: DecodedValue) =>
  value === 0n || value === false || value === '' || (Buffer.isBuffer(value) && value.length === 0);

function renderReceived(value: DecodedValue, type: MessageType | null): string {
  if (Buffer.isBuffer(value)) return renderBytes(value);
  if (Array.isArray(value)) return renderList(value, (one) => renderReceived(one, type));
  if (typeof value !== 'object') return typeof value === 'string' ? JSON.stringify(value) : String(value);
  return type === null ? '{?}' : renderReply(type, value);
}

/** A decoded reply as canonical text: equal texts mean equal replies. Scalars that are zero count as absent. */
export function renderReply(type: MessageType, message: Decoded): string {
  const parts: string[] = [];
  for (const name of Object.keys(message).sort()) {
    const value = message[name] as DecodedValue;
    const place = `${type.name}.${name}`;
    if (isZero(value) || OPEN_FIELDS.has(place)) continue;
    const fieldType = type.byName.get(name)?.type;
    const local = LOCAL_FIELDS.has(place) || isRunningTtl(place, value);
    const text = local ? masked(value) : renderReceived(value, fieldType instanceof MessageType ? fieldType : null);
    parts.push(`${name}: ${text}`);
  }
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

const isRunningTtl = (place: string, value: DecodedValue) =>
  place === 'LeaseTimeToLiveResponse.TTL' && typeof value === 'bigint' && value > 0n;

const masked = (value: DecodedValue) => (Array.isArray(value) ? renderList(value, () => '*') : '*');
