import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Bytes, concat, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { encodeEid } from '../../shared/codec/eid.ts';
import { deriveSessionKeys } from '../../shared/crypto/session-keys.ts';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { bindProfile } from '../../shared/profile/bind.ts';
import { openBoundProfilePackage } from '../../shared/profile/open-bpp.ts';
import { ppkFromOctets } from '../../shared/profile/ppk.ts';
import { protectProfile } from '../../shared/profile/protect.ts';
import { decodeBoundProfilePackage } from '../../shared/rsp/bound-profile-package.ts';
import { verifySmdpSign } from '../../shared/rsp/initialise-secure-channel.ts';
import { BspReceiver, deriveSessionKeys as deriveInSim } from '../../sim/bsp.ts';
import { keyOf as keyOfScalar } from '../../sim/curve.ts';
import { agreeWith, type OneTimeKeyPair, SUITES as SIM_SUITES, type SuiteName } from '../../sim/suite.ts';
import { count } from '../support/counts.ts';
import vectors from '../vectors/bound-profile-packages.json' with { type: 'json' };

/** The profile of a vector, as the notes of the file make it. */
function profileOf(length: number): Bytes {
  const blocks: Bytes[] = [];
  for (let i = 0; i * 32 < length; i++) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(i);
    blocks.push(createHash('sha256').update('upp').update(counter).digest());
  }
  return concat(...blocks).subarray(0, length);
}

type Vector = (typeof vectors.vectors)[number];

/** The eUICC's pair. */
const pairOf = ({ curve, euiccOtsk, euiccKemSeed }: Vector): OneTimeKeyPair => ({
  suite: curve as SuiteName,
  key: keyOfScalar(SIM_SUITES[curve as SuiteName].curve, fromHex(euiccOtsk)),
  ...(euiccKemSeed !== undefined && { kemSeed: fromHex(euiccKemSeed) }),
});

/** The one-time key of a vector: ML-KEM takes nobody's randomness, so that its part of the agreement is handed in. */
function keyOf({ curve, euiccOtpk, euiccKemSeed, sharedSecret, sharedInfo, boundProfilePackage }: Vector) {
  const key = suiteByName(curve).oneTimeKey(fromHex(euiccOtpk));
  if (euiccKemSeed === undefined) return key;
  const { smdpOtpk, ciphertext } = decodeBoundProfilePackage(
    fromHex(boundProfilePackage),
  ).initialiseSecureChannelRequest;
  const encapsulation = {
    smdpOtpk,
    ciphertext: ciphertext!,
    sharedSecret: fromHex(sharedSecret),
    sharedInfo: fromHex(sharedInfo!),
  };
  return { ...key, encapsulate: () => encapsulation };
}

describe('Bound Profile Packages of another implementation (SGP.22 section 2.5)', {
  tags: ['ES8-PACKAGE', 'ES8-SIGNATURE'],
}, () => {
  it('are eight: four suites in two modes', () => {
    expect(new Set(vectors.vectors.map(({ curve, mode }) => `${curve} ${mode}`)).size).toBe(8);
  });

  it.each(vectors.vectors)('$id opens, and is signed as SGP.22 says', (vector) => {
    count('vectors', 1);
    const suite = suiteByName(vector.curve);
    const euiccOtpk = fromHex(vector.euiccOtpk);
    const bpp = decodeBoundProfilePackage(fromHex(vector.boundProfilePackage));
    const request = bpp.initialiseSecureChannelRequest;
    verifySmdpSign(request, euiccOtpk, suite.curve.publicKey(fromHex(vector.dpPbPoint)));
    const agreed = agreeWith(pairOf(vector), request.smdpOtpk, request.ciphertext);
    expect(toHex(agreed.z)).toBe(vector.sharedSecret);
    const opened = openBoundProfilePackage(
      bpp,
      deriveSessionKeys(
        suite,
        { sharedSecret: agreed.z, sharedInfo: agreed.sharedInfo },
        fromHex(vector.hostId),
        encodeEid(vector.eid),
      ),
    );
    expect(opened.mode).toBe(vector.mode);
    expect(toHex(opened.storeMetadata)).toBe(vector.metadata);
    expect(toHex(opened.upp)).toBe(toHex(profileOf(vector.uppLength)));
  });

  it.each(vectors.vectors)('$id is what we make of the same keys, but for smdpSign', async (vector) => {
    count('vectors', 1);
    const upp = profileOf(vector.uppLength);
    const ppk = vector.ppk === undefined ? undefined : ppkFromOctets(fromHex(vector.ppk));
    const theirs = fromHex(vector.boundProfilePackage);
    const { smdpSign } = decodeBoundProfilePackage(theirs).initialiseSecureChannelRequest;
    const ours = await bindProfile({
      eid: vector.eid,
      euiccOtpk: keyOf(vector),
      metadataDer: fromHex(vector.metadata),
      transactionId: fromHex(vector.transactionId),
      hostId: fromHex(vector.hostId),
      payload:
        ppk === undefined
          ? { mode: 'session', upp }
          : { mode: 'ppk', segments: protectProfile(upp, ppk), ppk },
      ...(vector.euiccKemSeed === undefined && { randomness: fromHex(vector.smdpOtsk) }),
      sign: async () => smdpSign,
    });
    expect(toHex(ours)).toBe(toHex(theirs));
  });

  it.each(vectors.vectors)('$id opens in the soft eUICC’s own channel too', (vector) => {
    count('vectors', 1);
    const bpp = decodeBoundProfilePackage(fromHex(vector.boundProfilePackage));
    const session = new BspReceiver(
      deriveInSim(fromHex(vector.sharedSecret), fromHex(vector.hostId), encodeEid(vector.eid), {
        keyType: SIM_SUITES[vector.curve as SuiteName].keyType,
        added: fromHex(vector.sharedInfo ?? ''),
      }),
    );
    const open = (channel: BspReceiver, elements: typeof bpp.sequenceOf86) =>
      concat(...elements.map(({ tag, value }) => channel.open(tag, value)));
    expect(toHex(open(session, bpp.firstSequenceOf87))).toBe('bf2400');
    expect(toHex(open(session, bpp.sequenceOf88))).toBe(vector.metadata);
    if (vector.ppk === undefined) {
      expect(toHex(open(session, bpp.sequenceOf86))).toBe(toHex(profileOf(vector.uppLength)));
      return;
    }
    open(session, bpp.secondSequenceOf87!);
    const [initialMcv, encKey, macKey] = [0, 32, 64].map((at) => fromHex(vector.ppk!.slice(at, at + 32)));
    const replaced = new BspReceiver({ initialMcv: initialMcv!, encKey: encKey!, macKey: macKey! });
    expect(toHex(open(replaced, bpp.sequenceOf86))).toBe(toHex(profileOf(vector.uppLength)));
  });
});
