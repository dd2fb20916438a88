import { consensusMistakes } from './consensus.js';
import { durabilityMistakes } from './durability.js';
import type { Mistake } from './mistake.js';
import { serviceMistakes } from './service.js';

/** Everything the simulator must be able to find. */
export const mistakes: readonly Mistake[] = [...consensusMistakes, ...durabilityMistakes, ...serviceMistakes];
