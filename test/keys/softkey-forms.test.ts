import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { CURVES, toSpki } from '../../shared/crypto/curves.ts';
import { PemKeyProvider } from '../../shared/keys/pem.ts';
import { SoftkeyProvider } from '../../shared/keys/softkey.ts';
import {
  explicitOf,
  newKeyOn,
  pemOf,
  writeExplicit,
  writePoint,
  writeSec1,
} from '../support/ec-key-forms.ts';

const folder = mkdtempSync(join(tmpdir(), 'softkey-forms-'));
afterAll(() => rmSync(folder, { recursive: true }));
const env = { PASSPHRASE: 'a long enough passphrase' };

describe.each(CURVES)('a key of another tool on $name', (curve) => {
  test('has one public key, from its PEM and as a softkey', async () => {
    const { scalar, point } = newKeyOn(curve);
    const parameters = writeExplicit(explicitOf(curve));
    const text = pemOf(
      'EC PRIVATE KEY',
      writeSec1({ parameters, scalar, point: writePoint(point, 'compressed') }),
    );
    const file = join(folder, `${curve.name}.pem`);
    writeFileSync(file, text);
    const canonical = toHex(toSpki({ curve, point }));

    const pem = new PemKeyProvider({ nodeEnv: 'test' });
    expect(toHex(await pem.publicKey(`pem:path=${file}`))).toBe(canonical);

    const uri = `softkey:path=${join(folder, curve.name)}.key?passphrase-source=env:PASSPHRASE`;
    await new SoftkeyProvider({ nodeEnv: 'test', env }).importPrivateKey(uri, text, 'binding');
    const opened = new SoftkeyProvider({ nodeEnv: 'test', env });
    expect(toHex(await opened.publicKey(uri))).toBe(canonical);
  });
});
