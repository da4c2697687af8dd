import { createHash } from 'node:crypto';
import { sign } from './curve.ts';
import type { PersonalisedEuicc } from './eum.ts';
import { encodeOneTimeKeyTbs } from './ifpp-draft1.ts';

/** Deeds that a server must notice, for demos and tests. */

/** The thief's eUICC with the victim's one-time keys, each with a proof that the thief's own key signed. */
export function reproveKeys(thief: PersonalisedEuicc, victim: PersonalisedEuicc): PersonalisedEuicc {
  const infoHash = createHash('sha256').update(thief.euiccInfo2).digest();
  return {
    ...thief,
    oneTimeKeys: victim.oneTimeKeys.map(({ keyId, key }) => ({
      keyId,
      key,
      proof: sign(thief.key, encodeOneTimeKeyTbs(thief.eid, keyId, key.point, infoHash)),
    })),
  };
}
