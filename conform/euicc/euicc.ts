import type { Bytes } from '../../shared/codec/bytes.ts';
import { parseCertificate } from '../../sim/certificate.ts';
import type { CardReader } from '../../sim/factory.ts';
import { type Check, Conformity } from '../conformity.ts';
import { LoadChecks } from './load.ts';
import { checkPir } from './pir.ts';
import { EUICC_RULES, type EuiccRule } from './rules.ts';

export interface EuiccInput {
  /** ProfileInstallationResult (BF37) that the eUICC gave. */
  readonly pir?: Bytes;
  /** CERT.EUICC, DER. */
  readonly euiccCert?: Bytes;
  /** registeredID of the SM-DPf that the result is for, dotted. */
  readonly smdpOid?: string;
  /** A card to drive, and a BppBatch (FF62) with BPPs for it. */
  readonly card?: { readonly reader: CardReader; readonly eid: string; readonly bppBatch: Bytes };
}

/** Holds an eUICC against the rules: a result that it gave, and what it does with BPPs, right and wrong. */
export async function conformEuicc({ pir, euiccCert, smdpOid, card }: EuiccInput): Promise<readonly Check[]> {
  const conformity = new Conformity<EuiccRule>(EUICC_RULES);
  const key = euiccCert === undefined ? undefined : parseCertificate(euiccCert).publicKey;
  if (pir !== undefined) {
    const about = {
      ...(key === undefined ? {} : { euicc: key }),
      ...(smdpOid === undefined ? {} : { smdpOid }),
    };
    checkPir(pir, { where: 'the result', ...about }, conformity);
  }
  if (card !== undefined && key !== undefined)
    await new LoadChecks(card.reader, { eid: card.eid, key }, card.bppBatch, conformity).run();
  return conformity.checks;
}
