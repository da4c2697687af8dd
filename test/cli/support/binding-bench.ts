import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { toHex } from '../../../shared/codec/bytes.ts';
import { headerOf } from '../../../shared/profile/package/header.ts';
import { decodePackage } from '../../../shared/profile/package/profile-element.ts';
import { authorityKeyIdentifier } from '../../../sim/certificate.ts';
import {
  type CurveName,
  encodeLoadPackage,
  encodePrivateKeyPem,
  generateKey,
  type PersonalisedEuicc,
  parseCertificate,
  SimCi,
  SimEum,
  SoftEuicc,
  segmentBpp,
} from '../../../sim/index.ts';
import { type Outcome, readResult, sendCommands } from '../../sim/installer.ts';

/** A folder of its own for the files of a test. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'smdpf-cli-'));

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, content: Bytes | string): string {
    const path = this.file(name);
    writeFileSync(path, content);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface BindingFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A CI, CERT.DPpb and its key as files. */
export function makeBindingFiles(folder: Folder, ci: SimCi): BindingFiles & { readonly der: Bytes } {
  const key = generateKey(ci.curve);
  const der = ci.issueDpPb(key, { oid: '2.999.10' });
  const id = toHex(ci.keyId).slice(0, 8);
  return {
    der,
    certificate: folder.write(`CERT_DPpb_${id}.der`, der),
    key: folder.write(`SK_DPpb_${id}.pem`, encodePrivateKeyPem(key)),
  };
}

/** An eUICC with one-time keys that trusts the CIs given. */
export class Card {
  readonly personalised: PersonalisedEuicc;
  readonly euicc: SoftEuicc;
  #used = 0;

  constructor(curve: CurveName, trustedCis: readonly Bytes[], keys = 1) {
    const eum = SimEum.create({ ci: SimCi.create({ curve }), furtherCis: trustedCis });
    this.personalised = eum.personalise({ keys });
    this.euicc = SoftEuicc.create(this.personalised);
  }

  get otPk(): string {
    return toHex(this.personalised.oneTimeKeys[this.#used]!.key.point);
  }

  /** Loads a BPP that was bound to the next one-time key. */
  load(bpp: Bytes, transactionId: Bytes, dpPb: Bytes): { readonly outcome: Outcome; readonly pir: Bytes } {
    const { keyId } = this.personalised.oneTimeKeys[this.#used++]!;
    const ciPkId = authorityKeyIdentifier(parseCertificate(dpPb).extensions)!;
    const loadPackage = encodeLoadPackage({ transactionId, keyId, chain: { ciPkId, certificates: [dpPb] } });
    const pir = sendCommands(this.euicc, [loadPackage, ...segmentBpp(bpp)]);
    return { outcome: readResult(pir, this.personalised.euiccCert), pir };
  }
}

export function iccidOf(upp: Bytes): string {
  return headerOf(decodePackage(upp)).iccid;
}
