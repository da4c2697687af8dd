import { createHash, randomBytes } from 'node:crypto';
import { type Bytes, equal } from '../shared/codec/bytes.ts';
import { parseCertificate, subjectKeyIdentifier } from './certificate.ts';
import { completeEid } from './coding.ts';
import { type EcKey, generateKey, sign } from './curve.ts';
import { DEFAULT_FEATURES, type EuiccFeatures, encodeEuiccInfo2 } from './euicc-info2.ts';
import { type EuiccEntry, encodeEuiccDataBatch, encodeOneTimeKeyTbs } from './ifpp-draft1.ts';
import type { SimCi, SimEumCa } from './pki.ts';
import { generateOneTimeKey, type OneTimeKeyPair, publicOctets, SUITES, type SuiteName } from './suite.ts';
import { SimError } from './tlv.ts';

/** A one-time key as the eUICC holds it and as the EUM hands it out. */
export interface PersonalisedKey extends Omit<OneTimeKeyPair, 'suite'> {
  readonly keyId: Bytes;
  /** That of a suite which is nothing but the curve of `key`, unless it is told. */
  readonly suite?: SuiteName;
  /** SK.EUICC over OneTimeKeyTbs, raw r || s. */
  readonly proof: Bytes;
}

/** Everything the EUM puts into an eUICC; private keys included, so it never leaves the simulator. */
export interface PersonalisedEuicc {
  readonly eid: string;
  readonly key: EcKey;
  readonly euiccCert: Bytes;
  readonly eumCert: Bytes;
  readonly euiccInfo2: Bytes;
  readonly features: EuiccFeatures;
  /** CI certificates that this eUICC accepts above a CERT.DPpb. */
  readonly trustedCis: readonly Bytes[];
  readonly oneTimeKeys: readonly PersonalisedKey[];
}

export interface BatchOptions {
  /** functionRequesterIdentifiers of the entitled device manufacturers. */
  readonly deviceManufacturers?: readonly string[];
  /** The EUM's data key, apart from its CA key: adds eumDataSignature. */
  readonly dataKey?: EcKey;
  readonly batchId?: Bytes;
}

export interface EumOptions {
  readonly ca: SimEumCa;
  /** Certificate of the CI above the EUM; also what the eUICCs verify SM-DPf chains with. */
  readonly ci: Bytes;
  /** Further CIs for verification only (A9). */
  readonly furtherCis?: readonly Bytes[];
  readonly features?: Partial<EuiccFeatures>;
  /** Of the one-time keys; on the EUM's curve alone unless told otherwise. */
  readonly suite?: SuiteName;
  /** First number that follows the IIN in the EIDs; each eUICC takes the next one. */
  readonly firstSerial?: number;
}

/** The eUICC manufacturer: personalises eUICCs with EID, certificate and one-time keys (FS.18, Esed1). */
export class SimEum {
  readonly ca: SimEumCa;
  readonly #cis: readonly { der: Bytes; keyId: Bytes }[];
  readonly #features: EuiccFeatures;
  readonly suite: SuiteName;
  #nextSerial: number;

  constructor({ ca, ci, furtherCis = [], features = {}, suite = ca.curve, firstSerial = 1 }: EumOptions) {
    this.ca = ca;
    this.#cis = [ci, ...furtherCis].map((der) => ({
      der,
      keyId: subjectKeyIdentifier(parseCertificate(der)),
    }));
    this.#features = { ...DEFAULT_FEATURES, ...features };
    this.suite = suite;
    this.#nextSerial = firstSerial;
  }

  /** A CI, an EUM below it and this manufacturer, from nothing. */
  static create(options: Partial<Omit<EumOptions, 'ca' | 'ci'>> & { ci: SimCi }): SimEum {
    return new SimEum({ ...options, ca: options.ci.issueEum(), ci: options.ci.certificate });
  }

  /** SubjectKeyIdentifier of the CI above the EUM, 20 octets. */
  get ciPkId(): Bytes {
    const [first] = this.#cis;
    if (first === undefined) throw new SimError('an EUM needs a CI');
    return first.keyId;
  }

  /** One more eUICC with `keys` one-time keys; the EID is the IIN, a running number and the check digits. */
  personalise(
    options: { keys?: number; eid?: string; features?: Partial<EuiccFeatures>; suite?: SuiteName } = {},
  ): PersonalisedEuicc {
    const eid = options.eid ?? this.#nextEid();
    const features = { ...this.#features, ...options.features };
    const euiccInfo2 = encodeEuiccInfo2(
      features,
      this.#cis.map(({ keyId }) => keyId),
      [this.ciPkId],
    );
    const hash = createHash('sha256').update(euiccInfo2).digest();
    const key = generateKey(this.ca.curve);
    const oneTimeKeys = Array.from({ length: options.keys ?? 1 }, () => {
      const pair = generateOneTimeKey(options.suite ?? this.suite);
      const keyId = randomBytes(16);
      const proof = sign(key, encodeOneTimeKeyTbs(eid, keyId, publicOctets(pair), hash));
      return { ...pair, keyId, proof };
    });
    return {
      eid,
      key,
      euiccCert: this.ca.issueEuicc(eid, key),
      eumCert: this.ca.certificate,
      euiccInfo2,
      features,
      trustedCis: this.#cis.map(({ der }) => der),
      oneTimeKeys,
    };
  }

  /** Personalises `count` eUICCs one after another, for batches that do not fit into memory. */
  *production(count: number, keys = 1): Generator<PersonalisedEuicc> {
    for (let made = 0; made < count; made++) yield this.personalise({ keys });
  }

  /** EuiccDataBatch (FF60) in DER: only public data of the eUICCs. */
  euiccDataBatch(euiccs: Iterable<PersonalisedEuicc>, options: BatchOptions = {}): Bytes {
    let batchInfo2: Bytes | undefined;
    let batchSuite: SuiteName | undefined;
    const entries: EuiccEntry[] = [];
    for (const euicc of euiccs) {
      batchInfo2 ??= euicc.euiccInfo2;
      batchSuite ??= euicc.oneTimeKeys[0]?.suite;
      entries.push(entryOf(euicc, batchInfo2));
    }
    if (batchInfo2 === undefined) throw new SimError('a batch has at least one eUICC');
    const { dataKey } = options;
    return encodeEuiccDataBatch(
      {
        batchId: options.batchId ?? randomBytes(16),
        ciPkId: this.ciPkId,
        curve: SUITES[batchSuite ?? this.suite].oid,
        eumChain: [this.ca.certificate],
        euiccInfo2: batchInfo2,
        entries,
        ...(options.deviceManufacturers === undefined
          ? {}
          : { deviceManufacturers: options.deviceManufacturers }),
      },
      dataKey === undefined ? undefined : (fields) => sign(dataKey, fields),
    );
  }

  #nextEid(): string {
    const serial = String(this.#nextSerial++);
    return completeEid(this.ca.iin + serial.padStart(30 - this.ca.iin.length, '0'));
  }
}

/** The public part of an eUICC; its EuiccInfo2 only where it differs from the batch's. */
export function entryOf(euicc: PersonalisedEuicc, batchInfo2: Bytes): EuiccEntry {
  return {
    eid: euicc.eid,
    euiccCert: euicc.euiccCert,
    oneTimeKeys: euicc.oneTimeKeys.map((one) => ({
      keyId: one.keyId,
      otPk: publicOctets(pairOf(one)),
      proof: one.proof,
    })),
    ...(equal(euicc.euiccInfo2, batchInfo2) ? {} : { euiccInfo2: euicc.euiccInfo2 }),
  };
}

export const pairOf = ({
  suite,
  key,
  kemSeed,
}: Omit<PersonalisedKey, 'keyId' | 'proof'>): OneTimeKeyPair => ({
  suite: suite ?? key.curve,
  key,
  ...(kemSeed === undefined ? {} : { kemSeed }),
});
