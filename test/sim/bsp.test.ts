import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { aesCmac, BspError, BspReceiver, deriveSessionKeys, x963Kdf } from '../../sim/bsp.ts';
import { encodeEid } from '../../sim/coding.ts';
import { agree, keyOf } from '../../sim/curve.ts';
import { readTlv } from '../../sim/tlv.ts';
import { count } from '../support/counts.ts';
import cmac from '../vectors/aes-cmac-rfc4493.json' with { type: 'json' };
import kdf from '../vectors/bsp-kdf.json' with { type: 'json' };
import sequence from '../vectors/bsp-sequence-mode51.json' with { type: 'json' };
import ecka from '../vectors/ecka.json' with { type: 'json' };
import cavp from '../vectors/x963-kdf-cavp.json' with { type: 'json' };
import { BspSender } from './bpp-builder.ts';

function keys({ mcv, enc, mac }: { mcv: string; enc: string; mac: string }) {
  return { initialMcv: fromHex(mcv), encKey: fromHex(enc), macKey: fromHex(mac) };
}

const session = keys({
  mcv: sequence.sessionKeys.initialMcv,
  enc: sequence.sessionKeys.sEnc,
  mac: sequence.sessionKeys.sMac,
});
const ppk = keys({
  mcv: sequence.ppk.initialMacChainingValue,
  enc: sequence.ppk.ppkEnc,
  mac: sequence.ppk.ppkCmac,
});

describe('the soft eUICC’s key agreement and derivation', () => {
  it('AES-CMAC gives the values of RFC 4493', () => {
    expect(cmac.vectors).toHaveLength(4);
    for (const { message, mac } of cmac.vectors) {
      count('vectors', 1);
      expect(toHex(aesCmac(fromHex(cmac.key), fromHex(message)))).toBe(mac);
    }
  });

  it('X9.63 KDF gives the value of NIST CAVP', () => {
    expect(cavp.vectors).toHaveLength(1);
    for (const { z, sharedInfo, keyData } of cavp.vectors) {
      count('vectors', 1);
      expect(toHex(x963Kdf(fromHex(z), fromHex(sharedInfo), keyData.length / 2))).toBe(keyData);
    }
  });

  it('session keys are those of the traces', () => {
    expect(kdf.vectors).toHaveLength(2);
    for (const vector of kdf.vectors) {
      count('vectors', 1);
      const derived = deriveSessionKeys(
        fromHex(vector.sharedSecret),
        fromHex(vector.hostId),
        encodeEid(vector.eid),
      );
      expect(toHex(derived.initialMcv)).toBe(vector.initialMcv);
      expect(toHex(derived.encKey)).toBe(vector.sEnc);
      expect(toHex(derived.macKey)).toBe(vector.sMac);
    }
  });

  it('the shared secret is the x coordinate of the trace', () => {
    expect(ecka.vectors).toHaveLength(1);
    for (const { smdpOtsk, smdpOtpk, euiccOtpk, sharedSecret } of ecka.vectors) {
      count('vectors', 1);
      const key = keyOf('p256', fromHex(smdpOtsk));
      expect(toHex(key.point)).toBe(smdpOtpk);
      expect(toHex(agree(key, fromHex(euiccOtpk)))).toBe(sharedSecret);
    }
  });
});

describe('the soft eUICC’s BSP', () => {
  it('opens the segments of a third-party SM-DP+ and writes the same octets', () => {
    expect(sequence.steps).toHaveLength(5);
    let receiver = new BspReceiver(session);
    let sender = new BspSender(session);
    for (const { step, tag, plaintext, protected: protectedHex } of sequence.steps) {
      if (step === 4) {
        receiver = new BspReceiver(ppk);
        sender = new BspSender(ppk);
      }
      const segment = readTlv(fromHex(protectedHex));
      expect(toHex(receiver.open(segment.tag, segment.value))).toBe(plaintext);
      expect(toHex(sender.seal(Number.parseInt(tag, 16), fromHex(plaintext)))).toBe(protectedHex);
    }
  });

  it('tells a wrong MAC or padding (security) from octets that are no segment (structure)', () => {
    const [first] = sequence.steps;
    const segment = readTlv(fromHex(first?.protected ?? ''));
    const kindOf = (data: Uint8Array, tag = segment.tag): string => {
      try {
        new BspReceiver(session).open(tag, data);
        return 'opened';
      } catch (error) {
        return error instanceof BspError ? error.kind : 'crashed';
      }
    };
    for (let offset = 0; offset < segment.value.length; offset++) {
      const wrong = Buffer.from(segment.value);
      wrong[offset] = (wrong[offset] ?? 0) ^ 1;
      expect(kindOf(wrong)).toBe('security');
    }
    expect(kindOf(segment.value, 0x86)).toBe('security');
    expect(kindOf(segment.value.subarray(0, 7))).toBe('structure');
    const notBlocks = new BspSender(session).seal(0x88, fromHex('00'.repeat(15)));
    expect(kindOf(readTlv(notBlocks).value, 0x88)).toBe('opened');
  });
});
