import { randomBytes } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { parseCertificate } from '../../sim/certificate.ts';
import { type CurveName, type EcKey, generateKey, verify } from '../../sim/curve.ts';
import { storeDataApdus } from '../../sim/euicc/apdu.ts';
import { type EuiccOptions, SoftEuicc } from '../../sim/euicc.ts';
import type { EuiccFeatures } from '../../sim/euicc-info2.ts';
import { type PersonalisedEuicc, pairOf, SimEum } from '../../sim/eum.ts';
import { type Chain, encodeLoadPackage } from '../../sim/ifpp-draft1.ts';
import { SimCi } from '../../sim/pki.ts';
import { segmentBpp } from '../../sim/segmentation.ts';
import { publicOctets, type SuiteName } from '../../sim/suite.ts';
import { Fields, readAll, readOnly } from '../../sim/tlv.ts';
import { type BppOptions, buildBpp, buildMetadata, buildUpp } from './bpp-builder.ts';

export const ICCID = '8988211000000530082';

/** A CI, an EUM, an SM-DPf's binding key and one eUICC, ready for BPPs. */
export class Bench {
  readonly ci: SimCi;
  readonly eum: SimEum;
  readonly dpPbKey: EcKey;
  readonly chain: Chain;
  readonly personalised: PersonalisedEuicc;
  readonly euicc: SoftEuicc;

  constructor(
    options: {
      curve?: CurveName;
      keys?: number;
      features?: Partial<EuiccFeatures>;
      suite?: SuiteName;
      euicc?: EuiccOptions;
    } = {},
  ) {
    const curve = options.curve ?? 'p256';
    this.ci = SimCi.create({ curve });
    this.eum = SimEum.create({
      ci: this.ci,
      features: options.features ?? {},
      suite: options.suite ?? curve,
    });
    this.dpPbKey = generateKey(curve);
    const dpPb = this.ci.issueDpPb(this.dpPbKey, { oid: '2.999.10' });
    this.chain = { ciPkId: this.ci.keyId, certificates: [dpPb] };
    this.personalised = this.eum.personalise({ keys: options.keys ?? 1 });
    this.euicc = SoftEuicc.create(this.personalised, { now: () => new Date(), ...options.euicc });
  }

  key(index = 0): { keyId: Bytes; otPk: Bytes } {
    const key = this.personalised.oneTimeKeys[index];
    if (key === undefined) throw new Error(`no one-time key ${index}`);
    return { keyId: key.keyId, otPk: publicOctets(pairOf(key)) };
  }

  /** A good BPP for key 0, but for what `change` says. */
  bpp(transactionId: Bytes, change: Partial<BppOptions> = {}): Bytes {
    return buildBpp({
      eid: this.euicc.eid,
      otPk: this.key().otPk,
      dpPbKey: this.dpPbKey,
      transactionId,
      metadata: buildMetadata({ iccid: ICCID }),
      upp: buildUpp({ iccid: ICCID }),
      ...change,
    });
  }

  /** Builds a BPP with `change` and loads it; a fresh transaction each time. */
  load(change: Partial<BppOptions> = {}, keyIndex = 0): Bytes {
    const transactionId = change.transactionId ?? randomBytes(16);
    const { otPk, keyId } = this.key(keyIndex);
    return this.send(transactionId, this.bpp(transactionId, { otPk, ...change }), keyId);
  }

  /** Sends LoadPackage and BPP; returns the BF37, or the two octets of a status word that was not 9000. */
  send(transactionId: Bytes, bpp: Bytes, keyId: Bytes = this.key().keyId, chain: Chain = this.chain): Bytes {
    return sendCommands(this.euicc, [encodeLoadPackage({ transactionId, keyId, chain }), ...segmentBpp(bpp)]);
  }

  /** What the PIR says after its signature verified: 'installed' or the codes of its errorResult. */
  outcome(pir: Bytes): Outcome {
    return readResult(pir, this.personalised.euiccCert);
  }
}

export function sendCommands(euicc: SoftEuicc, commands: readonly Bytes[]): Bytes {
  for (const command of commands) {
    for (const apdu of storeDataApdus(command)) {
      let answer = euicc.transmit(apdu);
      let data = answer.subarray(0, -2);
      while (answer.at(-2) === 0x61) {
        answer = euicc.transmit(Uint8Array.of(0x80, 0xc0, 0, 0, 0));
        data = Buffer.concat([data, answer.subarray(0, -2)]);
      }
      const statusWord = answer.subarray(-2);
      if (statusWord[0] !== 0x90) return statusWord;
      if (data.length > 0) return data;
    }
  }
  return new Uint8Array();
}

export type Outcome = 'installed' | { command: number; reason: number };

/** Reads a BF37 by hand and verifies euiccSignPIR over the received BF27. */
export function readResult(pir: Bytes, euiccCert: Bytes): Outcome {
  const fields = new Fields(readOnly(pir, 0xbf37).value);
  const data = fields.take(0xbf27);
  const signature = fields.take(0x5f37).value;
  fields.end();
  if (!verify(parseCertificate(euiccCert).publicKey, data.raw, signature)) throw new Error('euiccSignPIR');
  const final = readAll(data.value).find(({ tag }) => tag === 0xa2);
  const result = readAll(final?.value ?? new Uint8Array())[0];
  if (result?.tag === 0xa0) return 'installed';
  const [command, reason] = readAll(result?.value ?? new Uint8Array());
  return { command: command?.value[0] ?? -1, reason: reason?.value[0] ?? -1 };
}
