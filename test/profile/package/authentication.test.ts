import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/codec/bytes.ts';
import type { AkaParameter } from '../../../shared/profile/package/aka-parameter.ts';
import { decodeAkaParameter } from '../../../shared/profile/package/aka-parameter.ts';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { decodePackage } from '../../../shared/profile/package/profile-element.ts';
import { count } from '../../support/counts.ts';
import milenageVectors from '../../vectors/milenage.json' with { type: 'json' };
import tuakVectors from '../../vectors/tuak.json' with { type: 'json' };
import { type AuthenticationOutput, autn, milenage, tuak } from './support/authentication.ts';
import { ownTemplate } from './support/packages.ts';

/** The parameters as a card would find them: from the encoded package. */
function installed(values: ProfileValues): readonly AkaParameter[] {
  const row = { iccid: '8988211000000530082', imsi: '001010123456789', ...values };
  const template = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: Object.keys(row) });
  const { elements } = decodePackage(personalise(template, row));
  return elements.flatMap(({ name, fields }) =>
    name === 'akaParameter' ? (decodeAkaParameter(fields) ?? []) : [],
  );
}

const challengeOf = (set: { rand: string; sqn: string; amf: string }) => ({
  rand: Buffer.from(fromHex(set.rand)),
  sqn: Buffer.from(fromHex(set.sqn)),
  amf: Buffer.from(fromHex(set.amf)),
});
const hexOf = (output: AuthenticationOutput) =>
  Object.fromEntries(Object.entries(output).map(([name, octets]) => [name, toHex(octets)]));

describe('a personalised package authenticates with its own keys', () => {
  it.each(milenageVectors.sets)('MILENAGE, K $k from OP', (set) => {
    count('vectors', 1);
    const all = installed({ algorithm: 'milenage', k: set.k, op: set.op });
    expect(all).toHaveLength(2);
    for (const aka of all) {
      const output = milenage(aka, challengeOf(set));
      expect(hexOf(output)).toEqual({
        macA: set.macA,
        macS: set.macS,
        res: set.res,
        ck: set.ck,
        ik: set.ik,
        ak: set.ak,
        akStar: set.akStar,
      });
      expect(toHex(autn(challengeOf(set), output)).endsWith(`${set.amf}${set.macA}`)).toBe(true);
    }
  });

  it.each(tuakVectors.sets)('TUAK, K $k, $iterations iterations, from TOP', (set) => {
    count('vectors', 1);
    const [aka] = installed({
      algorithm: 'tuak',
      k: set.k,
      op: set.top,
      numberOfKeccak: String(set.iterations),
    });
    expect(toHex(aka!.opc)).toBe(set.topc);
    const octets = (hex: string) => hex.length / 2;
    const lengths = {
      mac: octets(set.macA),
      res: octets(set.res),
      ck: octets(set.ck),
      ik: octets(set.ik),
    };
    expect(hexOf(tuak(aka!, challengeOf(set), lengths))).toEqual({
      macA: set.macA,
      macS: set.macS,
      res: set.res,
      ck: set.ck,
      ik: set.ik,
      ak: set.ak,
      akStar: set.akStar,
    });
  });
});
