import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { parseCertificate } from '../../sim/certificate.ts';
import { decodeEid, isValidEid } from '../../sim/coding.ts';
import { generateKey, verify } from '../../sim/curve.ts';
import { bitString, DEFAULT_FEATURES, encodeEuiccInfo2 } from '../../sim/euicc-info2.ts';
import { SimEum } from '../../sim/eum.ts';
import { SimCi } from '../../sim/pki.ts';
import { readAll, readOnly, tlv } from '../../sim/tlv.ts';
import vectors from '../vectors/der-encodings.json' with { type: 'json' };

describe('SimEum', () => {
  it('gives each eUICC an EID under its IIN with right check digits, and its own keys', () => {
    const eum = SimEum.create({ ci: SimCi.create() });
    const made = [...eum.production(20, 2)];
    expect(new Set(made.map(({ eid }) => eid)).size).toBe(20);
    for (const { eid } of made) expect(isValidEid(eid) && eid.startsWith(eum.ca.iin)).toBe(true);
    const points = made.flatMap(({ oneTimeKeys }) => oneTimeKeys.map(({ key }) => toHex(key.point)));
    expect(new Set(points).size).toBe(40);
  });

  it('writes a batch whose proofs verify over OneTimeKeyTbs with the hash of the whole BF22', () => {
    const eum = SimEum.create({ ci: SimCi.create() });
    const dataKey = generateKey('p256');
    const euiccs = [
      eum.personalise({ keys: 2 }),
      eum.personalise({ features: { freeNonVolatileMemory: 1024 } }),
    ];
    const batch = eum.euiccDataBatch(euiccs, { deviceManufacturers: ['2.999.50'], dataKey });
    const fields = readAll(readOnly(batch, 0xff60).value);
    expect(fields.map(({ tag }) => tag)).toEqual([0x80, 0x81, 0x82, 0x83, 0xa4, 0x85, 0xa6, 0xa7, 0x88]);
    const signed = Buffer.concat(fields.slice(0, 8).map(({ raw }) => raw));
    expect(verify(dataKey, signed, fields[8]!.value)).toBe(true);
    const entries = readAll(fields[6]!.value).map(({ value }) => readAll(value));
    expect(entries.map((entry) => entry.map(({ tag }) => tag))).toEqual([
      [0x80, 0x81, 0xa2],
      [0x80, 0x81, 0xa2, 0x83],
    ]);
    for (const [eid, certificate, keys, info2] of entries) {
      const euiccKey = parseCertificate(certificate!.value).publicKey;
      const hash = createHash('sha256')
        .update((info2 ?? fields[5])!.value)
        .digest();
      expect(isValidEid(decodeEid(eid!.value))).toBe(true);
      for (const { value } of readAll(keys!.value)) {
        const [keyId, otPk, proof] = readAll(value);
        const tbs = tlv(0xff64, eid!.raw, tlv(0x81, keyId!.value), tlv(0x82, otPk!.value), tlv(0x83, hash));
        expect(verify(euiccKey, tbs, proof!.value)).toBe(true);
      }
    }
  });
});

describe('EuiccInfo2', () => {
  it('carries the mandatory fields in the order of the published module', () => {
    const example = vectors.items.find(({ id }) => id === 'euiccInfo2-min');
    const tagsOf = (octets: Uint8Array) => readAll(readOnly(octets, 0xbf22).value).map(({ tag }) => tag);
    const keyId = new Uint8Array(20);
    const published = tagsOf(Buffer.from(example!.der, 'hex'));
    const ours = tagsOf(encodeEuiccInfo2(DEFAULT_FEATURES, [keyId], [keyId]));
    expect(ours.filter((tag) => published.includes(tag))).toEqual(published);
    expect(ours.filter((tag) => !published.includes(tag))).toEqual([0x99]);
  });

  it('writes named bits without trailing zeros', () => {
    expect(toHex(bitString([]))).toBe('00');
    expect(toHex(bitString([0]))).toBe('0780');
    expect(toHex(bitString([1, 8]))).toBe('074080');
  });
});
