import { scanAll } from '../../ledger/scan.ts';
import { decodeCertificate } from '../../pki/certificate.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { dpPbRecord } from '../records/trust.ts';

/** The arc for examples: names nobody. */
const NOBODY = '2.999';

/**
 * The OID by which this SM-DPf calls others: that of its newest binding certificate, active ones first. One that has none
 * yet goes by the arc for examples.
 */
export async function ownOid({ ledger }: Pick<Context, 'ledger'>): Promise<string> {
  const { partition, sort: prefix } = ledgerKeys.trust('dppb', '');
  const [newest] = (await scanAll(ledger, partition, { prefix }))
    .map(dpPbRecord.from)
    .sort(
      (a, b) =>
        Number(a.state === 'retired') - Number(b.state === 'retired') || b.installedAt - a.installedAt,
    );
  if (newest === undefined) return NOBODY;
  const leaf = decodeCertificate(newest.certificates[0]!, 'dpCertificateInvalid');
  return leaf.extensions.subjectAltName?.registeredIds[0] ?? NOBODY;
}
