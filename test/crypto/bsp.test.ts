import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { OctetWriter } from '../../shared/codec/octet-writer.ts';
import { readSingleTlv, TlvReader } from '../../shared/codec/tlv.ts';
import {
  type BspKeys,
  BspOpener,
  BspSealer,
  ENCRYPTED_DATA_LIMIT,
  encryptedElementLength,
  MAC_ONLY_DATA_LIMIT,
  macOnlyElementLength,
  SEGMENT_LIMIT,
  TAG_86,
  TAG_87,
} from '../../shared/crypto/bsp.ts';
import { expectRefusal } from '../support/refusal.ts';
import mode51 from '../vectors/bsp-sequence-mode51.json' with { type: 'json' };

const sessionKeys = (): BspKeys => ({
  encKey: fromHex(mode51.sessionKeys.sEnc),
  macKey: fromHex(mode51.sessionKeys.sMac),
  macChainingValue: fromHex(mode51.sessionKeys.initialMcv),
});
const ppk = (): BspKeys => ({
  encKey: fromHex(mode51.ppk.ppkEnc),
  macKey: fromHex(mode51.ppk.ppkCmac),
  macChainingValue: fromHex(mode51.ppk.initialMacChainingValue),
});

type Step = (typeof mode51.steps)[number];

function seal(sealer: BspSealer, tag: string, data: Uint8Array): Uint8Array {
  const encrypted = tag !== '88';
  const out = new OctetWriter(
    encrypted ? encryptedElementLength(data.length) : macOnlyElementLength(data.length),
  );
  if (encrypted) sealer.encrypt(tag === '86' ? TAG_86 : TAG_87, data, out);
  else sealer.macOnly(data, out);
  sealer.authenticate(out);
  return out.finish();
}

const steps = (keySet: string): Step[] => mode51.steps.filter((step) => step.keySet === keySet);

describe('BSP (SGP.22 section 2.6.4)', { tags: ['ES8-BSP'] }, () => {
  it.each([
    ['session', sessionKeys, 3],
    ['ppk', ppk, 2],
  ] as const)('seals the traced elements under %s keys to the byte', (keySet, keys, count) => {
    const sealer = new BspSealer(keys());
    const sealed = steps(keySet).map((step) => toHex(seal(sealer, step.tag, fromHex(step.plaintext))));
    expect(sealed).toEqual(steps(keySet).map((step) => step.protected));
    expect(sealed).toHaveLength(count);
    sealer.wipe();
  });

  it.each([
    ['session', sessionKeys],
    ['ppk', ppk],
  ] as const)('opens the traced elements under %s keys', (keySet, keys) => {
    const opener = new BspOpener(keys());
    for (const step of steps(keySet)) {
      const element = readSingleTlv(fromHex(step.protected));
      const data = step.tag === '88' ? opener.verifyMacOnly(element) : opener.decrypt(element);
      expect(toHex(data)).toBe(step.plaintext);
    }
  });

  it('opens whatever it seals, in any order of tags and lengths', () => {
    const element = fc.oneof(
      fc.tuple(fc.constantFrom('86', '87'), fc.uint8Array({ maxLength: ENCRYPTED_DATA_LIMIT, size: 'max' })),
      fc.tuple(fc.constant('88'), fc.uint8Array({ maxLength: MAC_ONLY_DATA_LIMIT, size: 'max' })),
    );
    fc.assert(
      fc.property(
        fc.array(element, { maxLength: 6 }),
        fc.uint8Array({ minLength: 48, maxLength: 48 }),
        (elements, k) => {
          const keys = { encKey: k.slice(0, 16), macKey: k.slice(16, 32), macChainingValue: k.slice(32) };
          const sealer = new BspSealer(keys);
          const opener = new BspOpener(keys);
          for (const [tag, data] of elements) {
            const sealed = seal(sealer, tag, data);
            expect(sealed.length).toBeLessThanOrEqual(SEGMENT_LIMIT);
            const read = readSingleTlv(sealed);
            const opened = tag === '88' ? opener.verifyMacOnly(read) : opener.decrypt(read);
            expect(toHex(opened)).toBe(toHex(data));
          }
        },
      ),
    );
  });

  it('sealers at work at once, one after the other and wiped twice do not touch each other', () => {
    const elements = [Buffer.alloc(700, 1), Buffer.alloc(1007, 2), Buffer.alloc(3, 3)];
    const alone = () => {
      const sealer = new BspSealer(ppk());
      const sealed = elements.map((data) => toHex(seal(sealer, '86', data)));
      sealer.wipe();
      return sealed;
    };
    const wanted = alone();
    expect(alone()).toEqual(wanted);
    const [first, second] = [new BspSealer(ppk()), new BspSealer(ppk(), 50_000)];
    const both = elements.map((data) => [seal(first, '86', data), seal(second, '86', data)].map(toHex));
    expect(both).toEqual(wanted.map((sealed) => [sealed, sealed]));
    first.wipe();
    // has the room of the first, which is wiped again
    const third = new BspSealer(ppk());
    const begun = new OctetWriter(encryptedElementLength(700));
    third.encrypt(TAG_86, elements[0]!, begun);
    first.wipe();
    third.authenticate(begun);
    expect(toHex(begun.finish())).toBe(wanted[0]);
    second.wipe();
    third.wipe();
  });

  it('fills a segment with 1007 encrypted or 1008 authenticated octets and refuses one more', () => {
    const sealer = new BspSealer(ppk());
    expect(seal(sealer, '86', Buffer.alloc(1007))).toHaveLength(1020);
    expect(seal(sealer, '88', Buffer.alloc(1008))).toHaveLength(1020);
    expect(() => sealer.encrypt(TAG_86, Buffer.alloc(1008), new OctetWriter(2000))).toThrow(RangeError);
    expect(() => sealer.macOnly(Buffer.alloc(1009), new OctetWriter(2000))).toThrow(RangeError);
  });

  it('refuses an element with any bit changed', () => {
    const [step] = steps('session');
    const octets = fromHex(step!.protected);
    for (let bit = 0; bit < octets.length * 8; bit++) {
      const changed = Buffer.from(octets);
      changed[bit >> 3]! ^= 0x80 >> (bit & 7);
      if (changed[1] !== octets[1]) continue;
      const element = new TlvReader(changed).next();
      expectRefusal('profileInvalid', () => new BspOpener(sessionKeys()).decrypt(element));
    }
  });

  it('refuses elements out of order and elements repeated', () => {
    const [first, second] = steps('ppk').map((step) => readSingleTlv(fromHex(step.protected)));
    expectRefusal('profileInvalid', () => new BspOpener(ppk()).decrypt(second!));
    const opener = new BspOpener(ppk());
    opener.decrypt(first!);
    expectRefusal('profileInvalid', () => opener.decrypt(first!));
  });

  it('refuses padding that is not 80 00…, behind a MAC that holds', () => {
    // the 88 carries a whole block that, taken as an 87, decrypts to something without padding
    const sealer = new BspSealer(ppk());
    const out = new OctetWriter(macOnlyElementLength(16));
    sealer.macOnly(Buffer.alloc(16), out);
    expectRefusal('profileInvalid', () => new BspOpener(ppk()).decrypt(readSingleTlv(out.finish())));
  });

  it('refuses an element above 1020 octets and one too short for a MAC', () => {
    expectRefusal('profileInvalid', () =>
      new BspOpener(ppk()).verifyMacOnly(
        readSingleTlv(Buffer.concat([fromHex('888203fc'), Buffer.alloc(1020)])),
      ),
    );
    expectRefusal('profileInvalid', () => new BspOpener(ppk()).verifyMacOnly(readSingleTlv(fromHex('8800'))));
  });
});
