import { randomBytes } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { describe, expect, it } from 'vitest';
import { type Bytes, concat, equal, toHex } from '../../shared/codec/bytes.ts';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { bindProfile } from '../../shared/profile/bind.ts';
import { generatePpk } from '../../shared/profile/ppk.ts';
import { protectProfile } from '../../shared/profile/protect.ts';
import { sign } from '../../sim/curve.ts';
import { agreeWith, generateOneTimeKey, publicOctets } from '../../sim/suite.ts';
import { Fields, readOnly, tlv } from '../../sim/tlv.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { buildMetadata, buildUpp } from './bpp-builder.ts';
import { Bench, ICCID } from './installer.ts';

const HYBRID = 'p256-mlkem768';
const suite = suiteByName(HYBRID);

/** A package of the server's for key 0 of the bench. */
async function bound(bench: Bench, transactionId: Bytes, name = HYBRID): Promise<Bytes> {
  const upp = buildUpp({ iccid: ICCID });
  const ppk = generatePpk(randomBytes);
  const otPk = bench.key().otPk;
  return await bindProfile({
    eid: bench.euicc.eid,
    euiccOtpk: suiteByName(name).oneTimeKey(name === HYBRID ? otPk : otPk.subarray(0, 65)),
    metadataDer: buildMetadata({ iccid: ICCID }),
    transactionId,
    hostId: randomBytes(8),
    payload: { mode: 'ppk', segments: protectProfile(upp, ppk), ppk },
    sign: async ({ message }) => sign(bench.dpPbKey, message),
  });
}

/** The package with another BF23: what `change` makes of its ciphertext, signed again or not. */
function withCiphertext(bench: Bench, bpp: Bytes, ciphertext: Bytes, signedAgain: boolean): Bytes {
  const parts = new Fields(readOnly(bpp, 0xbf36).value);
  const channel = new Fields(parts.take(0xbf23).value);
  const head = [0x82, 0x80, 0xa6, 0x5f49].map((tag) => channel.take(tag).raw);
  channel.take(0xdf49);
  const smdpSign = channel.take(0x5f37).value;
  const unsigned = concat(...head, tlv(0xdf49, ciphertext));
  const signature = signedAgain
    ? sign(bench.dpPbKey, concat(unsigned, tlv(0x5f49, bench.key().otPk)))
    : smdpSign;
  const rest: Bytes[] = [0xa0, 0xa1, 0xa2, 0xa3].map((tag) => parts.take(tag).raw);
  return tlv(0xbf36, tlv(0xbf23, unsigned, tlv(0x5f37, signature)), ...rest);
}

function ciphertextOf(bpp: Bytes): Bytes {
  const channel = new Fields(new Fields(readOnly(bpp, 0xbf36).value).take(0xbf23).value);
  for (const tag of [0x82, 0x80, 0xa6, 0x5f49]) channel.take(tag);
  return channel.take(0xdf49).value;
}

const INVALID_SIGNATURE = { command: 0, reason: 2 };
const UNSUPPORTED_CRT_VALUES = { command: 0, reason: 4 };
const INCORRECT_INPUT_VALUES = { command: 0, reason: 1 };
const BSP_SECURITY_ERROR = { command: 1, reason: 8 };

describe('a package for a hybrid one-time key', () => {
  const transactionId = randomBytes(16);
  const load = (bench: Bench, bpp: Bytes) => bench.outcome(bench.send(transactionId, bpp));

  it('installs on the soft eUICC, whose ML-KEM is another', async () => {
    const bench = new Bench({ suite: HYBRID });
    expect(load(bench, await bound(bench, transactionId))).toBe('installed');
  });

  it('has a fresh ciphertext each time, of 1088 octets', async () => {
    const bench = new Bench({ suite: HYBRID });
    const [one, other] = [await bound(bench, transactionId), await bound(bench, transactionId)].map(
      ciphertextOf,
    );
    expect(one).toHaveLength(1088);
    expect(equal(one!, other!)).toBe(false);
  });

  it('with the ciphertext of another package fails at its signature (2)', async () => {
    const bench = new Bench({ suite: HYBRID });
    const [one, other] = [await bound(bench, transactionId), await bound(bench, transactionId)];
    expect(load(bench, withCiphertext(bench, one, ciphertextOf(other), false))).toEqual(INVALID_SIGNATURE);
  });

  it('with the ciphertext of another package, signed again, ends in other keys (8)', async () => {
    const bench = new Bench({ suite: HYBRID });
    const [one, other] = [await bound(bench, transactionId), await bound(bench, transactionId)];
    expect(load(bench, withCiphertext(bench, one, ciphertextOf(other), true))).toEqual(BSP_SECURITY_ERROR);
  });

  it('with one octet of the ciphertext changed, signed again, ends in implicit rejection (8)', async () => {
    const bench = new Bench({ suite: HYBRID });
    const bpp = await bound(bench, transactionId);
    const ciphertext = Uint8Array.from(ciphertextOf(bpp));
    ciphertext[500]! ^= 1;
    expect(load(bench, withCiphertext(bench, bpp, ciphertext, true))).toEqual(BSP_SECURITY_ERROR);
  });

  it.each([1087, 1089, 0])(
    'is refused with a ciphertext of %i octets, however it is signed',
    async (length) => {
      const bench = new Bench({ suite: HYBRID });
      const bpp = await bound(bench, transactionId);
      expect(load(bench, withCiphertext(bench, bpp, randomBytes(length), true))).toEqual(
        INCORRECT_INPUT_VALUES,
      );
    },
  );

  it('is refused where the channel is a classical one for its point alone: no downgrade', async () => {
    const bench = new Bench({ suite: HYBRID });
    expect(load(bench, await bound(bench, transactionId, 'p256'))).toEqual(UNSUPPORTED_CRT_VALUES);
  });

  it('is refused by an eUICC whose key is classical, which does not misread it', async () => {
    const hybrid = new Bench({ suite: HYBRID });
    const bpp = await bound(hybrid, transactionId);
    const classical = new Bench();
    expect(classical.outcome(classical.send(transactionId, bpp))).toEqual(UNSUPPORTED_CRT_VALUES);
  });

  it('survives on the card: its seed is in the state', async () => {
    const bench = new Bench({ suite: HYBRID });
    const bpp = await bound(bench, transactionId);
    bench.euicc.reset();
    expect(load(bench, bpp)).toBe('installed');
  });
});

describe('the hybrid agreement', () => {
  const RUNS = effort({ short: 100, long: 10_000 });

  it('gives server and eUICC the same secret and the same SharedInfo, each time', () => {
    for (let run = 0; run < RUNS; run++) {
      const pair = generateOneTimeKey(HYBRID);
      const made = suite.oneTimeKey(publicOctets(pair)).encapsulate();
      const { z, sharedInfo } = agreeWith(pair, made.smdpOtpk, made.ciphertext);
      expect(toHex(made.sharedSecret)).toBe(toHex(z));
      expect(toHex(made.sharedInfo)).toBe(toHex(sharedInfo));
      expect(z).toHaveLength(64);
      count('agreements', 1);
    }
  });

  it('has both parts in Z: neither key alone gives it', () => {
    const pair = generateOneTimeKey(HYBRID);
    const made = suite.oneTimeKey(publicOctets(pair)).encapsulate();
    const otherPoint = { ...pair, key: generateOneTimeKey(HYBRID).key };
    const otherSeed = { ...pair, kemSeed: randomBytes(64) };
    for (const other of [otherPoint, otherSeed]) {
      const { z } = agreeWith(other, made.smdpOtpk, made.ciphertext);
      expect(toHex(z)).not.toBe(toHex(made.sharedSecret));
      expect(equal(z.subarray(0, 32), made.sharedSecret.subarray(0, 32))).toBe(other === otherSeed);
      expect(equal(z.subarray(32), made.sharedSecret.subarray(32))).toBe(other === otherPoint);
    }
  });

  it('takes nobody’s randomness', () => {
    const key = suite.oneTimeKey(publicOctets(generateOneTimeKey(HYBRID)));
    expect(() => key.encapsulate(randomBytes(32))).toThrow(RangeError);
  });

  it('knows a key by its point: the same point beside another encapsulation key is the same key', () => {
    const pair = generateOneTimeKey(HYBRID);
    const { publicKey } = ml_kem768.keygen();
    const [one, other] = [publicOctets(pair), concat(pair.key.point, publicKey)];
    expect(suite.oneTimeKey(one).identity()).toBe(suite.oneTimeKey(other).identity());
    expect(suite.oneTimeKey(one).identity()).toBe(suiteByName('p256').oneTimeKey(pair.key.point).identity());
  });
});
