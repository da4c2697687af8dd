import { createHash } from 'node:crypto';
import { sign } from './curve.ts';
import { type PersonalisedEuicc, pairOf } from './eum.ts';
import { encodeOneTimeKeyTbs } from './ifpp-draft1.ts';
import { publicOctets } from './suite.ts';

/** Deeds that a server must notice, for demos and tests. */

/** The thief's eUICC with the victim's one-time keys, each with a proof that the thief's own key signed. */
export function reproveKeys(thief: PersonalisedEuicc, victim: PersonalisedEuicc): PersonalisedEuicc {
  const infoHash = createHash('sha256').update(thief.euiccInfo2).digest();
  return {
    ...thief,
    oneTimeKeys: victim.oneTimeKeys.map((one) => ({
      ...one,
      proof: sign(thief.key, encodeOneTimeKeyTbs(thief.eid, one.keyId, publicOctets(pairOf(one)), infoHash)),
    })),
  };
}
