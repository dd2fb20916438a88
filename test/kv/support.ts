import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { type CommandKind, CommandKind as Kind } from '../../src/kv/commands.js';
import { KvError } from '../../src/kv/errors.js';
import type { KvResult } from '../../src/kv/results.js';
import { KvStateMachine, type KvStateMachineOptions } from '../../src/kv/state-machine.js';
import { MemoryKvStore } from './memory-kv-store.js';

const protoFolder = resolve(fileURLToPath(import.meta.url), '../../../proto');

/** A message of etcdserverpb or mvccpb by an implementation that is not ours. */
export async function loadProtocol(): Promise<(name: string) => protobuf.Type> {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => resolve(protoFolder, target.replace(/^.*\//, ''));
  await root.load('rpc.proto', { keepCase: true });
  return (name) => root.lookupType(name.includes('.') ? name : `etcdserverpb.${name}`);
}

/** Applies commands one after the other, each at the next index. */
export class Driver {
  readonly term = 1;

  constructor(
    readonly store: MemoryKvStore,
    public machine: KvStateMachine,
  ) {}

  static async start(options: KvStateMachineOptions = {}): Promise<Driver> {
    const store = new MemoryKvStore();
    return new Driver(store, await KvStateMachine.open(store, options));
  }

  apply(kind: CommandKind, request: Uint8Array): KvResult | KvError {
    const { appliedIndex } = this.machine;
    return this.machine.apply(appliedIndex + 1, this.term, {
      kind,
      bootId: 1,
      sequence: appliedIndex,
      request: Buffer.from(request),
    });
  }

  done(kind: CommandKind, request: Uint8Array): KvResult {
    const outcome = this.apply(kind, request);
    if (outcome instanceof KvError) throw outcome;
    return outcome;
  }

  refused(kind: CommandKind, request: Uint8Array): string {
    const outcome = this.apply(kind, request);
    return outcome instanceof KvError ? outcome.code : 'done';
  }

  put(key: string, value: string): number {
    return this.done(Kind.put, putRequest(key, value)).revision;
  }

  /** As after a crash: what was flushed is there, nothing else. */
  async restart(options: KvStateMachineOptions = {}): Promise<Driver> {
    const store = this.store.copy();
    return new Driver(store, await KvStateMachine.open(store, options));
  }

  finishCompaction(): void {
    while (this.machine.compactionStep(3));
  }
}

function putRequest(key: string, value: string): Buffer {
  const keyBytes = Buffer.from(key, 'latin1');
  const valueBytes = Buffer.from(value, 'latin1');
  return Buffer.concat([
    Buffer.from([0x0a, keyBytes.length]),
    keyBytes,
    Buffer.from([0x12, valueBytes.length]),
    valueBytes,
  ]);
}
