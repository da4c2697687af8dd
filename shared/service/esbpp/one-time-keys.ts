import { concat } from '../../codec/bytes.ts';
import { type OneTimeKey, suiteByName } from '../../crypto/suite.ts';
import { Fault } from '../../errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { type EuiccRecord, keyOwner, keyOwnerKey, type OneTimeKeyRecord } from '../records/euicc.ts';

/** A claimed one-time key as records have it. */
interface RecordedKey {
  readonly euicc: Pick<EuiccRecord, 'suite'>;
  readonly key: Pick<OneTimeKeyRecord, 'keyId' | 'otPk'>;
}

/**
 * The one-time keys that items hold, whole, each under its item. The rest of a long one is read from its owner record,
 * all of them in one go; where no suite has such a rest the ledger is not asked.
 */
export async function oneTimeKeysOf<Item extends RecordedKey>(
  ledger: Ledger,
  items: readonly Item[],
): Promise<ReadonlyMap<Item, OneTimeKey>> {
  const long = items.filter(({ euicc: { suite } }) => hasRest(suite));
  const owners = await ledger.getMany(long.map(ownerOf));
  const rests = new Map(long.map((item, i) => [item, owners[i] && keyOwner.from(owners[i]).otPkRest]));
  return new Map(
    items.map((item) => {
      const { euicc, key } = item;
      const suite = suiteByName(euicc.suite);
      if (!hasRest(euicc.suite)) return [item, suite.oneTimeKey(key.otPk)];
      const rest = rests.get(item);
      if (rest === undefined)
        throw new Fault('ledger', `the owner record of one-time key ${key.keyId} lacks the rest of the key`);
      return [item, suite.oneTimeKey(concat(key.otPk, rest))];
    }),
  );
}

function hasRest(name: EuiccRecord['suite']): boolean {
  const { oneTimeKeyLength, recordedLength } = suiteByName(name);
  return recordedLength < oneTimeKeyLength;
}

const ownerOf = ({ euicc: { suite }, key: { otPk } }: RecordedKey) =>
  keyOwnerKey(suite, suiteByName(suite).identityOf(otPk));
