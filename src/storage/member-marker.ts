import { crc32 } from '../lib/crc32.js';
import type { Disk } from './disk.js';
import { DamageError, NewerFormatError } from './errors.js';

/** Stands beside the databases and outlives them: says whose they are, and that they must be there (S10). */
const FILE = 'member.json';

/** Of everything in the data directory. Rises when an older version could not read what this one writes (S24). */
const FORMAT_VERSION = 1;

const MARKER =
  /^(\{"format":1,"memberId":"([0-9a-f]{16})","clusterId":"([0-9a-f]{16})","created":(true|false)),"crc32":(\d+)\}\n$/;

export interface MemberMarker {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  /** Both databases have been created. Until then a start begins again from nothing. */
  readonly created: boolean;
}

/**
 * null when no member has ever been in this directory.
 * @throws NewerFormatError, DamageError
 */
export async function readMemberMarker(disk: Disk): Promise<MemberMarker | null> {
  const content = await disk.readFile(FILE);
  if (content === null) return null;
  const path = `${disk.path}/${FILE}`;
  const text = content.toString('latin1');
  // Newer versions may say what we cannot read, but they say their format first.
  const format = Number(/^\{"format":(\d+),/.exec(text)?.[1] ?? 0);
  if (format > FORMAT_VERSION) {
    throw new NewerFormatError(
      `${path}: the data directory has format ${format}, this version reads ${FORMAT_VERSION}; nothing was changed; ` +
        'use the version that wrote it, or a newer one',
    );
  }
  const fields = MARKER.exec(text);
  if (fields === null) throw new DamageError(path, 'expected the ids of a member, found something else');
  const [, body = '', memberId, clusterId, created, checksum] = fields;
  if (Number(checksum) !== crc32(Buffer.from(body))) throw new DamageError(path, 'its checksum is wrong');
  return { memberId: BigInt(`0x${memberId}`), clusterId: BigInt(`0x${clusterId}`), created: created === 'true' };
}

export async function writeMemberMarker(disk: Disk, { memberId, clusterId, created }: MemberMarker): Promise<void> {
  const ids = `"memberId":"${hexId(memberId)}","clusterId":"${hexId(clusterId)}"`;
  const body = `{"format":${FORMAT_VERSION},${ids},"created":${created}`;
  await disk.writeFile(FILE, Buffer.from(`${body},"crc32":${crc32(Buffer.from(body))}}\n`));
}

/** As etcd prints ids: hexadecimal. */
export function hexId(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}
