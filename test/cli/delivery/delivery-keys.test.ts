import { afterAll, describe, expect, it } from 'vitest';
import { givenKeys } from '../../../cli/delivery/delivery-keys.ts';
import { UsageError } from '../../../cli/output/failure.ts';
import { toHex } from '../../../shared/codec/bytes.ts';
import { BRAINPOOL_P256R1, FRP256V1, P256, toSpki } from '../../../shared/crypto/curves.ts';
import { generateKey } from '../../../sim/index.ts';
import {
  explicitOf,
  pemOf,
  writeExplicit,
  writeNamed,
  writePoint,
  writeSpki,
} from '../../support/ec-key-forms.ts';
import { Folder } from '../support/binding-bench.ts';

const folder = new Folder();
afterAll(() => folder.remove());
const given = (octets: string | Uint8Array) => givenKeys(folder.write('key', octets), '--delivery-key');

describe('a file with the delivery key of a server', () => {
  const { point } = generateKey('p256');
  const canonical = toHex(toSpki({ curve: P256, point }));
  const compressed = writePoint(point, 'compressed');

  it.each([
    ['DER', writeSpki(writeNamed(P256), point)],
    ['DER with a compressed point', writeSpki(writeNamed(P256), compressed)],
    ['PEM', pemOf('PUBLIC KEY', writeSpki(writeNamed(P256), point))],
    ['PEM with a compressed point', pemOf('PUBLIC KEY', writeSpki(writeNamed(P256), compressed))],
    ['PEM with explicit parameters', pemOf('PUBLIC KEY', writeSpki(writeExplicit(explicitOf(P256)), point))],
  ])('%s is read by its value', async (_, octets) => {
    expect((await given(octets)).keys.map(toHex)).toEqual([canonical]);
  });

  it.each([BRAINPOOL_P256R1, FRP256V1])('a key on $name is told to be on it', async (curve) => {
    const spki = writeSpki(writeNamed(curve), generateKey(curve.name).point);
    for (const octets of [spki, pemOf('PUBLIC KEY', spki)])
      await expect(given(octets)).rejects.toMatchObject({
        code: 'securityConfiguration',
        message: expect.stringContaining(`on ${curve.name}`),
      });
  });

  it('a JWK of another curve is told to be on it', async () => {
    const jwk = { kty: 'EC', crv: 'FRP256V1', x: 'AA', y: 'AA' };
    await expect(given(JSON.stringify(jwk))).rejects.toMatchObject({
      message: expect.stringContaining('on FRP256V1'),
    });
  });

  it.each(['no key', '{}', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'])(
    '%s is no key',
    async (text) => {
      await expect(given(text)).rejects.toThrow(UsageError);
    },
  );
});
