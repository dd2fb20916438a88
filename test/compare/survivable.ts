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

/** Names a revision that etcd 3.4 may refuse when it applies the txn. */
const mayBeRefused = (range: Templates) => range['revision'] !== undefined && range['revision'] !== 0n;

/**
 * Whether etcd 3.4 would not survive the request, so that there is nothing to compare with. It dies of two things:
 * a sort target it does not know, and a put with ignore_value or ignore_lease of a key that the same txn has deleted
 * (the check for duplicate keys overlooks some deletes; all members die when they apply it). And its members fall apart
 * over a third: a txn that writes and reads at a revision that is refused. The member that answers applies none of it;
 * the others, who need not read, apply the writes.
 */
export function bringsEtcdDown(message: Templates | Decoded, members: number): boolean {
  const fields = [...allFields(message)];
  const has = (...names: string[]) => fields.some(([name]) => names.includes(name));
  const unknownTarget = fields.some(([name, value]) => {
    return name === 'sort_target' && BigInt.asUintN(32, BigInt(value as number)) >= SORT_TARGETS;
  });
  const refusableRead = fields.some(([name, value]) => {
    return name === 'request_range' && isMessage(value) && mayBeRefused(value);
  });
  if (members > 1 && refusableRead && has('request_put', 'request_delete_range')) return true;
  return unknownTarget || (has('request_delete_range') && has('ignore_value', 'ignore_lease'));
}
