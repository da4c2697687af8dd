import { BRAINPOOL_P256R1, FRP256V1, P256 } from './curves.ts';
import { eckaSuite } from './ecka-suite.ts';
import type { Suite } from './suite-type.ts';

/** Every suite, in the order in which a refusal tries them. To add one, see CONTRIBUTING.md. */
export const SUITE_ROWS: readonly Suite[] = [
  eckaSuite(P256),
  eckaSuite(BRAINPOOL_P256R1),
  eckaSuite(FRP256V1),
];
