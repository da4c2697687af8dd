import { describe, expect, it } from 'vitest';
import { type ClaimStanding, claim } from '../../../shared/service/esed1/claims.ts';
import { type EuiccRecord, itemName, type OneTimeKeyRecord } from '../../../shared/service/records/euicc.ts';
import type { StatusName } from '../../../shared/status-codes.ts';

const ORDER = 'ORD-1';
const OWN = itemName('a'.repeat(24), 0);
const OTHER = itemName('b'.repeat(24), 7);

const key = (keyId: string, state: OneTimeKeyRecord['state'] = 'free', by?: string): OneTimeKeyRecord => ({
  keyId,
  otPk: new Uint8Array(65),
  state,
  ...(by === undefined ? {} : { by }),
});

const euicc = (keys: readonly OneTimeKeyRecord[], holders: readonly string[] = []): EuiccRecord => ({
  suite: 'p256',
  ciPkId: '00',
  eumChain: '00',
  euiccInfo2: '00',
  serialNumber: '00',
  notAfter: 0,
  deviceMakers: [],
  keys,
  orders: holders.length === 0 ? {} : { [ORDER]: holders },
});

const wanted = (more: { keyId?: string; additional?: boolean } = {}) => ({
  orderId: ORDER,
  keyId: more.keyId,
  additional: more.additional ?? false,
});

/** The other item stands like this; nobody asks about the own one. */
const others = (standing: ClaimStanding) => async (name: string) => {
  expect(name).toBe(OTHER);
  return standing;
};

const refusedWith = (code: StatusName, claimed: Promise<unknown>) =>
  expect(claimed).rejects.toMatchObject({ code });

describe('a claim on a one-time key', { tags: ['I1', 'GENS08', 'MCE01'] }, () => {
  it('takes the first free key and the place of the EID in the order, and leaves the record it was given alone', async () => {
    const before = euicc([key('k1', 'closed'), key('k2'), key('k3')]);
    const taken = await claim(OWN, wanted(), before, others('pending'));
    expect(taken.key).toEqual(key('k2', 'claimed', OWN));
    expect(taken.euicc.orders).toEqual({ [ORDER]: [OWN] });
    expect(before).toEqual(euicc([key('k1', 'closed'), key('k2'), key('k3')]));
  });

  it('takes the key that the request names', async () => {
    const taken = await claim(OWN, wanted({ keyId: 'k2' }), euicc([key('k1'), key('k2')]), others('pending'));
    expect(taken.key.keyId).toBe('k2');
  });

  it.each([wanted(), wanted({ additional: true }), wanted({ keyId: 'k1' })])(
    'finds itself again and changes nothing (I4)',
    async (want) => {
      const before = euicc([key('k1', 'claimed', OWN), key('k2')], [OWN]);
      const again = await claim(OWN, want, before, others('pending'));
      expect(again.euicc).toBe(before);
      expect(again.key.keyId).toBe('k1');
    },
  );

  it('finds itself again though an additional profile was asked for after it (I4)', async () => {
    const before = euicc([key('k1', 'claimed', OWN), key('k2', 'claimed', OTHER)], [OWN, OTHER]);
    const again = await claim(OWN, wanted(), before, others('pending'));
    expect(again.key.keyId).toBe('k1');
  });

  it('takes over what a refused item left behind, key and place', async () => {
    const before = euicc([key('k1', 'claimed', OTHER)], [OTHER]);
    const taken = await claim(OWN, wanted(), before, others('refused'));
    expect(taken.key).toEqual(key('k1', 'claimed', OWN));
    expect(taken.euicc.orders).toEqual({ [ORDER]: [OWN] });
  });

  it.each(['bound', 'pending'] as const)(
    'takes nothing from an item that is %s (I1, I2)',
    async (standing) => {
      const spent = euicc([key('k1', 'claimed', OTHER)], [OTHER]);
      const additional = wanted({ additional: true });
      await refusedWith('noNewBinding', claim(OWN, wanted(), spent, others(standing)));
      await refusedWith('oneTimeKeyUnavailable', claim(OWN, additional, spent, others(standing)));
      const named = wanted({ additional: true, keyId: 'k1' });
      await refusedWith('oneTimeKeyInUse', claim(OWN, named, spent, others(standing)));
    },
  );

  it('an additional profile needs a key of its own, and keeps the place of the first', async () => {
    const before = euicc([key('k1', 'claimed', OTHER), key('k2')], [OTHER]);
    const taken = await claim(OWN, wanted({ additional: true }), before, others('bound'));
    expect(taken.key.keyId).toBe('k2');
    expect(taken.euicc.orders).toEqual({ [ORDER]: [OTHER, OWN] });
  });

  it('is refused for a key that is unknown or closed', { tags: ['EUICCF03', 'DMF03'] }, async () => {
    const before = euicc([key('k1', 'closed')]);
    await refusedWith('oneTimeKeyUnknown', claim(OWN, wanted({ keyId: 'k9' }), before, others('pending')));
    await refusedWith('oneTimeKeyInUse', claim(OWN, wanted({ keyId: 'k1' }), before, others('pending')));
    await refusedWith('oneTimeKeyUnavailable', claim(OWN, wanted(), before, others('pending')));
  });

  it('in one order says nothing of another', async () => {
    const before: EuiccRecord = { ...euicc([key('k1')]), orders: { 'ORD-2': [OTHER] } };
    const taken = await claim(OWN, wanted(), before, others('bound'));
    expect(taken.euicc.orders).toEqual({ 'ORD-2': [OTHER], [ORDER]: [OWN] });
  });
});
