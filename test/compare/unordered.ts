import { methods } from '../wire/etcd-messages.js';
import type { Decoded, DecodedValue, Fields } from '../wire/protobuf.js';

/**
 * Where the API leaves an order open, two right answers may differ. These functions rewrite a decoded reply so that
 * exactly this freedom disappears and nothing else.
 */

const SORT_FIELDS = [null, 'version', 'create_revision', 'mod_revision', 'value'] as const;

const list = (value: DecodedValue | undefined): Decoded[] => (Array.isArray(value) ? (value as Decoded[]) : []);

const byBytes = (a: DecodedValue | undefined, b: DecodedValue | undefined) =>
  Buffer.compare((a ?? Buffer.alloc(0)) as Buffer, (b ?? Buffer.alloc(0)) as Buffer);

const sortKeyOf = (kv: Decoded, field: string) => {
  const value = kv[field];
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return typeof value === 'bigint' ? value.toString() : '';
};

/**
 * Keys that compare equal by the sort target come in any order: within such a run they are put in key order. Where a
 * limit cuts through the last run, which of its keys were taken is open too: then only its size and sort key count.
 */
function settleRange(request: Fields, reply: Decoded): void {
  const field = SORT_FIELDS[Number(request['sort_target'] ?? 0)] ?? null;
  if (field === null) return;
  const kvs = list(reply['kvs']);
  const settled: Decoded[] = [];
  for (let start = 0; start < kvs.length;) {
    const sortKey = sortKeyOf(kvs[start] as Decoded, field);
    let end = start + 1;
    while (end < kvs.length && sortKeyOf(kvs[end] as Decoded, field) === sortKey) end++;
    const run = kvs.slice(start, end).sort((a, b) => byBytes(a['key'], b['key']));
    const cut = end === kvs.length && reply['more'] === true && run.length > 0;
    settled.push(...(cut ? run.map((): Decoded => ({ value: Buffer.from(`one of those with ${sortKey}`) })) : run));
    start = end;
  }
  if (kvs.length > 0) reply['kvs'] = settled;
}

function settleTxn(request: Fields, reply: Decoded): void {
  const branch = request[reply['succeeded'] === true ? 'success' : 'failure'];
  const operations = Array.isArray(branch) ? (branch as readonly Fields[]) : [];
  const responses = list(reply['responses']);
  operations.forEach((operation, position) => {
    const response = responses[position];
    if (response === undefined) return;
    const [range, rangeReply] = [operation['request_range'], response['response_range']];
    if (range !== undefined && rangeReply !== undefined) settleRange(range as Fields, rangeReply as Decoded);
    const [txn, txnReply] = [operation['request_txn'], response['response_txn']];
    if (txn !== undefined && txnReply !== undefined) settleTxn(txn as Fields, txnReply as Decoded);
  });
}

/** Rewrites `reply`, the answer to a call of `path` with `request`, so that only what the API fixes remains. */
export function settle(path: string, request: Fields, reply: Decoded): void {
  if (path === methods.range.path) settleRange(request, reply);
  if (path === methods.txn.path) settleTxn(request, reply);
  if (path === methods.leaseTimeToLive.path && Array.isArray(reply['keys'])) reply['keys'].sort(byBytes);
  if (path === methods.memberList.path) {
    // Sorted by id, and the ids follow from the ports.
    list(reply['members']).sort((a, b) => ((a['name'] ?? '') < (b['name'] ?? '') ? -1 : 1));
  }
  if (path === methods.leaseLeases.path) {
    list(reply['leases']).sort((a, b) => ((a['ID'] ?? 0n) < (b['ID'] ?? 0n) ? -1 : 1));
  }
}
