import { describe, expect, test } from 'vitest';
import { fromHex } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import { formatKeyUri, keyInToken, parseKeyUri } from '../../shared/keys/uri.ts';

function refusal(text: string): Fault {
  try {
    parseKeyUri(text);
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).code).toBe('configuration');
    return error as Fault;
  }
  throw new Error(`accepted: ${text}`);
}

describe('accepted key URIs and their canonical form', () => {
  const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

  test.each([
    ['awskms:key-id=1234abcd-12ab-34cd-56ef-1234567890ab', undefined],
    ['awskms:key-id=mrk-1234abcd12ab34cd56ef1234567890ab;region=eu-central-1', undefined],
    [`awskms:key-id=${KEY_ARN};region=eu-central-1`, undefined],
    ['awskms:key-id=alias/smdpf/dppb', undefined],
    ['AWSKMS:alias=smdpf/dppb', 'awskms:key-id=alias/smdpf/dppb'],
    [
      'awskms:endpoint=http://127.0.0.1:4566;region=us-east-1;key-id=alias/a',
      'awskms:key-id=alias/a;region=us-east-1;endpoint=http://127.0.0.1:4566',
    ],
    ['softkey:path=keys/dppb-p256.key', undefined],
    ['softkey:keys/dppb-p256.key', 'softkey:path=keys/dppb-p256.key'],
    [
      'softkey:/k/a%20b.key?passphrase-source=file:/run/secrets/pass',
      'softkey:path=/k/a%20b.key?passphrase-source=file:/run/secrets/pass',
    ],
    [
      'softkey:path=a.key?passphrase-source=file:///etc/pass',
      'softkey:path=a.key?passphrase-source=file:/etc/pass',
    ],
    ['softkey:path=a.key?passphrase-source=env:SMDPF_PASS', undefined],
    ['pem:SK.pem', 'pem:path=SK.pem'],
    // RFC 7512 section 3, less its pin-value examples
    [
      'pkcs11:object=my-certificate;type=private;id=%69%95%3E%5C%F4%BD%EC%91;token=x?pin-source=file:/etc/token_pin',
      'pkcs11:token=x;object=my-certificate;type=private;id=%69%95%3E%5C%F4%BD%EC%91?pin-source=file:/etc/token_pin',
    ],
    [
      'pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.;object=k',
      'pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.;object=k',
    ],
    [
      'pkcs11:slot-id=7;id=ab?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=env:PIN',
      'pkcs11:slot-id=7;id=%61%62?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=env:PIN',
    ],
  ])('%s', (text, canonical) => {
    expect(formatKeyUri(parseKeyUri(text))).toBe(canonical ?? text);
    // printing is idempotent and loses nothing
    expect(parseKeyUri(canonical ?? text)).toEqual(parseKeyUri(text));
  });

  test('members are absent where the URI does not give them', () => {
    expect(parseKeyUri('pkcs11:token=t;id=%00%ff')).toEqual({
      scheme: 'pkcs11',
      token: 't',
      id: fromHex('00ff'),
    });
    expect(Object.keys(parseKeyUri('softkey:a'))).toEqual(['scheme', 'path']);
  });

  test('a value may hold encoded separators', () => {
    const uri = { scheme: 'softkey', path: 'a;b?c=d%&e é.key' } as const;
    expect(parseKeyUri(formatKeyUri(uri))).toEqual(uri);
  });
});

describe('refused key URIs', () => {
  test.each([
    ['no scheme', 'path=a'],
    ['unknown scheme', 'file:a'],
    ['an attribute in other case', 'awskms:Key-Id=alias/a'],
    ['awskms without a key', 'awskms:region=eu-west-1'],
    ['awskms with key-id and alias', 'awskms:key-id=alias/a;alias=a'],
    ['alias with its prefix', 'awskms:alias=alias/a'],
    [
      'region against the ARN',
      'awskms:key-id=arn:aws:kms:eu-west-1:111122223333:key/1234abcd;region=eu-west-2',
    ],
    ['endpoint with credentials', 'awskms:alias=a;endpoint=http://u:p@h'],
    ['endpoint of another scheme', 'awskms:alias=a;endpoint=ftp://h'],
    ['endpoint over a network without TLS', 'awskms:alias=a;endpoint=http://kms.example.com'],
    ['endpoint that only looks like this machine', 'awskms:alias=a;endpoint=http://127.0.0.1.example.com'],
    ['a duplicate attribute', 'pkcs11:token=a;object=b;token=a'],
    ['a duplicate query attribute', 'pkcs11:token=a;object=b?pin-source=env:A&pin-source=env:B'],
    ['an unknown attribute', 'softkey:path=a;mode=1'],
    ['a query attribute in the path', 'pkcs11:token=a;object=b;module-path=/l.so'],
    ['pkcs11 without a token', 'pkcs11:object=b'],
    ['pkcs11 without an object', 'pkcs11:token=a'],
    ['a public key', 'pkcs11:token=a;object=b;type=public'],
    ['a slot-id with a leading zero', 'pkcs11:slot-id=07;object=b'],
    ['a relative module-path', 'pkcs11:token=a;object=b?module-path=l.so'],
    ['a program as pin-source', 'pkcs11:token=a;object=b?pin-source=|/bin/pin'],
    ['a remote file as pin-source', 'pkcs11:token=a;object=b?pin-source=file://host/pin'],
    ['a value that is empty', 'softkey:path='],
    ['an empty path', 'softkey:'],
    ['an empty query', 'softkey:a?'],
    ['a trailing separator', 'pkcs11:token=a;object=b;'],
    ['an unencoded space', 'softkey:a b'],
    ['a broken percent-encoding', 'softkey:a%2'],
    ['octets that are not UTF-8', 'softkey:a%ff'],
    ['a control character', 'softkey:a%00'],
  ])('%s', (_, text) => {
    refusal(text);
  });

  test.each([
    'pkcs11:token=a;object=b?pin-value=4711',
    'pkcs11:token=a;object=b;pin-value=4711',
    'pkcs11:token=a;object=b?pin-source=4711',
    'softkey:a?passphrase-source=4711',
    'softkey:a?passphrase=4711',
  ])('that hold a secret are not repeated: %s', (text) => {
    expect(refusal(text).message).not.toContain('4711');
  });
});

describe('a key in a token that is named as a whole', () => {
  test.each([
    ['pkcs11:token=a', 'pkcs11:token=a;object=new%20key'],
    ['pkcs11:token=a?pin-source=env:PIN', 'pkcs11:token=a;object=new%20key?pin-source=env:PIN'],
    ['pkcs11:token=a;object=b?pin-source=env:PIN', 'pkcs11:token=a;object=b?pin-source=env:PIN'],
    ['pkcs11:token=a;id=%01', 'pkcs11:token=a;id=%01'],
    ['softkey:/b', 'softkey:path=/b'],
  ])('%s', (where, key) => {
    expect(keyInToken(where, 'new key')).toBe(key);
  });
});
