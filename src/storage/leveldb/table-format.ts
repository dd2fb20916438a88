import { crc32c, unmask } from './crc32c.js';
import { LogFormatError } from './log-format.js';
import { FieldReader } from './version-edit.js';

/*
 * LevelDB's table files (*.ldb): data blocks, a filter, two blocks that say where the others are, and a footer. Every
 * block is followed by its type (0: not compressed) and a masked CRC-32C of both.
 */
const BLOCK_TRAILER_BYTES = 5;
const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Checks every block of a table: LevelDB leaves that off when it reads, and a damaged block can look like an empty one (S09).
 * @throws LogFormatError that names the byte.
 */
export function checkTable(bytes: Buffer): void {
  if (bytes.length < FOOTER_BYTES || bytes.readBigUInt64LE(bytes.length - 8) !== MAGIC) {
    throw new LogFormatError('the footer of the table is missing');
  }
  const footer = new FieldReader(bytes, bytes.length - FOOTER_BYTES);
  const metaIndex = handleFrom(footer);
  const index = handleFrom(footer);
  const blocks = [...handlesIn(checkBlock(bytes, index)), ...handlesIn(checkBlock(bytes, metaIndex))];
  let covered = FOOTER_BYTES + sizeOf(index) + sizeOf(metaIndex);
  for (const block of blocks) {
    checkBlock(bytes, block);
    covered += sizeOf(block);
  }
  if (covered !== bytes.length) {
    throw new LogFormatError(`its blocks take ${covered} bytes, the table has ${bytes.length}`);
  }
}

function handleFrom(fields: FieldReader): BlockHandle {
  return { offset: fields.number(), size: fields.number() };
}

function sizeOf(handle: BlockHandle): number {
  return handle.size + BLOCK_TRAILER_BYTES;
}

function checkBlock(bytes: Buffer, { offset, size }: BlockHandle): Buffer {
  const typeAt = offset + size;
  if (typeAt + BLOCK_TRAILER_BYTES > bytes.length) throw new LogFormatError(`block at byte ${offset} is cut off`);
  if (unmask(bytes.readUInt32LE(typeAt + 1)) !== crc32c(bytes, offset, typeAt + 1)) {
    throw new LogFormatError(`block at byte ${offset} is damaged`);
  }
  if (bytes[typeAt] !== 0) throw new LogFormatError(`block at byte ${offset} is compressed, expected it not to be`);
  return bytes.subarray(offset, typeAt);
}

/** An index block: entries of shared, unshared and value length, unshared key bytes, value; then restart points and their count. */
function handlesIn(block: Buffer): BlockHandle[] {
  if (block.length < 4) throw new LogFormatError('an index block is too short');
  const end = block.length - 4 * (1 + block.readUInt32LE(block.length - 4));
  if (end < 0) throw new LogFormatError('an index block has more restart points than bytes');
  const handles: BlockHandle[] = [];
  const entries = new FieldReader(block.subarray(0, end));
  while (!entries.isAtEnd) {
    entries.number();
    const unsharedBytes = entries.number();
    const valueBytes = entries.number();
    entries.bytes(unsharedBytes);
    handles.push(handleFrom(new FieldReader(entries.bytes(valueBytes))));
  }
  return handles;
}
