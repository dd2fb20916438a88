import type { SeededRandom } from './random.js';

/** What the network does to messages on every link of one simulation; drawn once per seed. */
export interface NetworkFaults {
  /** Mean of the exponentially distributed delay, in milliseconds. */
  readonly meanDelayMs: number;
  /** Probability that a message is lost. */
  readonly loss: number;
  /** Probability that a message arrives twice. */
  readonly duplication: number;
  /** Of the duplicates, the part that comes only minutes later. */
  readonly replay: number;
  /** Probability that a message is held up for long, so that later ones overtake it. */
  readonly reorder: number;
}

export const perfectNetwork: NetworkFaults = { meanDelayMs: 1, loss: 0, duplication: 0, replay: 0, reorder: 0 };

/** Messages held up by `reorder` wait up to this much longer. */
const MAX_OVERTAKEN_MS = 500;
const MIN_REPLAY_MS = 1_000;
const MAX_REPLAY_MS = 180_000;

/** The directed links between the machines of a cluster: which are cut, which are clogged, and the fate of each message. */
export class Links {
  faults: NetworkFaults;
  /** How often everything has been mended. */
  mendings = 0;
  readonly #size: number;
  readonly #random: SeededRandom;
  readonly #cut: Uint8Array;
  /** Until when a link holds everything back, in virtual milliseconds. */
  readonly #cloggedUntilMs: Float64Array;

  constructor(size: number, random: SeededRandom, faults: NetworkFaults) {
    this.#size = size;
    this.#random = random;
    this.faults = faults;
    this.#cut = new Uint8Array(size * size);
    this.#cloggedUntilMs = new Float64Array(size * size);
  }

  cut(from: number, to: number): void {
    this.#cut[from * this.#size + to] = 1;
  }

  mend(from: number, to: number): void {
    this.#cut[from * this.#size + to] = 0;
  }

  isCut(from: number, to: number): boolean {
    return this.#cut[from * this.#size + to] === 1;
  }

  /** What `from` sends to `to` arrives only after `untilMs`, all of it. */
  clog(from: number, to: number, untilMs: number): void {
    this.#cloggedUntilMs[from * this.#size + to] = untilMs;
  }

  /** Every link works and is merely as good as `faults`. */
  mendAll(): void {
    this.mendings++;
    this.#cut.fill(0);
    this.#cloggedUntilMs.fill(0);
  }

  /** Both directions between every member of `side` and every other machine. */
  split(side: readonly number[]): void {
    for (let from = 0; from < this.#size; from++) {
      for (let to = 0; to < this.#size; to++) {
        if (side.includes(from) !== side.includes(to)) this.cut(from, to);
      }
    }
  }

  /** After how many milliseconds each copy of a message arrives: none when it is lost, two when it is doubled. */
  fate(from: number, to: number, nowMs: number): readonly number[] {
    const random = this.#random;
    const { meanDelayMs, loss, duplication, replay, reorder } = this.faults;
    // The same draws whatever comes of them: a cut link must not shift the fate of other messages.
    const isLost = random.chance(loss);
    const isDoubled = random.chance(duplication);
    const isOvertaken = random.chance(reorder);
    let delayMs = 0.05 + random.exponential(meanDelayMs);
    if (this.isCut(from, to) || isLost) return [];
    if (isOvertaken) delayMs += random.real(0, MAX_OVERTAKEN_MS);
    const cloggedForMs = (this.#cloggedUntilMs[from * this.#size + to] as number) - nowMs;
    if (cloggedForMs > delayMs) delayMs = cloggedForMs + random.real(0, 1);
    if (!isDoubled) return [delayMs];
    const isReplayed = random.chance(replay);
    const againMs = isReplayed ? random.logUniform(MIN_REPLAY_MS, MAX_REPLAY_MS) : random.exponential(4 * meanDelayMs);
    return [delayMs, delayMs + againMs];
  }
}
