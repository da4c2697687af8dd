import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { utf8 } from '../../shared/codec/bytes.ts';
import { encodeOid } from '../../shared/codec/oid.ts';
import { tlv } from '../../shared/codec/tlv.ts';

export interface SelfSigned {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
  /** Lower-case hexadecimal SHA-256 of the DER. */
  readonly fingerprint: string;
}

/** A TLS certificate on P-256 for 127.0.0.1 and localhost, valid from 2025 until 2099 or the GeneralizedTime given. */
export function selfSigned(commonName: string, notAfter = '20991231235959Z'): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = tlv(0x30, tlv(0x06, encodeOid('1.2.840.10045.4.3.2')));
  const name = tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, encodeOid('2.5.4.3')), tlv(0x0c, utf8(commonName)))));
  const altNames = tlv(0x30, tlv(0x82, utf8('localhost')), tlv(0x87, Buffer.of(127, 0, 0, 1)));
  const tbs = tlv(
    0x30,
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(8)])),
    algorithm,
    name,
    tlv(0x30, tlv(0x17, utf8('250101000000Z')), tlv(0x18, utf8(notAfter))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, tlv(0x30, tlv(0x30, tlv(0x06, encodeOid('2.5.29.17')), tlv(0x04, altNames)))),
  );
  const signature = sign('sha256', tbs, privateKey);
  const der = tlv(0x30, tbs, algorithm, tlv(0x03, Buffer.concat([Buffer.of(0), signature])));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: new X509Certificate(der).toString(),
    fingerprint: createHash('sha256').update(der).digest('hex'),
  };
}
