import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/codec/bytes.ts';
import { suiteByName } from '../../../shared/crypto/suite.ts';
import { bindProfile } from '../../../shared/profile/bind.ts';
import { decodeAkaParameter } from '../../../shared/profile/package/aka-parameter.ts';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { decodePackage, encodePackage } from '../../../shared/profile/package/profile-element.ts';
import { generatePpk } from '../../../shared/profile/ppk.ts';
import { protectProfile } from '../../../shared/profile/protect.ts';
import { encodeStoreMetadata } from '../../../shared/rsp/store-metadata.ts';
import { sign } from '../../../sim/curve.ts';
import { Bench } from '../../sim/installer.ts';
import { count } from '../../support/counts.ts';
import milenageVectors from '../../vectors/milenage.json' with { type: 'json' };
import tuakVectors from '../../vectors/tuak.json' with { type: 'json' };
import { milenage, tuak } from './support/authentication.ts';
import {
  EVERY_VALUE,
  ownTemplate,
  SCP_KEYS,
  TS48,
  TS48_ABSENT,
  TS48_PRESENT,
  ts48,
  without,
} from './support/packages.ts';

const ICCID = String(EVERY_VALUE.iccid);

/** Protects, binds and loads a package onto a soft eUICC; gives what is installed there. */
async function install(upp: Uint8Array): Promise<Uint8Array> {
  const bench = new Bench();
  const ppk = generatePpk(randomBytes);
  const segments = protectProfile(upp, ppk);
  const transactionId = randomBytes(16);
  const bpp = await bindProfile({
    eid: bench.euicc.eid,
    euiccOtpk: suiteByName('p256').oneTimeKey(bench.key().otPk),
    transactionId,
    hostId: Buffer.from('smdpf'),
    metadataDer: encodeStoreMetadata({
      iccid: ICCID,
      serviceProviderName: 'Operator',
      profileName: 'Profile',
      notificationConfigurationInfo: [
        { profileManagementOperation: ['install'], notificationAddress: 'smdpf.example.com' },
      ],
    }),
    payload: { mode: 'ppk', segments, ppk },
    sign: async ({ message }) => sign(bench.dpPbKey, message),
  });
  expect(bench.outcome(bench.send(transactionId, bpp))).toBe('installed');
  return bench.euicc.installedProfile(ICCID)!;
}

/** The template with every parameter that it has a place for. */
async function installed(upp: Uint8Array, values: ProfileValues) {
  const has5g = decodePackage(upp).elements.some(({ name }) => name === 'df-5gs');
  const hasSuciOnCard = decodePackage(upp).elements.some(({ name }) => name === 'df-saip');
  const hasAdm2 = !Buffer.from(upp).equals(ownTemplate());
  const row = {
    ...without(
      EVERY_VALUE,
      'k',
      'opc',
      ...(has5g ? [] : ['suci', 'routingIndicator']),
      ...(hasSuciOnCard ? [] : ['suciOnCard']),
      ...(hasAdm2 ? [] : ['adm2']),
    ),
    ...SCP_KEYS,
    rotationConstants: '4000204060',
    xoringConstants: [0, 1, 2, 4, 8].map((last) => `${'00'.repeat(15)}0${last}`).join(''),
    ...values,
  };
  const template = compileTemplate(upp, { profileClass: 'test', parameters: Object.keys(row) });
  const profile = await install(personalise(template, row));
  expect(auditPersonalisation(profile, row).filter(({ code }) => code === 'differs')).toEqual([]);
  const all = decodePackage(profile).elements.flatMap(({ name, fields }) =>
    name === 'akaParameter' ? (decodeAkaParameter(fields) ?? []) : [],
  );
  expect(all.length).toBeGreaterThan(0);
  return all;
}

const challengeOf = (set: { rand: string; sqn: string; amf: string }) => ({
  rand: Buffer.from(fromHex(set.rand)),
  sqn: Buffer.from(fromHex(set.sqn)),
  amf: Buffer.from(fromHex(set.amf)),
});

const OUTPUTS = ['macA', 'macS', 'res', 'ck', 'ik', 'ak', 'akStar'] as const;
type Outputs = Record<(typeof OUTPUTS)[number], string>;
const wanted = (set: Outputs) => OUTPUTS.map((name) => set[name]);
const found = (output: Record<(typeof OUTPUTS)[number], Uint8Array>) =>
  OUTPUTS.map((name) => toHex(output[name]));

const TEMPLATES: readonly (readonly [string, () => Uint8Array, boolean])[] = [
  ['the own template', ownTemplate, true],
  ...TS48.map((name) => [name, () => ts48(name), TS48_PRESENT] as const),
];

for (const [name, template, present] of TEMPLATES)
  describe.skipIf(!present)(
    `${name}, every parameter set, protected, bound and installed${present ? '' : ` (${TS48_ABSENT})`}`,
    () => {
      it('was decoded and encoded without a change', () => {
        expect(Buffer.compare(encodePackage(decodePackage(template())), template())).toBe(0);
      });

      it.each(milenageVectors.sets)('authenticates with MILENAGE, K $k', async (set) => {
        count('vectors', 1);
        for (const secrets of [{ opc: set.opc }, { op: set.op }])
          for (const aka of await installed(template(), { algorithm: 'milenage', k: set.k, ...secrets }))
            expect(found(milenage(aka, challengeOf(set)))).toEqual(wanted(set));
      });

      it.each(tuakVectors.sets)('authenticates with TUAK, K $k, $iterations iterations', async (set) => {
        count('vectors', 1);
        const octets = (hex: string) => hex.length / 2;
        const lengths = {
          mac: octets(set.macA),
          res: octets(set.res),
          ck: octets(set.ck),
          ik: octets(set.ik),
        };
        const own = { algorithm: 'tuak', k: set.k, numberOfKeccak: String(set.iterations) };
        for (const secrets of [{ opc: set.topc }, { op: set.top }])
          for (const aka of await installed(template(), { ...own, ...secrets }))
            expect(found(tuak(aka, challengeOf(set), lengths))).toEqual(wanted(set));
      });
    },
  );
