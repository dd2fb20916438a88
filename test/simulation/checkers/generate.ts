import type { SeededRandom } from '../random.js';
import type { Recorded } from './history.js';
import { type Compare, KvModel, type Request, type SimpleRequest, changesStore, keysOf } from './kv-model.js';

export interface GenerateOptions {
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** Probability that an operation gets no answer. */
  readonly unknown: number;
  /** Operations on the same key never overlap, so that every answer is the only right one. */
  readonly exclusive?: boolean;
  /** Probability of anything beyond single-key put, delete and get. */
  readonly wide: number;
  /** Transactions compare revisions too. */
  readonly compareRevisions: boolean;
}

export interface Generated {
  readonly history: Recorded[];
  /** Operations without an answer that took effect, by revision. */
  readonly placed: Map<number, Recorded>;
  /** What took effect, in that order. */
  readonly order: Recorded[];
}

interface UnderWay {
  readonly request: Request;
  readonly invokedAt: number;
  readonly client: number;
  /** null until it has taken effect. */
  reply: Recorded['reply'];
  orderPosition: number;
}

/** A random history that is right by construction: every operation takes effect on a model at one moment of its interval. */
export function generate(random: SeededRandom, options: GenerateOptions): Generated {
  const model = new KvModel();
  const keys = Array.from({ length: options.keys }, (_, position) => `k${position}`);
  const underWay = new Map<number, UnderWay>();
  const lost: UnderWay[] = [];
  const history: Recorded[] = [];
  const order: Recorded[] = [];
  const placed = new Map<number, Recorded>();
  let stamp = 0;
  let invoked = 0;
  let nextClient = options.clients;

  const begin = (client: number): void => {
    const request = randomRequest(random, keys, options, invoked, model);
    const busy = new Set([...underWay.values()].flatMap((other) => keysOf(other.request, keys)));
    if (options.exclusive === true && keysOf(request, keys).some((key) => busy.has(key))) return;
    invoked++;
    underWay.set(client, { request, invokedAt: stamp++, client, reply: null, orderPosition: -1 });
  };
  const takeEffect = (operation: UnderWay): void => {
    operation.reply = model.apply(operation.request);
    operation.orderPosition = order.length;
    order.push(record(operation, history.length, Infinity, true));
  };
  const end = (client: number, operation: UnderWay): void => {
    underWay.delete(client);
    if (random.chance(options.unknown)) {
      clients.splice(clients.indexOf(client), 1, nextClient++);
      if (operation.reply === null) lost.push(operation);
      finish(operation, false);
      return;
    }
    if (operation.reply === null) takeEffect(operation);
    finish(operation, true);
  };
  const finish = (operation: UnderWay, isAnswered: boolean): void => {
    const before = order[operation.orderPosition];
    const finished = record(operation, history.length, isAnswered ? stamp++ : Infinity, isAnswered);
    history.push(finished);
    if (before === undefined) return;
    order[operation.orderPosition] = finished;
    const reply = operation.reply;
    if (!isAnswered && reply && changesStore(reply.result)) placed.set(reply.revision, finished);
  };
  /** An operation without an answer may still take effect, later. */
  const haunt = (operation: UnderWay): void => {
    const recorded = history.find(({ invokedAt }) => invokedAt === operation.invokedAt) as Recorded;
    const revision = model.revision;
    model.apply(operation.request);
    if (model.revision > revision) placed.set(model.revision, recorded);
    order.push(recorded);
  };

  const clients = Array.from({ length: options.clients }, (_, position) => position);
  while (invoked < options.operations || underWay.size > 0) {
    const client = random.pick(clients);
    const operation = underWay.get(client);
    if (lost.length > 0 && random.chance(0.1)) haunt(lost.splice(random.below(lost.length), 1)[0] as UnderWay);
    if (operation === undefined) {
      if (invoked < options.operations) begin(client);
    } else if (operation.reply === null && random.chance(0.5)) {
      takeEffect(operation);
    } else {
      end(client, operation);
    }
  }
  return { history, placed, order };
}

function record(operation: UnderWay, id: number, returnedAt: number, isAnswered: boolean): Recorded {
  const { request, invokedAt, client } = operation;
  const reply = isAnswered ? operation.reply : null;
  return { id, request, invokedAt, returnedAt, reply, serializable: false, session: `c${client}` };
}

function randomRequest(
  random: SeededRandom,
  keys: readonly string[],
  options: GenerateOptions,
  count: number,
  model: KvModel,
): Request {
  const key = random.pick(keys);
  const other = random.pick(keys);
  const simple: SimpleRequest[] = [
    { kind: 'put', key, value: `v${count}` },
    { kind: 'delete', key, end: null },
    { kind: 'range', key, end: null, revision: 0, limit: 0 },
  ];
  const choice = random.pick([0, 0, 0, 1, 2, 2, 2]);
  if (!random.chance(options.wide)) return simple[choice] as SimpleRequest;
  if (random.chance(0.3)) return { kind: 'range', key: 'k', end: 'l', revision: 0, limit: random.below(3) };
  if (random.chance(0.1)) return { kind: 'delete', key: 'k', end: 'l' };
  const success: SimpleRequest[] = [{ kind: 'put', key, value: `v${count}` }];
  if (other !== key) success.push({ kind: 'put', key: other, value: `w${count}` });
  const failure: SimpleRequest[] = [{ kind: 'range', key, end: null, revision: 0, limit: 0 }];
  return { kind: 'txn', compares: [randomCompare(random, key, options, model)], success, failure };
}

function randomCompare(random: SeededRandom, key: string, options: GenerateOptions, model: KvModel): Compare {
  const pair = model.pairs.get(key);
  const targets = ['value', 'version', 'modRevision', 'createRevision'] as const;
  const target = random.pick(options.compareRevisions ? targets : targets.slice(0, 2));
  const operand = pair ? pair[target] : target === 'value' ? 'v0' : 0;
  return { key, target, relation: random.pick(['=', '=', '=', '!=', '<', '>'] as const), operand };
}
