/** A member as the cluster knows it. `name` and `clientURLs` are empty until it has published them. */
export interface MemberRecord {
  readonly id: bigint;
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
}

/** What a member publishes of itself when it comes up. */
export interface MemberAttributes {
  readonly id: bigint;
  readonly name: string;
  readonly clientURLs: readonly string[];
}
