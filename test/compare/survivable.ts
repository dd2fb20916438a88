import type { Decoded } from '../wire/protobuf.js';
import { isList, isMessage, type Template, type Templates } from './request.js';

/** How many sort targets there are: 0 to 4. */
export const SORT_TARGETS = 5;

/** Every field of `message` and of the messages in it. */
function* allFields(message: Templates): Generator<readonly [name: string, value: Template]> {
  for (const [name, value] of Object.entries(message)) {
    if (value === undefined) continue;
    yield [name, value];
    for (const part of isList(value) ? value : [value]) if (isMessage(part)) yield* allFields(part);
  }
}

/**
 * Whether etcd 3.4 would not survive the request, so that there is nothing to compare with. It dies of two things:
 * a sort target it does not know, and a put with ignore_value or ignore_lease of a key that the same txn has deleted
 * (the check for duplicate keys overlooks some deletes; all members die when they apply it).
 */
export function bringsEtcdDown(message: Templates | Decoded): boolean {
  const fields = [...allFields(message)];
  const unknownTarget = fields.some(([name, value]) => {
    return name === 'sort_target' && BigInt.asUintN(32, BigInt(value as number)) >= SORT_TARGETS;
  });
  const deletes = fields.some(([name]) => name === 'request_delete_range');
  const keeps = fields.some(([name]) => name === 'ignore_value' || name === 'ignore_lease');
  return unknownTarget || (deletes && keeps);
}
