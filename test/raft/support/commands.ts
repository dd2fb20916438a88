import type { Term } from '../../../src/raft/messages.js';
import { defaultRaftOptions, type RaftOptions } from '../../../src/raft/options.js';
import { ProposalClient, ReadClient, TransferClient } from './clients.js';
import type { Cluster } from './cluster.js';
import { describeMember, describeMessage, describeProgress, drawLog } from './describe.js';
import type { Member } from './member.js';
import { parseSelector } from './selector.js';

/** What one command is given, and where it writes what shall be seen. */
export interface Scene {
  readonly cluster: Cluster;
  readonly words: readonly string[];
  readonly see: (line: string) => void;
}

export type Command = (scene: Scene) => void | Promise<void>;

/** Requests of clients wait this long unless the script says `patience=MS`. */
const PATIENCE_MS = 60_000;

/** Commands that may stand before the members start. */
export const drawing: { readonly [name: string]: Command } = {
  log({ cluster, words }) {
    const [name = '', ...rest] = words;
    const member = cluster.member(name);
    const terms = rest.filter((word) => /^\d+$/.test(word)).map(Number);
    const [index = 0, term = 0] = (valueOf(rest, 'snapshot') ?? '0@0').split('@').map(Number);
    cluster.drawLog(member, terms, { index, term });
    const currentTerm: Term = Number(valueOf(rest, 'term') ?? member.disk.hardState.currentTerm);
    const vote = valueOf(rest, 'vote');
    member.disk.hardState = { currentTerm, votedFor: vote === undefined ? null : cluster.member(vote).id };
  },
  option({ cluster, words }) {
    const [name = '', value = '', ...names] = words;
    if (name !== 'chunkBytes' && !(name in defaultRaftOptions)) throw new Error(`there is no option ${name}`);
    for (const member of membersOf(cluster, names)) {
      if (name === 'chunkBytes') member.volume.chunkBytes = Number(value);
      else Object.assign(cluster.optionsOf(member), { [name as keyof RaftOptions]: JSON.parse(value) as unknown });
    }
  },
};

const time: { readonly [name: string]: Command } = {
  draw({ cluster, words }) {
    const [name = '', ...draws] = words;
    cluster.member(name).draws.push(...draws.map(Number));
  },
  async advance({ cluster, words }) {
    const [ms = '', ...names] = words;
    await cluster.advance(Number(ms), membersOf(cluster, names));
  },
  async pause({ cluster, words }) {
    const [name = '', ms = ''] = words;
    await cluster.pause(cluster.member(name), Number(ms));
  },
  async run({ cluster, words }) {
    await cluster.run(Number(words[0]));
  },
  async settle({ cluster }) {
    await cluster.settle();
  },
  async campaign({ cluster, words }) {
    for (const member of membersOf(cluster, words)) await cluster.campaign(member);
  },
  async elect({ cluster, words, see }) {
    for (const member of membersOf(cluster, words)) {
      await cluster.elect(member);
      see(describeMember(cluster, member, ['role', 'term']));
    }
  },
};

const turns: { readonly [name: string]: Command } = {
  'begin-turn'({ cluster }) {
    cluster.isTurnHeld = true;
  },
  async 'end-turn'({ cluster }) {
    cluster.isTurnHeld = false;
    await cluster.drain();
  },
  'forgive-broken-invariants'({ cluster }) {
    cluster.invariants.isForgiving = true;
  },
};

const network: { readonly [name: string]: Command } = {
  async deliver({ cluster, words }) {
    if (words.length === 0) return cluster.deliverAll();
    const { matches, pick } = parseSelector(cluster, words);
    const picked = pick(cluster.network.messages.filter(matches));
    if (picked.length === 0) throw new Error('there is no such message to deliver');
    for (const message of picked) await cluster.deliver(message);
  },
  async exchange({ cluster, words }) {
    const { matches } = parseSelector(cluster, words);
    await cluster.deliverAll(({ call, ...message }) => {
      const request = { ...message, call, isReply: false, from: call.from, to: call.to };
      return matches(request);
    });
  },
  async drop({ cluster, words }) {
    const { matches, pick } = parseSelector(cluster, words);
    for (const message of pick(cluster.network.messages.filter(matches))) cluster.network.drop(message);
    await cluster.drain();
  },
  duplicate({ cluster, words }) {
    const { matches, pick } = parseSelector(cluster, words);
    const picked = pick(cluster.network.messages.filter(matches));
    if (picked.length === 0) throw new Error('there is no such message to duplicate');
    for (const message of picked) cluster.network.duplicate(message);
  },
  damage({ cluster, words }) {
    const { matches, pick } = parseSelector(cluster, words);
    const [message] = pick(cluster.network.messages.filter(matches));
    if (!message) throw new Error('there is no such message to damage');
    const position = message.bytes.length - 1;
    message.bytes.writeUInt8(message.bytes.readUInt8(position) ^ 1, position);
  },
  async cut({ cluster, words }) {
    for (const word of words) {
      const [from = '', to = ''] = word.split('->');
      cluster.cut(cluster.member(from), cluster.member(to));
    }
    await cluster.drain();
  },
  async isolate({ cluster, words }) {
    for (const member of membersOf(cluster, words)) cluster.isolate(member);
    await cluster.drain();
  },
  heal({ cluster }) {
    cluster.heal();
  },
};

const machines: { readonly [name: string]: Command } = {
  async crash({ cluster, words }) {
    const written = Number(valueOf(words, 'written') ?? 0);
    for (const member of membersOf(cluster, words)) cluster.crash(member, written);
    await cluster.drain();
  },
  async restart({ cluster, words }) {
    for (const member of membersOf(cluster, words)) {
      if (member.node) cluster.crash(member);
      await cluster.start(member);
    }
  },
  'hold-saves'({ cluster, words }) {
    for (const member of membersOf(cluster, words)) member.disk.isHolding = true;
  },
  async 'complete-saves'({ cluster, words }) {
    const [name = '', count = '1'] = words;
    cluster.member(name).disk.complete(Number(count));
    await cluster.drain();
  },
  async 'release-saves'({ cluster, words }) {
    for (const member of membersOf(cluster, words)) {
      member.disk.isHolding = false;
      member.disk.complete();
    }
    await cluster.drain();
  },
  async 'break-disk'({ cluster, words }) {
    for (const member of membersOf(cluster, words)) {
      member.disk.isBroken = true;
      member.disk.complete();
    }
    await cluster.drain();
  },
  'hold-apply'({ cluster, words }) {
    for (const member of membersOf(cluster, words)) member.volume.applying.isHeld = true;
  },
  async 'release-apply'({ cluster, words }) {
    for (const member of membersOf(cluster, words)) member.volume.applying.release();
    await cluster.drain();
  },
  'hold-chunks'({ cluster, words }) {
    for (const member of membersOf(cluster, words)) member.volume.receiving.isHeld = true;
  },
  async 'release-chunks'({ cluster, words }) {
    for (const member of membersOf(cluster, words)) member.volume.receiving.release();
    await cluster.drain();
  },
  'break-snapshots'({ cluster, words }) {
    for (const member of membersOf(cluster, words)) member.volume.isUnreadable = true;
  },
  /** Gives a member that is down a disk that is not its own. */
  image({ cluster, words, see }) {
    if (cluster.member(words[0] ?? '').node) throw new Error(`${words[0]} is running`);
    return drawing['log']?.({ cluster, words, see });
  },
  async compact({ cluster, words }) {
    for (const member of membersOf(cluster, words)) await cluster.compact(member);
  },
};

const clients: { readonly [name: string]: Command } = {
  async propose({ cluster, words }) {
    const [name = '', ...payloads] = words;
    const patience = Number(valueOf(words, 'patience') ?? PATIENCE_MS);
    for (const payload of payloads.filter((word) => !word.includes('=')))
      cluster.clients.push(new ProposalClient(payload, cluster.member(name), patience));
    await cluster.drain();
  },
  async read({ cluster, words }) {
    const [name = '', label = ''] = words;
    const patience = Number(valueOf(words, 'patience') ?? PATIENCE_MS);
    const { highestCommit } = cluster.invariants;
    const onIndex = (index: number): void => cluster.invariants.onRead(label, index, highestCommit);
    cluster.clients.push(new ReadClient(label, cluster.member(name), patience, onIndex));
    await cluster.drain();
  },
  async transfer({ cluster, words }) {
    const [from = '', target] = words;
    const successor = target === undefined ? null : cluster.member(target);
    cluster.clients.push(new TransferClient(cluster.member(from), successor));
    await cluster.drain();
  },
};

const looks: { readonly [name: string]: Command } = {
  show({ cluster, words, see }) {
    const names = cluster.all.map((member) => member.name);
    const members = membersOf(
      cluster,
      words.filter((word) => names.includes(word)),
    );
    const aspects = words.filter((word) => !names.includes(word));
    for (const member of members) see(describeMember(cluster, member, aspects));
  },
  log({ cluster, words, see }) {
    for (const member of membersOf(cluster, words)) {
      if (!member.node) {
        see(`${member.name}: down`);
        continue;
      }
      const { log } = member.up.raft;
      const terms = log.between(log.firstIndex, log.lastIndex).map((entry) => entry.term);
      see(`${member.name}: ${drawLog({ marker: log.marker, terms })}`);
    }
  },
  disk({ cluster, words, see }) {
    for (const { name, disk } of membersOf(cluster, words)) {
      const { hardState, snapshot, entries, pending } = disk;
      const drawn = drawLog({ marker: snapshot, terms: entries.map((entry) => entry.term) });
      see(`${name}: term=${hardState.currentTerm} vote=${cluster.nameOf(hardState.votedFor)} log ${drawn}`);
      for (const label of pending) see(`  waits: ${label}`);
    }
  },
  applied({ cluster, words, see }) {
    for (const { name, applied } of membersOf(cluster, words)) see(`${name}: ${applied.join(' ') || 'nothing'}`);
  },
  progress({ cluster, words, see }) {
    for (const member of membersOf(cluster, words)) for (const line of describeProgress(cluster, member)) see(line);
  },
  messages({ cluster, words, see }) {
    const { matches } = parseSelector(cluster, words);
    const lines = cluster.network.messages.filter(matches).map(describeMessage);
    for (const line of lines.length > 0 ? lines : ['no messages']) see(line);
  },
  sent({ cluster, words, see }) {
    const { matches } = parseSelector(cluster, words);
    see(`${words.join(' ')}: ${cluster.sent.filter(matches).length} sent`);
  },
  outcomes({ cluster, words, see }) {
    for (const { line } of cluster.clients)
      if (words.length === 0 || words.some((word) => line.startsWith(`${word}:`) || line.startsWith(`${word} `)))
        see(line);
  },
};

export const commands: { readonly [name: string]: Command } = {
  ...time,
  ...turns,
  ...network,
  ...machines,
  ...clients,
  ...looks,
};

/** Those named, or all. */
function membersOf(cluster: Cluster, words: readonly string[]): Member[] {
  const names = words.filter((word) => !word.includes('='));
  return names.length > 0 ? names.map((name) => cluster.member(name)) : cluster.all;
}

function valueOf(words: readonly string[], name: string): string | undefined {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}
