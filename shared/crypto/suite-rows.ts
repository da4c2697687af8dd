import { BRAINPOOL_P256R1, FRP256V1, P256 } from './curves.ts';
import { eckaSuite } from './ecka-suite.ts';
import { hybridSuite } from './hybrid-suite.ts';
import type { Suite } from './suite-type.ts';

/** Every suite, in the order in which a refusal tries them. To add one, see CONTRIBUTING.md. */
export const SUITE_ROWS: readonly Suite[] = [
  eckaSuite(P256),
  eckaSuite(BRAINPOOL_P256R1),
  eckaSuite(FRP256V1),
  // a key type that GlobalPlatform leaves to private use, and a tag of the private class: no classical eUICC takes either
  // for its own
  hybridSuite(P256, { name: 'p256-mlkem768', oid: '2.999.41.2.1', keyType: 0x78, ciphertextTag: 0xdf49 }),
];
