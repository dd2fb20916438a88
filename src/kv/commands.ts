/** What a log entry asks of the state machine. The numbers are on disk and never change their meaning. */
export const CommandKind = {
  put: 1,
  deleteRange: 2,
  txn: 3,
  compact: 4,
  /** A member tells its name and client URLs when it comes up. Request: kv/members.ts. */
  publishMember: 5,
} as const;

export type CommandKind = (typeof CommandKind)[keyof typeof CommandKind];

/** A command with the identity by which the member that accepted it recognises it when it is applied. */
export interface Command {
  readonly kind: CommandKind;
  /** The origin's boot id, below 2^48. */
  readonly bootId: number;
  /** Rises with every command of one boot, below 2^53. */
  readonly sequence: number;
  /** The request as it came off the wire: PutRequest, DeleteRangeRequest, ... */
  readonly request: Buffer;
}

/*
 *   offset  size  field
 *        0     1  kind
 *        1     6  boot id, big-endian
 *        7     7  sequence, big-endian
 *       14     n  request
 */
export const COMMAND_HEADER_BYTES = 14;

export function encodeCommand(kind: CommandKind, bootId: number, sequence: number, request: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(COMMAND_HEADER_BYTES + request.length);
  bytes.writeUInt8(kind, 0);
  bytes.writeUIntBE(bootId, 1, 6);
  // A Buffer writes at most 48 bits at once.
  bytes.writeUInt8(Math.floor(sequence / 2 ** 48), 7);
  bytes.writeUIntBE(sequence % 2 ** 48, 8, 6);
  bytes.set(request, COMMAND_HEADER_BYTES);
  return bytes;
}

/** `request` is a view into `payload`. @throws RangeError when the payload is no command; the member must stop (M20). */
export function decodeCommand(payload: Buffer): Command {
  if (payload.length < COMMAND_HEADER_BYTES) throw new RangeError(`command of ${payload.length} bytes is too short`);
  const kind = payload.readUInt8(0);
  if (kind < CommandKind.put || kind > CommandKind.publishMember) {
    throw new RangeError(`command kind ${kind} is unknown to this build`);
  }
  return {
    kind: kind as CommandKind,
    bootId: payload.readUIntBE(1, 6),
    sequence: payload.readUInt8(7) * 2 ** 48 + payload.readUIntBE(8, 6),
    request: payload.subarray(COMMAND_HEADER_BYTES),
  };
}
