import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { MemberId } from '../raft/messages.js';
import type { Dispatch } from './dispatch.js';
import { MalformedMessageError } from './errors.js';
import { encodeAnswer, encodeFailure, openEnvelope, type Envelope, type StreamedRpc } from './stream-codec.js';

/** Calls of one stream that may wait for their answer at once; the stream is not read while there are more. */
const MAX_OPEN_CALLS = 1024;

/** The receiver's end of one peer's stream: every call is answered when its answer is there, in any order. */
export class ConverseService {
  #openCalls = 0;
  #isClogged = false;
  #isOver = false;

  constructor(
    private readonly stream: ServerDuplexStream<Buffer, Buffer>,
    private readonly from: MemberId,
    private readonly dispatch: Dispatch,
  ) {
    stream.on('data', (bytes: Buffer) => this.#onMessage(bytes));
    stream.on('drain', () => {
      this.#isClogged = false;
      this.#readOn();
    });
    stream.on('end', () => this.end());
    stream.on('cancelled', () => (this.#isOver = true));
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.stream.end();
  }

  #onMessage(bytes: Buffer): void {
    let call: Envelope;
    try {
      const opened = openEnvelope(bytes);
      if ('failure' in opened) throw new MalformedMessageError('caller sent an answer, expected a call');
      call = opened;
    } catch (thrown) {
      if (!(thrown instanceof MalformedMessageError)) throw thrown;
      const refusal = { code: status.INVALID_ARGUMENT, details: thrown.message };
      this.dispatch.refused('converse', this.from, refusal);
      this.#isOver = true;
      this.stream.emit('error', refusal);
      return;
    }
    this.#openCalls++;
    if (this.#openCalls >= MAX_OPEN_CALLS) this.stream.pause();
    void this.#answer(call.number, call.name, call.content);
  }

  async #answer<N extends StreamedRpc>(number: number, name: N, content: Buffer): Promise<void> {
    const outcome = await this.dispatch.call(name, this.from, content);
    this.#openCalls--;
    if (this.#isOver) return;
    const bytes =
      'reply' in outcome ? encodeAnswer(number, name, outcome.reply) : encodeFailure(number, outcome.refusal.details);
    if (!this.stream.write(bytes)) {
      this.#isClogged = true;
      this.stream.pause();
    }
    this.#readOn();
  }

  #readOn(): void {
    if (!this.#isClogged && this.#openCalls < MAX_OPEN_CALLS) this.stream.resume();
  }
}
