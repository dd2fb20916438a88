import type { Health } from '../../client/health.js';
import type {
  CompactResponse,
  DeleteResponse,
  GetResponse,
  MemberListResponse,
  PutResponse,
  StatusResponse,
  TxnResponse,
} from '../../client/types.js';

/** Text, or a key's or value's own bytes. */
export type Piece = string | Buffer;
/** What goes to stdout. A printer only builds it; output.ts writes it. */
export type Output = readonly Piece[];

export interface EndpointStatus {
  readonly endpoint: string;
  readonly status: StatusResponse;
}

export interface GetPrintOptions {
  readonly valueOnly: boolean;
}

/** One of etcdctl's output formats. */
export interface Printer {
  get(response: GetResponse, options?: GetPrintOptions): Output;
  put(response: PutResponse): Output;
  del(response: DeleteResponse): Output;
  txn(response: TxnResponse): Output;
  compact(response: CompactResponse, revision: number): Output;
  memberList(response: MemberListResponse): Output;
  endpointStatus(list: readonly EndpointStatus[]): Output;
  /** Null: the format has nothing for stdout; the command tells people on stderr. */
  endpointHealth(list: readonly Health[]): Output | null;
}
