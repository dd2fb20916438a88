import { type MemberAttributes, type MemberRecord, encodeMemberKey, encodeMemberRecord } from './members.js';
import type { KvWrite } from './ports.js';

/** The members of the cluster, as far as they are replicated. */
export class MemberTable {
  readonly #members: Map<bigint, MemberRecord>;
  /** Members that have changed since takeWrites(). */
  readonly #changed = new Set<MemberRecord>();

  constructor(members: Map<bigint, MemberRecord>) {
    this.#members = members;
  }

  get size(): number {
    return this.#members.size;
  }

  /** By id. */
  list(): readonly MemberRecord[] {
    return [...this.#members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  set(record: MemberRecord): void {
    this.#members.set(record.id, record);
    this.#changed.add(record);
  }

  /** Nobody knows a member that is not in the table: it has been removed, or never was one. */
  publish(attributes: MemberAttributes): void {
    const known = this.#members.get(attributes.id);
    if (known !== undefined) this.set({ ...known, ...attributes });
  }

  /** What the store does not have yet, in order. */
  takeWrites(): KvWrite[] {
    const writes = [...this.#changed].map((member): KvWrite => {
      return { table: 'member', key: encodeMemberKey(member.id), value: encodeMemberRecord(member) };
    });
    this.#changed.clear();
    return writes;
  }
}
