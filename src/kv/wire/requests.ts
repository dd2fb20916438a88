import type { Key } from '../key.js';

/*
 * Decoded requests. Revisions, limits and enums are numbers: what lies beyond 2^53 has been brought to the nearest safe
 * integer, which no revision reaches, so every comparison comes out the same. An enum may hold a number unknown to us.
 */

export const SortOrder = { none: 0, ascend: 1, descend: 2 } as const;
export const SortTarget = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;
export const CompareResult = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const;
export const CompareTarget = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const;

export interface RangeRequest {
  readonly key: Key;
  /** Empty: only `key`. A zero byte: everything from `key` on. */
  readonly rangeEnd: Key;
  /** 0 or less: no limit. */
  readonly limit: number;
  /** 0 or less: the current one. */
  readonly revision: number;
  readonly sortOrder: number;
  readonly sortTarget: number;
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** The four bounds are inclusive, and 0 is none. */
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

export interface PutRequest {
  readonly key: Key;
  /** A view into the request. */
  readonly value: Buffer;
  readonly lease: bigint;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export interface DeleteRangeRequest {
  readonly key: Key;
  readonly rangeEnd: Key;
  readonly prevKv: boolean;
}

/** The right side of a comparison. What `target` does not ask for, or was not sent, is 0 or empty. */
export interface Compare {
  readonly result: number;
  readonly target: number;
  readonly key: Key;
  readonly rangeEnd: Key;
  /** For the targets version, create and mod. */
  readonly number: number;
  /** For the target value. A view into the request. */
  readonly value: Buffer;
  /** For the target lease. */
  readonly lease: bigint;
}

export type RequestOp =
  | { readonly kind: 'range'; readonly request: RangeRequest }
  | { readonly kind: 'put'; readonly request: PutRequest }
  | { readonly kind: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly request: TxnRequest }
  /** None of the four was sent. */
  | { readonly kind: 'empty' };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface CompactionRequest {
  readonly revision: number;
  readonly physical: boolean;
}

/** A key as it stands at some revision. */
export interface KeyValue {
  readonly key: Key;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** A view into what it was decoded from. */
  readonly value: Buffer;
  readonly lease: bigint;
}
