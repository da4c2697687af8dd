import { hash } from 'node:crypto';
import { type Bytes, equal, toHex } from '../codec/bytes.ts';
import { isPointOf } from '../crypto/suite.ts';
import { refuse } from '../errors.ts';
import { decodeEuiccEntry, encodeOneTimeKeyTbs } from '../ifpp-draft1/euicc-data-batch.ts';
import type { VerifiedEum } from '../pki/eum-chain.ts';
import { decodeEuiccInfo2 } from '../rsp/euicc-info2.ts';

/** An entry of an EuiccDataBatch that holds by itself; whether its keys are new is the ledger's matter. */
export interface VerifiedEntry {
  readonly eid: string;
  /** DER. */
  readonly certificate: Bytes;
  readonly serialNumber: string;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
  /** cRLDistributionPoints of the certificate. */
  readonly distributionPoints: readonly string[];
  /** BF22, and its SHA-256 in hexadecimal. */
  readonly euiccInfo2: Bytes;
  readonly euiccInfo2Hash: string;
  /** `otPk`: 65 octets, a point of the EUM's curve. */
  readonly keys: readonly { readonly keyId: string; readonly otPk: Bytes }[];
}

interface CheckedInfo {
  readonly der: Bytes;
  readonly hash: Bytes;
}

/**
 * Verifies the entries of a batch (SGP.41 DPFF10, GENS07, GENS12): EID and certificate under the EUM's chain, each
 * one-time key on the curve, and its proof under the eUICC's own key over EID, key and the hash of its EuiccInfo2.
 */
export class EntryVerifier {
  readonly #eum: VerifiedEum;
  readonly #ciPkId: Bytes;
  readonly #batchInfo: Bytes;
  /** Nearly all eUICCs of a batch have the same: the last one checked. */
  #info: CheckedInfo | undefined;

  /** `euiccInfo2`: BF22 of the entries that bring none of their own. */
  constructor(eum: VerifiedEum, ciPkId: Bytes, euiccInfo2: Bytes) {
    this.#eum = eum;
    this.#ciPkId = ciPkId;
    this.#batchInfo = euiccInfo2;
  }

  /**
   * Verifies one complete EuiccEntry element. A refusal of a one-time key names the keyId as its subject, others the
   * EID where that could be read.
   */
  verify(element: Bytes): VerifiedEntry {
    const { eid, euiccCert, oneTimeKeys, euiccInfo2 } = decodeEuiccEntry(element);
    const { certificate, publicKey } = this.#eum.verifyEuicc(euiccCert, eid);
    const info = this.#checkedInfo(euiccInfo2 ?? this.#batchInfo, eid);
    if (oneTimeKeys.length === 0)
      refuse('mandatoryElementMissing', 'the entry has no one-time key', { subjectIdentifier: eid });
    const { suite } = this.#eum;
    const ids = new Set<string>();
    for (const key of oneTimeKeys) {
      const about = { subjectIdentifier: key.keyId };
      if (ids.has(key.keyId)) refuse('oneTimeKeyInUse', `keyId ${key.keyId} occurs twice`, about);
      ids.add(key.keyId);
      if (!isPointOf(suite, key.otPk))
        refuse(
          'oneTimeKeyInvalid',
          `one-time key ${key.keyId} is no uncompressed point of ${suite.name}`,
          about,
        );
      // a point and its negative agree to the same secret
      if (equal(key.otPk.subarray(1, 33), publicKey.point.subarray(1, 33)))
        refuse('oneTimeKeyInvalid', `one-time key ${key.keyId} is the key of the eUICC certificate`, about);
      if (!suite.signatureHolds(publicKey, encodeOneTimeKeyTbs(eid, key, info.hash), key.proof))
        refuse('oneTimeKeyProofInvalid', `the proof of one-time key ${key.keyId} does not verify`, about);
    }
    return {
      eid,
      certificate: euiccCert,
      serialNumber: certificate.serialNumber,
      notAfterMs: certificate.notAfterMs,
      distributionPoints: certificate.extensions.cRLDistributionPoints ?? [],
      euiccInfo2: info.der,
      euiccInfo2Hash: toHex(info.hash),
      keys: oneTimeKeys.map(({ keyId, otPk }) => ({ keyId, otPk })),
    };
  }

  #checkedInfo(der: Bytes, eid: string): CheckedInfo {
    if (this.#info !== undefined && equal(this.#info.der, der)) return this.#info;
    const info = decodeEuiccInfo2(der);
    const signing = [...info.euiccCiPKIdListForSigning, ...info.euiccCiPKIdListForSigningV3];
    if (!signing.some((id) => equal(id, this.#ciPkId)))
      refuse('euiccInfoInvalid', 'the root of the eUICC chain is not in euiccCiPKIdListForSigning', {
        subjectIdentifier: eid,
      });
    this.#info = { der, hash: hash('sha256', der, 'buffer') };
    return this.#info;
  }
}
