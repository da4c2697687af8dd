import { existsSync, readFileSync } from 'node:fs';
import type { ProfileValues } from '../../../../shared/profile/package/parameter.ts';
import { ownTemplate } from '../../../../shared/profile/package/template/own-profile.ts';

const FOLDER = new URL('../../../../../shared/testdata/ts48/', import.meta.url);

/** GSMA TS.48 test profiles; not part of this repository. */
export const TS48 = [
  'TS48v1_A.der',
  'TS48v3_SAIP2.1_BERTLV.der',
  'TS48v5_SAIP2.3_BERTLV_SUCI.der',
  'TS48v5_SAIP2.3_NoBERTLV.der',
] as const;
export const TS48_PRESENT = existsSync(FOLDER);
export const TS48_ABSENT = 'the GSMA TS.48 profiles are not in ../shared/testdata/ts48';

export function ts48(name: (typeof TS48)[number]): Buffer {
  return readFileSync(new URL(name, FOLDER));
}

export { ownTemplate };

const suci = {
  schemes: [
    { id: 1, keyIndex: 2 },
    { id: 2, keyIndex: 1 },
    { id: 0, keyIndex: 0 },
  ],
  keys: [
    { id: 27, key: Buffer.concat([Buffer.of(0x04), Buffer.alloc(64, 0x5a)]) },
    { id: 30, key: Buffer.alloc(32, 0xa5) },
  ],
};

/** A value for every parameter with a name of its own, `op` apart, which stands against `opc`. */
export const EVERY_VALUE: ProfileValues = {
  iccid: '8988211000000530082',
  imsi: '262011234567891',
  acc: '0400',
  mncLength: '2',
  msisdn: '+4917279119183',
  smsc: '+491722270333',
  spn: 'Ein Öffner',
  gid1: 'AB',
  gid2: 'CDEF',
  fplmn: '26202;310410',
  ehplmn: '26201;26206',
  plmnwact: '26201:c080;310410:8000',
  oplmnwact: '20801:ffff',
  hplmnwact: '26201:4000',
  suci: { schemes: suci.schemes.slice(2), keys: [] },
  suciOnCard: { schemes: suci.schemes.slice(2), keys: [] },
  routingIndicator: '174',
  impi: '262011234567891@ims.example',
  impu: 'sip:262011234567891@ims.example;tel:+4917279119183',
  domain: 'ims.example',
  pin1: '4711',
  pin2: '0815',
  adm1: '31415926',
  adm2: '27182818',
  puk1: '12345678',
  puk2: '87654321',
  algorithm: 'milenage',
  algorithmOptions: '01',
  rotationConstants: '4000204061',
  xoringConstants: '0f'.repeat(80),
  authCounterMax: '010203',
  numberOfKeccak: '3',
  sqnOptions: '06',
  sqnDelta: '000020000000',
  sqnAgeLimit: '000030000000',
  sqnInit: '000000000020',
  k: '465b5ce8b199b49faa5f0a2ee238a6bc',
  opc: 'cd63cb71954a9f4e48a5994e37a02baf',
};

export const SCP_KEYS: ProfileValues = {
  'scp80.01.enc': 'b0b1b2b3b4b5b6b7b8b9babbbcbdbe01',
  'scp80.01.mac': 'b0b1b2b3b4b5b6b7b8b9babbbcbdbe02',
  'scp80.01.dek': 'b0b1b2b3b4b5b6b7b8b9babbbcbdbe03',
  'scp80.03.enc:des': 'b0b1b2b3b4b5b6b7b8b9babbbcbdbe04',
  'scp03.30.enc': 'c0'.repeat(32),
  'scp03.30.mac@A000000151000000': 'c1'.repeat(32),
  'scp02.20.enc': 'c2'.repeat(16),
  'scp02.ff.mac': 'c5'.repeat(16),
  'scp81.40.psk': 'c3'.repeat(32),
  'scp81.40.dek': 'c4'.repeat(16),
};

/** SUCI parameters with keys, which take more room than the files of TS.48 have. */
export const SUCI_WITH_KEYS = suci;

/** What an operational profile of our own template must be given. */
export const OPERATIONAL: ProfileValues = {
  iccid: '8988211000000530082',
  imsi: '262011234567891',
  k: '465b5ce8b199b49faa5f0a2ee238a6bc',
  opc: 'cd63cb71954a9f4e48a5994e37a02baf',
  adm1: '31415926',
  'scp80.01.enc': 'b0b1b2b3b4b5b6b7b8b9babbbcbdbe01',
  'scp80.01.mac': 'b0b1b2b3b4b5b6b7b8b9babbbcbdbe02',
  'scp80.01.dek': 'b0b1b2b3b4b5b6b7b8b9babbbcbdbe03',
};

export function without(values: ProfileValues, ...names: readonly string[]): ProfileValues {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}
