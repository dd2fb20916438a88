import type { Cluster } from './cluster.js';
import { kindOf, type Kind } from './describe.js';
import type { Message } from './network.js';

const KINDS: readonly Kind[] = [
  'vote',
  'prevote',
  'append',
  'heartbeat',
  'snapshot',
  'timeoutNow',
  'forward',
  'readIndex',
];

/** What a script's words pick of the network: `n1->n2 append reply`, `*->n3`, `vote`, `n1->* last`, `#2`. */
export interface Selector {
  readonly matches: (message: Message) => boolean;
  /** Those of all that match that are meant: all of them, or the one at a place. */
  readonly pick: (matching: readonly Message[]) => Message[];
}

/** @throws Error when a word is unknown. */
export function parseSelector(cluster: Cluster, words: readonly string[]): Selector {
  const conditions: ((message: Message) => boolean)[] = [];
  const kinds: Kind[] = [];
  let pick = (matching: readonly Message[]): Message[] => [...matching];
  for (const word of words) {
    const kind = KINDS.find((each) => each === word);
    if (kind) kinds.push(kind);
    else if (word.includes('->')) conditions.push(linkCondition(cluster, word));
    else if (word === 'reply') conditions.push((message) => message.isReply);
    else if (word === 'request') conditions.push((message) => !message.isReply);
    else if (word === 'first') pick = (matching) => matching.slice(0, 1);
    else if (word === 'last') pick = (matching) => matching.slice(-1);
    else if (/^#\d+$/.test(word)) pick = (matching) => matching.slice(Number(word.slice(1)) - 1, Number(word.slice(1)));
    else throw new Error(`'${word}' picks no message: expected a link, a kind, request, reply, first, last or #n`);
  }
  if (kinds.length > 0) conditions.push((message) => kinds.includes(kindOf(message)));
  return { matches: (message) => conditions.every((holds) => holds(message)), pick };
}

function linkCondition(cluster: Cluster, word: string): (message: Message) => boolean {
  const [from = '*', to = '*'] = word.split('->');
  const sender = from === '*' ? null : cluster.member(from);
  const receiver = to === '*' ? null : cluster.member(to);
  return (message) => (sender === null || message.from === sender) && (receiver === null || message.to === receiver);
}
