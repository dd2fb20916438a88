import { methods } from '../wire/etcd-messages.js';
import { CONNECTION_LOST, messagesOf, type Reply } from '../wire/grpc-connection.js';
import { decode, type Decoded, type Fields, type MessageType } from '../wire/protobuf.js';
import { knownDifference } from './known-differences.js';
import { renderReply, renderRequest } from './render.js';
import { messageOf, pathOf, resolveFields, responseOf, type Request, type View } from './request.js';
import type { Pair } from './sides.js';
import { settle } from './unordered.js';

/** Two answers to one request that should be equal and are not. */
export interface Difference {
  /** Position of the request in its sequence. */
  readonly position: number;
  readonly request: string;
  readonly left: string;
  readonly right: string;
  /** Equal for differences that look alike: method, statuses, first field that differs. */
  readonly signature: string;
}

/** What went well, for the summary. */
export interface Tally {
  /** How often a method (`KV/Put`) ended with a gRPC status. */
  readonly outcomes: Map<string, number>;
  /** How often each known difference was seen. */
  readonly known: Map<string, number>;
}

export const emptyTally = (): Tally => ({ outcomes: new Map(), known: new Map() });

const increment = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);

const NO_REPLY = 'no reply: the connection was lost or the time was up';

interface Answer {
  readonly text: string;
  readonly decoded: Decoded | null;
}

function answerOf(path: string, type: MessageType | null, sent: Fields, reply: Reply): Answer {
  if (reply.status === CONNECTION_LOST) return { text: NO_REPLY, decoded: null };
  const [message, ...more] = messagesOf(reply.body);
  // The text beside status 0 reaches no caller.
  const text = reply.status === 0 || reply.message === '' ? '' : ` ${JSON.stringify(reply.message)}`;
  const status = `status ${reply.status}${text}`;
  if (message === undefined) return { text: status, decoded: null };
  if (type === null || more.length > 0) return { text: `${status} and ${1 + more.length} messages`, decoded: null };
  try {
    const decoded = decode(type, message);
    settle(path, sent, decoded);
    return { text: `${status} ${renderReply(type, decoded)}`, decoded };
  } catch (error) {
    return { text: `${status} and a body that is no ${type.name}: ${String(error)}`, decoded: null };
  }
}

/** What `request` asks for, as a reply's reader sees it. Null when it cannot be told. */
function sentFields(request: Request, message: Buffer, view: View): Fields {
  if (request.kind === 'fields') return resolveFields(request.fields, view);
  const method = Object.values(methods).find(({ path }) => path === request.path);
  try {
    return method === undefined ? {} : decode(method.request, message);
  } catch {
    return {}; // Both sides may still agree on what such bytes mean; only the freedom of order is not used then.
  }
}

function signatureOf(path: string, left: string, right: string): string {
  const status = (text: string) => text.replace(/ \{.*/s, '');
  if (status(left) !== status(right) || left === NO_REPLY) return `${path}: ${status(left)} | ${status(right)}`;
  let at = 0;
  while (left[at] === right[at]) at++;
  const fieldBefore = (text: string) => /(\w+): [^:]*$/.exec(text.slice(0, at))?.[1] ?? 'start';
  return `${path}: field ${fieldBefore(left)}`;
}

/** The revision both sides are at, as far as the left one's reply tells. */
function nextView(view: View, request: Request, sent: Fields, left: Decoded | null): View {
  if (left === null) return view;
  const header = left['header'] as Decoded | undefined;
  const revision = Math.max(view.revision, Number(header?.['revision'] ?? 0n));
  const compacted = pathOf(request) === methods.compact.path ? Number(sent['revision'] ?? 0) : view.compacted;
  return { revision, compacted };
}

/** Sends `requests` to both sides, one after the other, and stops at the first that is answered differently. */
export async function runSequence(
  pair: Pair,
  requests: readonly Request[],
  tally: Tally = emptyTally(),
  tell: (request: string, answer: string) => void = () => {},
): Promise<Difference | null> {
  let view: View = { revision: 1, compacted: 0 };
  for (const [position, request] of requests.entries()) {
    const path = pathOf(request);
    const message = messageOf(request, view);
    const [leftReply, rightReply] = await Promise.all([
      pair.left.call(request.member, path, message),
      pair.right.call(request.member, path, message),
    ]);
    const sent = sentFields(request, message, view);
    const left = answerOf(path, responseOf(request), sent, leftReply);
    const right = answerOf(path, responseOf(request), sent, rightReply);
    // Two servers that are both gone agree on nothing.
    if (left.text !== right.text || left.text === NO_REPLY) {
      const known = knownDifference(request, leftReply, rightReply);
      if (known === null) {
        const signature = signatureOf(path, left.text, right.text);
        return { position, request: renderRequest(request, view), left: left.text, right: right.text, signature };
      }
      increment(tally.known, known);
    }
    tell(renderRequest(request, view), left.text);
    const name = responseOf(request) === null ? 'unknown methods' : path.replace('/etcdserverpb.', '');
    increment(tally.outcomes, `${name} ${leftReply.status}`);
    view = nextView(view, request, sent, left.decoded);
  }
  return null;
}
