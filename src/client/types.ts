/** A key or a value: bytes, or text that stands for its UTF-8. */
export type Bytes = Uint8Array | string;

/** Fields that the server left out are 0. */
export interface ResponseHeader {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: number;
  readonly term: number;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** 0n: none. */
  readonly lease: bigint;
}

export type SortOrder = 'NONE' | 'ASCEND' | 'DESCEND';
export type SortTarget = 'KEY' | 'VERSION' | 'CREATE' | 'MOD' | 'VALUE';

export interface GetOptions {
  /** Where the range ends, exclusive; a single zero byte: nowhere. */
  readonly rangeEnd?: Bytes;
  /** 0: all. */
  readonly limit?: number;
  /** 0: the newest. */
  readonly revision?: number;
  readonly sortOrder?: SortOrder;
  readonly sortTarget?: SortTarget;
  /** Answers from the member asked, perhaps a little behind. */
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

export interface GetResponse {
  readonly header: ResponseHeader;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

export interface PutOptions {
  readonly lease?: bigint;
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}

export interface PutResponse {
  readonly header: ResponseHeader;
  readonly prevKv: KeyValue | null;
}

export interface DeleteOptions {
  readonly rangeEnd?: Bytes;
  readonly prevKv?: boolean;
}

export interface DeleteResponse {
  readonly header: ResponseHeader;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

/** `expected` is a number, a lease id, or for VALUE bytes. Holds when the stored side stands in `relation` to it. */
export interface Compare {
  readonly key: Bytes;
  readonly rangeEnd?: Bytes;
  readonly relation: 'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL';
  readonly target: 'VERSION' | 'CREATE' | 'MOD' | 'VALUE' | 'LEASE';
  readonly expected: bigint | Bytes;
}

export type Operation =
  | { readonly type: 'get'; readonly key: Bytes; readonly options?: GetOptions }
  | { readonly type: 'put'; readonly key: Bytes; readonly value: Bytes; readonly options?: PutOptions }
  | { readonly type: 'del'; readonly key: Bytes; readonly options?: DeleteOptions }
  | { readonly type: 'txn'; readonly txn: Txn };

/** All of `compares` hold: `success` is done, else `failure`. */
export interface Txn {
  readonly compares: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

export type OperationResponse =
  | { readonly type: 'get'; readonly response: GetResponse }
  | { readonly type: 'put'; readonly response: PutResponse }
  | { readonly type: 'del'; readonly response: DeleteResponse }
  | { readonly type: 'txn'; readonly response: TxnResponse };

export interface TxnResponse {
  readonly header: ResponseHeader;
  readonly succeeded: boolean;
  readonly responses: readonly OperationResponse[];
}

export interface CompactResponse {
  readonly header: ResponseHeader;
}

export interface ClusterMember {
  readonly id: bigint;
  /** Empty until the member has started. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
  readonly isLearner: boolean;
}

export interface MemberListResponse {
  readonly header: ResponseHeader;
  readonly members: readonly ClusterMember[];
}

/** One member about itself. */
export interface StatusResponse {
  readonly header: ResponseHeader;
  readonly version: string;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  /** 0n: it knows none. */
  readonly leader: bigint;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
  readonly isLearner: boolean;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds for the answer, once connected. */
  readonly timeoutMs?: number;
}

/** The cluster as an application uses it. Every call ends: with an answer, or with a ClientError. */
export interface Client {
  get(key: Bytes, options?: GetOptions, call?: CallOptions): Promise<GetResponse>;
  put(key: Bytes, value: Bytes, options?: PutOptions, call?: CallOptions): Promise<PutResponse>;
  del(key: Bytes, options?: DeleteOptions, call?: CallOptions): Promise<DeleteResponse>;
  txn(txn: Txn, call?: CallOptions): Promise<TxnResponse>;
  /** With `physical` it answers when the space is free. */
  compact(revision: number, options?: { readonly physical?: boolean }, call?: CallOptions): Promise<CompactResponse>;
  memberList(call?: CallOptions): Promise<MemberListResponse>;
  close(): void;
}
