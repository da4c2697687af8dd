import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concat, equal, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { TlvReader } from '../../shared/codec/tlv.ts';
import { BspOpener, SEGMENT_LIMIT, TAG_86 } from '../../shared/crypto/bsp.ts';
import {
  generatePpk,
  PPK_LENGTH,
  ppkBspKeys,
  ppkFromOctets,
  ppkOctets,
  wipePpk,
} from '../../shared/profile/ppk.ts';
import { protectProfile, uppSegmentsLength } from '../../shared/profile/protect.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { expectRefusal } from '../support/refusal.ts';
import mode51 from '../vectors/bsp-sequence-mode51.json' with { type: 'json' };
import { profileLengths } from './lengths.ts';

describe('protecting a profile (SGP.22 section 2.5.3)', { tags: ['ES8-PPK'] }, () => {
  it('gives the traced segments to the byte', () => {
    const steps = mode51.steps.filter(({ keySet }) => keySet === 'ppk');
    const ppk = {
      initialMacChainingValue: fromHex(mode51.ppk.initialMacChainingValue),
      ppkEnc: fromHex(mode51.ppk.ppkEnc),
      ppkCmac: fromHex(mode51.ppk.ppkCmac),
    };
    const upp = fromHex(steps.map(({ plaintext }) => plaintext).join(''));
    expect(toHex(protectProfile(upp, ppk))).toBe(steps.map((step) => step.protected).join(''));
  });

  it('keeps every segment within 1020 octets for profile lengths from 1 to 5000', () => {
    const ppk = generatePpk(randomBytes);
    const profile = randomBytes(5000);
    const lengths = profileLengths(effort({ short: 13, long: 1 }));
    count('items', lengths.length);
    for (const length of lengths) {
      const upp = profile.subarray(0, length);
      const segments = protectProfile(upp, ppk);
      expect(segments).toHaveLength(uppSegmentsLength(length));
      const reader = new TlvReader(segments);
      const opener = new BspOpener(ppkBspKeys(ppk));
      const parts: Uint8Array[] = [];
      while (!reader.done) {
        const segment = reader.expect(TAG_86, 'segment');
        if (segment.raw.length > SEGMENT_LIMIT)
          expect.fail(`${segment.raw.length} octets at length ${length}`);
        parts.push(opener.decrypt(segment));
      }
      expect(parts).toHaveLength(Math.ceil(length / 1007));
      if (!equal(concat(...parts), upp)) expect.fail(`another profile at length ${length}`);
    }
  });

  it('refuses an empty profile', () => {
    expectRefusal('profileInvalid', () => protectProfile(Buffer.alloc(0), generatePpk(randomBytes)));
  });

  it('leaves profile and keys as they were', () => {
    const upp = randomBytes(3000);
    const ppk = generatePpk(randomBytes);
    const before = [toHex(upp), toHex(ppkOctets(ppk))];
    protectProfile(upp, ppk);
    expect([toHex(upp), toHex(ppkOctets(ppk))]).toEqual(before);
  });
});

describe('PPK', { tags: ['INO6', 'ES8-PPK'] }, () => {
  it('is 48 octets: chaining value, encryption key, MAC key', () => {
    const octets = randomBytes(PPK_LENGTH);
    const ppk = ppkFromOctets(octets);
    expect(toHex(ppkOctets(ppk))).toBe(toHex(octets));
    expect(toHex(ppk.ppkEnc)).toBe(toHex(octets.subarray(16, 32)));
    expect(() => ppkFromOctets(octets.subarray(1))).toThrow(RangeError);
  });

  it('is gone from the octets that held it once wiped', () => {
    const octets = randomBytes(PPK_LENGTH);
    wipePpk(ppkFromOctets(octets));
    expect(octets.every((octet) => octet === 0)).toBe(true);
  });
});
