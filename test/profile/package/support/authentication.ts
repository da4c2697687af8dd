import { createCipheriv } from 'node:crypto';
import { keccakP } from '@noble/hashes/sha3.js';
import type { AkaParameter } from '../../../../shared/profile/package/aka-parameter.ts';

/** What f1 to f5* give for one challenge: the card's view and the network's are the same functions. */
export interface AuthenticationOutput {
  readonly macA: Buffer;
  readonly macS: Buffer;
  readonly res: Buffer;
  readonly ck: Buffer;
  readonly ik: Buffer;
  readonly ak: Buffer;
  readonly akStar: Buffer;
}

export interface Challenge {
  readonly rand: Buffer;
  readonly sqn: Buffer;
  readonly amf: Buffer;
}

/** AUTN = SQN xor AK || AMF || MAC-A (3GPP TS 33.102 section 6.3.2). */
export function autn({ sqn, amf }: Challenge, { ak, macA }: AuthenticationOutput): Buffer {
  return Buffer.concat([xor(sqn, ak), amf, macA]);
}

/** MILENAGE (3GPP TS 35.206 section 4.1) with the constants that the package holds. */
export function milenage(aka: AkaParameter, { rand, sqn, amf }: Challenge): AuthenticationOutput {
  const encrypt = (block: Buffer) =>
    createCipheriv('aes-128-ecb', aka.key, null).setAutoPadding(false).update(block);
  const opc = Buffer.from(aka.opc);
  const constant = (i: number) => Buffer.from(aka.xoringConstants.subarray(16 * i, 16 * i + 16));
  const temp = encrypt(xor(rand, opc));
  const in1 = Buffer.concat([sqn, amf, sqn, amf]);
  const out1 = xor(
    encrypt(xor(xor(temp, rotate(xor(in1, opc), aka.rotationConstants[0]!)), constant(0))),
    opc,
  );
  const out = (i: number) =>
    xor(encrypt(xor(rotate(xor(temp, opc), aka.rotationConstants[i]!), constant(i))), opc);
  const [out2, out3, out4, out5] = [out(1), out(2), out(3), out(4)];
  return {
    macA: out1.subarray(0, 8),
    macS: out1.subarray(8),
    res: out2!.subarray(8),
    ck: out3!,
    ik: out4!,
    ak: out2!.subarray(0, 6),
    akStar: out5!.subarray(0, 6),
  };
}

export interface TuakLengths {
  readonly mac: number;
  readonly res: number;
  readonly ck: number;
  readonly ik: number;
}

/** TUAK (3GPP TS 35.231 section 6). Lengths in octets. */
export function tuak(
  aka: AkaParameter,
  { rand, sqn, amf }: Challenge,
  lengths: TuakLengths,
): AuthenticationOutput {
  const k256 = aka.key.length === 32 ? 0x01 : 0;
  const run = (instance: number, withSqn: boolean) => {
    const state = Buffer.alloc(200);
    const put = (octets: Uint8Array, at: number) => state.set(octets.toReversed(), at);
    put(aka.opc, 0);
    state[32] = instance | k256;
    put(Buffer.from('TUAK1.0'), 33);
    put(rand, 40);
    if (withSqn) {
      put(amf, 56);
      put(sqn, 58);
    }
    put(aka.key, 64);
    state[96] = 0x1f;
    state[135] = 0x80;
    const words = new Uint32Array(50);
    new Uint8Array(words.buffer).set(state);
    for (let i = 0; i < aka.numberOfKeccak; i++) keccakP(words);
    const out = Buffer.from(words.buffer);
    return (at: number, length: number) => Buffer.from(out.subarray(at, at + length)).reverse();
  };
  const macBits = (lengths.mac / 8) << 3;
  const resBits = lengths.res === 4 ? 0 : (lengths.res / 8) << 3;
  const f1 = run(macBits, true);
  const f1Star = run(0x80 | macBits, true);
  const f2345 = run(0x40 | resBits | (lengths.ck === 32 ? 0x04 : 0) | (lengths.ik === 32 ? 0x02 : 0), false);
  const f5Star = run(0xc0, false);
  return {
    macA: f1(0, lengths.mac),
    macS: f1Star(0, lengths.mac),
    res: f2345(0, lengths.res),
    ck: f2345(32, lengths.ck),
    ik: f2345(64, lengths.ik),
    ak: f2345(96, 6),
    akStar: f5Star(96, 6),
  };
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((octet, i) => octet ^ b[i]!));
}

/** Rotation towards the most significant bit, by a number of bits. */
function rotate(block: Buffer, bits: number): Buffer {
  const whole = bits >>> 3;
  const part = bits & 7;
  return Buffer.from(
    block.map((_, i) => {
      const high = block[(i + whole) % 16]!;
      const low = block[(i + whole + 1) % 16]!;
      return ((high << part) | (low >>> (8 - part))) & 0xff;
    }),
  );
}
