import { present } from '../../present.ts';
import type { TrustEntry } from '../api/ops.ts';
import type { KeyInventory } from '../keys/key-inventory.ts';
import type { Trust } from '../trust/trust.ts';

/** What this deployment trusts and stands on, for people: CIs, EUMs, its certificates, lists and keys. */
export async function listTrust(
  trust: Trust,
  keys: Pick<KeyInventory, 'list'>,
): Promise<{ trust: readonly TrustEntry[] }> {
  const { cis, eums, crls } = await trust.list();
  const entries: TrustEntry[] = [
    ...cis.map(({ keyId, sha256, subject, notAfter, forSigning, forVerification }) => ({
      kind: 'ci' as const,
      id: keyId,
      name: subject,
      state: [forSigning && 'signs eUICCs', forVerification && 'verifies us'].filter(Boolean).join(', '),
      notAfter: notAfter.toISOString(),
      certificate: sha256,
    })),
    ...eums.map(({ keyId, party }) => ({
      kind: 'eum' as const,
      id: keyId,
      name: party,
      state: 'allowed',
      party,
    })),
    ...crls.map(({ issuerKeyId, issuer, number, nextUpdate, expired }) => ({
      kind: 'crl' as const,
      id: issuerKeyId,
      name: `${issuer}, number ${number}`,
      state: expired ? 'expired' : 'current',
      notAfter: nextUpdate.toISOString(),
    })),
  ];
  for (const { role, uri, state, certificate, problem } of await keys.list())
    entries.push({
      kind: certificate === undefined ? 'key' : 'dppb',
      id: certificate?.ciPkId ?? role,
      name: uri,
      state: problem === undefined ? state : `${state}: ${problem}`,
      ...present({
        notBefore: certificate?.notBefore.toISOString(),
        notAfter: certificate?.notAfter.toISOString(),
        certificate: certificate?.sha256,
      }),
    });
  return { trust: entries };
}
