import { createPrivateKey, randomBytes, sign, X509Certificate } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { equal, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { encodeEid } from '../../shared/codec/eid.ts';
import { BRAINPOOL_P256R1, type EphemeralKey, FRP256V1, P256 } from '../../shared/crypto/curves.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { decodeEcdsaSignature } from '../../shared/crypto/ecdsa-signature.ts';
import { generateFrp256v1Secret, signFrp256v1 } from '../../shared/crypto/frp256v1.ts';
import { deriveSessionKeys } from '../../shared/crypto/session-keys.ts';
import { SUITES, type Suite, suiteByName } from '../../shared/crypto/suite.ts';
import { Fault } from '../../shared/errors.ts';
import type { Digest } from '../../shared/keys/provider.ts';
import { type BindingPayload, bindProfile, prepareBinding } from '../../shared/profile/bind.ts';
import { type OpenedBpp, openBoundProfilePackage } from '../../shared/profile/open-bpp.ts';
import { generatePpk, type Ppk } from '../../shared/profile/ppk.ts';
import { protectProfile } from '../../shared/profile/protect.ts';
import {
  type BoundProfilePackage,
  decodeBoundProfilePackage,
  encodeBoundProfilePackage,
} from '../../shared/rsp/bound-profile-package.ts';
import { verifySmdpSign } from '../../shared/rsp/initialise-secure-channel.ts';
import { encodeStoreMetadata } from '../../shared/rsp/store-metadata.ts';
import {
  agreeWith,
  generateOneTimeKey,
  type OneTimeKeyPair,
  publicOctets,
  type SuiteName,
} from '../../sim/suite.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { expectRefusal } from '../support/refusal.ts';
import { hasTestdata, testdata, testdataFiles, testdataSkipReason } from '../support/testdata.ts';
import kdfVectors from '../vectors/bsp-kdf.json' with { type: 'json' };
import mode51 from '../vectors/bsp-sequence-mode51.json' with { type: 'json' };
import eckaVectors from '../vectors/ecka.json' with { type: 'json' };
import { profileLengths } from './lengths.ts';

const ecka = eckaVectors.vectors[0]!;
const kdf = kdfVectors.vectors[0]!;

const P256_SUITE = suiteByName('p256');

const EID = '89049032123451234512345678901235';
const metadataDer = encodeStoreMetadata({
  iccid: '89000123456789012341',
  serviceProviderName: 'SP',
  profileName: 'P',
});
const identifiers = { eid: EID, transactionId: randomBytes(16), hostId: randomBytes(8) };
const noSignature = async () => Buffer.alloc(64);

const protectedUnder = (ppk: Ppk, upp: Uint8Array): BindingPayload => ({
  mode: 'ppk',
  segments: protectProfile(upp, ppk),
  ppk,
});
const payloads = (upp: Uint8Array): BindingPayload[] => [
  protectedUnder(generatePpk(randomBytes), upp),
  { mode: 'session', upp },
];

/** Opens a package as the holder of the one-time private key can. */
function openAsEuicc(suite: Suite, otsk: EphemeralKey, bpp: BoundProfilePackage): OpenedBpp {
  const { smdpOtpk, hostId } = bpp.initialiseSecureChannelRequest;
  const sharedSecret = otsk.agree(suite.curve.publicKey(smdpOtpk));
  return openBoundProfilePackage(
    bpp,
    deriveSessionKeys(suite, { sharedSecret, sharedInfo: new Uint8Array(0) }, hostId, encodeEid(EID)),
  );
}

/** The same for the holder of a one-time key of any suite. */
function openWith(suite: Suite, pair: OneTimeKeyPair, bpp: BoundProfilePackage): OpenedBpp {
  const { smdpOtpk, ciphertext, hostId } = bpp.initialiseSecureChannelRequest;
  const { z: sharedSecret, sharedInfo } = agreeWith(pair, smdpOtpk, ciphertext);
  return openBoundProfilePackage(
    bpp,
    deriveSessionKeys(suite, { sharedSecret, sharedInfo }, hostId, encodeEid(EID)),
  );
}

describe('binding (SGP.22 section 2.5.4)', { tags: ['ES8-PACKAGE', 'ES8-SIGNATURE', 'ES8-BSP'] }, () => {
  it('reproduces the traced package to the byte from its ephemeral key', async () => {
    const ppk = {
      initialMacChainingValue: fromHex(mode51.ppk.initialMacChainingValue),
      ppkEnc: fromHex(mode51.ppk.ppkEnc),
      ppkCmac: fromHex(mode51.ppk.ppkCmac),
    };
    const [configure, metadata, replace, ...upp] = mode51.steps;
    const octets = await bindProfile({
      ...identifiers,
      eid: kdf.eid,
      hostId: fromHex(kdf.hostId),
      euiccOtpk: P256_SUITE.oneTimeKey(fromHex(ecka.euiccOtpk)),
      metadataDer: fromHex(metadata!.plaintext),
      payload: protectedUnder(ppk, fromHex(upp.map(({ plaintext }) => plaintext).join(''))),
      randomness: fromHex(ecka.smdpOtsk),
      sign: noSignature,
    });
    const bpp = decodeBoundProfilePackage(octets);
    expect(toHex(bpp.initialiseSecureChannelRequest.smdpOtpk)).toBe(ecka.smdpOtpk);
    expect(bpp.firstSequenceOf87.map(({ raw }) => toHex(raw))).toEqual([configure!.protected]);
    expect(bpp.sequenceOf88.map(({ raw }) => toHex(raw))).toEqual([metadata!.protected]);
    expect(bpp.secondSequenceOf87?.map(({ raw }) => toHex(raw))).toEqual([replace!.protected]);
    expect(bpp.sequenceOf86.map(({ raw }) => toHex(raw))).toEqual(upp.map((step) => step.protected));
    expect(mode51.steps).toHaveLength(5);
  });

  it.each(SUITES)(
    'gives a package that the eUICC opens to the same octets, in both modes, on $name',
    async (suite) => {
      const upp = randomBytes(2500);
      for (const payload of payloads(upp)) {
        const pair = generateOneTimeKey(suite.name as SuiteName);
        const octets = await bindProfile({
          ...identifiers,
          euiccOtpk: suite.oneTimeKey(publicOctets(pair)),
          metadataDer,
          payload,
          dpProprietaryData: { dpOid: '2.999.10' },
          sign: noSignature,
        });
        const bpp = decodeBoundProfilePackage(octets);
        expect(toHex(encodeBoundProfilePackage(bpp))).toBe(toHex(octets));
        const opened = openWith(suite, pair, bpp);
        expect(opened.mode).toBe(payload.mode);
        expect(toHex(opened.configureIsdp)).toBe('bf2407b805800388370a');
        expect(toHex(opened.storeMetadata)).toBe(toHex(metadataDer));
        expect(toHex(opened.upp)).toBe(toHex(upp));
      }
    },
  );

  it('keeps every segment within 1020 octets for profile lengths from 1 to 5000, in both modes', () => {
    const otsk = P256.generateEphemeral();
    const profile = randomBytes(5000);
    const lengths = profileLengths(effort({ short: 13, long: 1 }));
    count('items', 2 * lengths.length);
    for (const length of lengths) {
      const upp = profile.subarray(0, length);
      for (const payload of payloads(upp)) {
        const prepared = prepareBinding({
          ...identifiers,
          euiccOtpk: P256_SUITE.oneTimeKey(otsk.point),
          metadataDer,
          payload,
        });
        // the decoder refuses any element above 1020 octets
        const bpp = decodeBoundProfilePackage(prepared.assemble(Buffer.alloc(64)));
        if (bpp.sequenceOf86.length !== Math.ceil(length / 1007)) expect.fail(`segments of ${length} octets`);
        if (!equal(openAsEuicc(P256_SUITE, otsk, bpp).upp, upp))
          expect.fail(`${payload.mode} at ${length} octets`);
      }
    }
  }, 180_000);

  it.each([
    [900, 1],
    [1024, 2],
  ])('continues StoreMetadata with an icon of %i octets over %i elements', async (icon, elements) => {
    const withIcon = encodeStoreMetadata({
      iccid: '89000123456789012341',
      serviceProviderName: 'SP',
      profileName: 'P',
      iconType: 'jpg',
      icon: randomBytes(icon),
    });
    const upp = randomBytes(1500);
    for (const payload of payloads(upp)) {
      const otsk = P256.generateEphemeral();
      const octets = await bindProfile({
        ...identifiers,
        euiccOtpk: P256_SUITE.oneTimeKey(otsk.point),
        metadataDer: withIcon,
        payload,
        sign: noSignature,
      });
      const bpp = decodeBoundProfilePackage(octets);
      expect(bpp.sequenceOf88).toHaveLength(elements);
      const opened = openAsEuicc(P256_SUITE, otsk, bpp);
      expect(toHex(opened.storeMetadata)).toBe(toHex(withIcon));
      expect(toHex(opened.upp)).toBe(toHex(upp));
    }
  });

  it('has the signer sign the unsigned part and the one-time key', async () => {
    const secret = generateFrp256v1Secret();
    const dppb = FRP256V1.publicKey(FRP256V1.ephemeralFrom(secret).point);
    const { point: euiccOtpk } = FRP256V1.generateEphemeral();
    const octets = await bindProfile({
      ...identifiers,
      euiccOtpk: suiteByName('frp256v1').oneTimeKey(euiccOtpk),
      metadataDer,
      payload: { mode: 'session', upp: randomBytes(100) },
      sign: async ({ message }: Digest) => signFrp256v1(secret, message),
    });
    const request = decodeBoundProfilePackage(octets).initialiseSecureChannelRequest;
    verifySmdpSign(request, euiccOtpk, dppb);
    expectRefusal('profileInvalid', () => verifySmdpSign(request, FRP256V1.generateEphemeral().point, dppb));
  });

  it('takes a fresh ephemeral key for each package', { tags: ['GENS06'] }, () => {
    const request = {
      ...identifiers,
      euiccOtpk: P256_SUITE.oneTimeKey(P256.generateEphemeral().point),
      metadataDer,
      payload: { mode: 'session', upp: randomBytes(10) },
    } as const;
    expect(toHex(prepareBinding(request).smdpOtpk)).not.toBe(toHex(prepareBinding(request).smdpOtpk));
  });
});

describe('binding refuses', { tags: ['GENS07'] }, () => {
  const request = {
    ...identifiers,
    euiccOtpk: P256_SUITE.oneTimeKey(P256.generateEphemeral().point),
    metadataDer,
    payload: { mode: 'session', upp: randomBytes(10) },
  } as const;

  it('an EID with wrong check digits', () => {
    expectRefusal('eidMalformed', () => prepareBinding({ ...request, eid: EID.replace(/5$/, '6') }));
  });

  it('a one-time key that is not on the curve, before there is anything to bind with', () => {
    expectRefusal('oneTimeKeyInvalid', () =>
      P256_SUITE.oneTimeKey(BRAINPOOL_P256R1.generateEphemeral().point),
    );
  });

  it('metadata that is no StoreMetadataRequest', () => {
    expectRefusal('protocolFormat', () => prepareBinding({ ...request, metadataDer: fromHex('bf2400') }));
  });

  it('an empty profile, in either mode', () => {
    const empty = Buffer.alloc(0);
    expectRefusal('profileInvalid', () =>
      prepareBinding({ ...request, payload: { mode: 'session', upp: empty } }),
    );
    expectRefusal('profileInvalid', () =>
      prepareBinding({
        ...request,
        payload: { mode: 'ppk', segments: empty, ppk: generatePpk(randomBytes) },
      }),
    );
  });

  it.each([
    ['transactionId', 0],
    ['transactionId', 17],
    ['hostId', 0],
    ['hostId', 17],
  ])('a %s of %i octets', (name, length) => {
    expect(() => prepareBinding({ ...request, [name]: Buffer.alloc(length) })).toThrow(RangeError);
  });

  it('a signature that has not 64 octets', () => {
    expect(() => prepareBinding(request).assemble(Buffer.alloc(70))).toThrow(Fault);
  });

  it.each([
    ['after success', {}],
    ['after a refusal', { metadataDer: fromHex('bf2400') }],
  ])('and leaves no ephemeral key and no shared secret behind %s', (_, change) => {
    const ephemeral = P256.ephemeralFrom(fromHex(ecka.smdpOtsk));
    const secrets: Uint8Array[] = [];
    const agree = ephemeral.agree;
    ephemeral.agree = (peer) => {
      const secret = agree(peer);
      secrets.push(secret);
      return secret;
    };
    const generate = vi.spyOn(P256, 'generateEphemeral').mockReturnValueOnce(ephemeral);
    try {
      prepareBinding({ ...request, ...change });
    } catch {
      // what it refuses is shown above
    }
    expect(generate).toHaveBeenCalledOnce();
    generate.mockRestore();
    expect(() => agree(P256.publicKey(request.euiccOtpk.octets))).toThrow('wiped');
    expect(secrets.map(toHex)).toEqual(['00'.repeat(32)]);
  });

  it('and leaves no ephemeral key behind where the agreement itself fails', () => {
    const ephemeral = FRP256V1.generateEphemeral();
    const generate = vi.spyOn(P256, 'generateEphemeral').mockReturnValueOnce(ephemeral);
    ephemeral.agree = () => {
      throw new RangeError('no agreement');
    };
    const wiped = vi.spyOn(ephemeral, 'wipe');
    expect(() => prepareBinding(request)).toThrow('no agreement');
    generate.mockRestore();
    expect(wiped).toHaveBeenCalledOnce();
  });
});

describe(`published profiles and certificates${testdataSkipReason}`, () => {
  it.skipIf(!hasTestdata).each([
    [P256_SUITE, 'NIST'],
    [suiteByName('brainpoolP256r1'), 'BRP'],
  ] as const)('bind each TS.48 profile under the DPpb certificate of SGP.26: %#', async (suite, curve) => {
    const key = createPrivateKey(testdata(`sgp26/SK_S_SM_DPpb_ECDSA_${curve}.pem`));
    const certificate = new X509Certificate(testdata(`sgp26/CERT_S_SM_DPpb_ECDSA_${curve}.der`));
    const dppb = fromSpki(certificate.publicKey.export({ format: 'der', type: 'spki' }));
    const profiles = testdataFiles('ts48').filter((name) => name.endsWith('.der'));
    expect(profiles.length).toBeGreaterThan(0);
    for (const upp of profiles.map((name) => testdata(`ts48/${name}`))) {
      for (const payload of payloads(upp)) {
        const otsk = suite.curve.generateEphemeral();
        const octets = await bindProfile({
          ...identifiers,
          euiccOtpk: suite.oneTimeKey(otsk.point),
          metadataDer,
          payload,
          sign: async ({ message }) => decodeEcdsaSignature(suite.curve, sign('sha256', message, key)),
        });
        const bpp = decodeBoundProfilePackage(octets);
        verifySmdpSign(bpp.initialiseSecureChannelRequest, otsk.point, dppb);
        expect(equal(openAsEuicc(suite, otsk, bpp).upp, upp)).toBe(true);
      }
    }
  });
});
