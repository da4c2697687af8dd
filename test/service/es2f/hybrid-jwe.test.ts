import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../shared/codec/bytes.ts';
import { HYBRID_JWE_ALG } from '../../../shared/service/es2f/hybrid-jwe.ts';
import { checkOutputKey, encryptRows } from '../../../shared/service/es2f/output-rows.ts';
import { hybridOutputKey, openRows } from '../../../sim/index.ts';
import { refusalOf } from '../../support/refusal.ts';

const PLACE = { orderId: 'ORD-1', pack: 0, packs: 1 };
const HYBRID_ONLY = { suites: ['p256-mlkem768'] };

function hybridKey() {
  const { priv, ...jwk } = hybridOutputKey();
  return { jwk: { ...jwk }, own: { ...jwk, priv } };
}

/** The same with the octets of `pub` changed. */
function withPub(change: (pub: Buffer) => Uint8Array) {
  const { jwk } = hybridKey();
  return { ...jwk, pub: Buffer.from(change(Buffer.from(jwk.pub, 'base64url'))).toString('base64url') };
}

describe('output rows to a hybrid key', () => {
  it('open with its private part, in their place, and with no other', async () => {
    const { jwk, own } = hybridKey();
    const jwe = encryptRows(jwk, utf8('{"iccid":"1"}\n{"iccid":"2"}\n'), PLACE);
    const { header, rows } = await openRows(jwe, own);
    expect(rows).toBe('{"iccid":"1"}\n{"iccid":"2"}\n');
    expect(header).toMatchObject({ alg: HYBRID_JWE_ALG, enc: 'A256GCM', order: 'ORD-1', pack: 0, packs: 1 });
    await expect(openRows(jwe, hybridKey().own)).rejects.toThrow();
  });

  it('need both parts of it', async () => {
    const { jwk, own } = hybridKey();
    const jwe = encryptRows(jwk, utf8('{}'), PLACE);
    const secret = Buffer.from(own.priv, 'base64url');
    for (const [from, to] of [
      [0, 32],
      [32, 96],
    ] as const) {
      const other = Buffer.from(secret);
      const foreign = Buffer.from(hybridKey().own.priv, 'base64url');
      foreign.copy(other, from, from, to);
      await expect(openRows(jwe, { ...own, priv: other.toString('base64url') })).rejects.toThrow();
    }
  });

  it('have every octet under their seal', async () => {
    const { jwk, own } = hybridKey();
    const jwe = encryptRows(jwk, utf8('{"iccid":"1"}'), PLACE);
    const parts = jwe.split('.');
    for (const [i, part] of parts.entries()) {
      if (part === '') continue;
      const octets = Buffer.from(part, 'base64url');
      octets[octets.length >> 1]! ^= 1;
      const changed = parts.with(i, octets.toString('base64url')).join('.');
      await expect((async () => await openRows(changed, own))()).rejects.toThrow();
    }
  });

  it.each([
    ['one octet less', (pub: Buffer) => pub.subarray(1)],
    ['a point alone', (pub: Buffer) => pub.subarray(0, 65)],
    ['a point that is not on the curve', (pub: Buffer) => pub.fill(1, 1, 65)],
    ['coefficients that are not below q', (pub: Buffer) => pub.fill(0xff, 65, 65 + 1152)],
  ])('are not encrypted to a key of %s', async (_, change) => {
    expect((await refusalOf(checkOutputKey(withPub(change), {}))).code).toBe('orderInvalid');
  });

  it('are not encrypted to a private key that came by mistake', async () => {
    expect((await refusalOf(checkOutputKey(hybridKey().own, {}))).code).toBe('orderInvalid');
  });
});

describe('an order for quantum-safe eUICCs alone', () => {
  const classical = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

  it('has its rows encrypted as safely', async () => {
    await checkOutputKey(hybridKey().jwk, HYBRID_ONLY);
    expect((await refusalOf(checkOutputKey({ ...classical }, HYBRID_ONLY))).code).toBe('orderInvalid');
  });

  it.each([[{}], [{ suites: ['p256'] }], [{ suites: ['p256', 'p256-mlkem768'] }]])(
    'is none where other eUICCs are taken too: %j',
    async (eligibility) => {
      await checkOutputKey({ ...classical }, eligibility);
      await checkOutputKey(hybridKey().jwk, eligibility);
    },
  );

  it('draws another content key each time', () => {
    const { jwk } = hybridKey();
    const made = [0, 1].map(() => encryptRows(jwk, randomBytes(4), PLACE));
    const heads = made.map((jwe) => decodeProtectedHeader(jwe));
    expect(heads[0]!.ek).not.toBe(heads[1]!.ek);
    expect(heads[0]!.epk).not.toEqual(heads[1]!.epk);
  });
});
