import { Member, type MemberPorts } from '../../../src/member/member.js';
import type { StartMember } from '../cluster.js';
import type { InvariantName } from '../invariants/violation.js';
import type { Profile } from '../profile.js';

/** A known way to get Raft wrong, built into a member from outside: production code has no branch for it. */
export interface Mistake {
  readonly name: string;
  /** The row of the catalogue of cases that it belongs to. */
  readonly row: string;
  /** The invariants that may be the first to see it. */
  readonly seenBy: readonly InvariantName[];
  /** What it takes for the mistake to matter, where few seeds draw it by themselves. */
  readonly profile?: Partial<Profile>;
  /** Gives the member another world. */
  readonly ports?: (ports: MemberPorts) => MemberPorts;
  /** Changes the member that has just started. */
  readonly member?: (member: Member) => void;
}

/** Starts members that make the mistake. */
export function mistaken(mistake: Mistake): StartMember {
  return async (options, ports) => {
    const member = await Member.start(options, mistake.ports?.(ports) ?? ports);
    mistake.member?.(member);
    return member;
  };
}

/** Replaces a method or a property of one object; a method's original comes bound. */
export function override<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (original: T[K]) => T[K],
): void {
  const original: T[K] = target[name];
  const bound = typeof original === 'function' ? (original.bind(target) as T[K]) : original;
  Object.defineProperty(target, name, { value: make(bound), writable: true, configurable: true });
}
