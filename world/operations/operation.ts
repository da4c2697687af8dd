import type { Random } from '../random.ts';
import type { World } from '../world.ts';

/** One thing that somebody does. The answer says how it ended, for the counts. */
export interface Operation {
  /** How often it comes, beside the others. */
  readonly weight: number;
  run(world: World, random: Random): Promise<string>;
}

export const NOTHING = 'nothing to do';
