import { hash } from 'node:crypto';
import { type Bytes, equal, toHex } from '../codec/bytes.ts';
import { generatorOf, xCoordinate } from '../crypto/curve-type.ts';
import type { OneTimeKey, Suite } from '../crypto/suite.ts';
import { Refusal, refuse } from '../errors.ts';
import {
  decodeEuiccEntry,
  type OneTimeKey as EncodedOneTimeKey,
  encodeOneTimeKeyTbs,
} from '../ifpp-draft1/euicc-data-batch.ts';
import type { VerifiedEum } from '../pki/eum-chain.ts';
import { decodeEuiccInfo2 } from '../rsp/euicc-info2.ts';

/** An entry of an EuiccDataBatch that holds by itself; whether its keys are new is the ledger's matter. */
export interface VerifiedEntry {
  readonly eid: string;
  /** DER. */
  readonly certificate: Bytes;
  /** What the key of the certificate is known by among one-time keys of its curve. */
  readonly certificateKey: string;
  readonly serialNumber: string;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
  /** cRLDistributionPoints of the certificate. */
  readonly distributionPoints: readonly string[];
  /** BF22, and its SHA-256 in hexadecimal. */
  readonly euiccInfo2: Bytes;
  readonly euiccInfo2Hash: string;
  /** One-time keys of the batch's suite. */
  readonly keys: readonly { readonly keyId: string; readonly otPk: OneTimeKey }[];
}

interface CheckedInfo {
  readonly der: Bytes;
  readonly hash: Bytes;
}

/**
 * Verifies the entries of a batch (SGP.41 DPFF10, GENS07, GENS12): EID and certificate under the EUM's chain, each
 * one-time key one of the batch's suite, and its proof under the eUICC's own key over EID, key and the hash of its EuiccInfo2.
 */
export class EntryVerifier {
  readonly #eum: VerifiedEum;
  readonly #suite: Suite;
  readonly #ciPkId: Bytes;
  readonly #batchInfo: Bytes;
  /** Nearly all eUICCs of a batch have the same: the last one checked. */
  #info: CheckedInfo | undefined;

  /** `euiccInfo2`: BF22 of the entries that bring none of their own. The suite's curve is that of the EUM's chain. */
  constructor(eum: VerifiedEum, suite: Suite, ciPkId: Bytes, euiccInfo2: Bytes) {
    this.#eum = eum;
    this.#suite = suite;
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
    const keys: { keyId: string; otPk: OneTimeKey }[] = [];
    const ids = new Set<string>();
    const asked = oneTimeKeys.length === 1 ? 'once' : 'again';
    for (const key of oneTimeKeys) {
      const about = { subjectIdentifier: key.keyId };
      if (ids.has(key.keyId)) refuse('oneTimeKeyInUse', `keyId ${key.keyId} occurs twice`, about);
      ids.add(key.keyId);
      const otPk = this.#oneTimeKey(key);
      // everybody knows its secret key
      if (otPk.isKeyOf(generatorOf(publicKey.curve)))
        refuse('oneTimeKeyInvalid', `one-time key ${key.keyId} is the generator of the curve`, about);
      if (otPk.isKeyOf(publicKey))
        refuse('oneTimeKeyInvalid', `one-time key ${key.keyId} is the key of the eUICC certificate`, about);
      const proved = encodeOneTimeKeyTbs(eid, key, info.hash);
      if (!publicKey.curve.signatureHolds(publicKey, proved, key.proof, asked))
        refuse('oneTimeKeyProofInvalid', `the proof of one-time key ${key.keyId} does not verify`, about);
      keys.push({ keyId: key.keyId, otPk });
    }
    return {
      eid,
      certificate: euiccCert,
      certificateKey: toHex(xCoordinate(publicKey)),
      serialNumber: certificate.serialNumber,
      notAfterMs: certificate.notAfterMs,
      distributionPoints: certificate.extensions.cRLDistributionPoints ?? [],
      euiccInfo2: info.der,
      euiccInfo2Hash: toHex(info.hash),
      keys,
    };
  }

  #oneTimeKey({ keyId, otPk }: EncodedOneTimeKey): OneTimeKey {
    try {
      return this.#suite.oneTimeKey(otPk);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      return refuse('oneTimeKeyInvalid', `one-time key ${keyId} is no key of ${this.#suite.name}`, {
        subjectIdentifier: keyId,
        cause,
      });
    }
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
