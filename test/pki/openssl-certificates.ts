import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bytes } from '../../shared/codec/bytes.ts';

/** Why no certificates can be made with openssl here; undefined where they can. */
export const opensslMissing =
  spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not on this machine';

/** A certificate that openssl made, and the key that signed it. */
export interface MadeCertificate {
  readonly what: string;
  readonly der: Bytes;
  readonly issuerKey: KeyObject;
}

const CI = `subjectKeyIdentifier=hash
keyUsage=critical,keyCertSign,cRLSign
basicConstraints=critical,CA:TRUE
certificatePolicies=critical,2.23.146.1.2.1.0
subjectAltName=RID:2.999.1
crlDistributionPoints=URI:http://ci.test.example.com/CRL-A.crl`;
const EUM = `subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid,issuer:always
keyUsage=critical,keyCertSign
basicConstraints=critical,CA:TRUE,pathlen:0
certificatePolicies=critical,2.23.146.1.2.1.2,@policy
subjectAltName=RID:2.999.5,DNS:eum.example.com,email:eum@example.com
nameConstraints=critical,permitted;dirName:limit
authorityInfoAccess=OCSP;URI:http://ocsp.example.com
crlDistributionPoints=URI:http://ci.test.example.com/CRL-A.crl
[policy]
policyIdentifier=1.3.6.1.4.1.99999.1
CPS.1=http://cps.example.com
userNotice.1=@notice
[notice]
explicitText=UTF8:notice
[limit]
O=RSP Test EUM
serialNumber=89049032`;
const EUICC = `subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
keyUsage=critical,digitalSignature
certificatePolicies=critical,2.23.146.1.2.1.1
nsComment=made by another tool`;

const KINDS = [
  { what: 'CI', subject: '/CN=Test CI/OU=TESTCERT/O=RSPTEST/C=IT', extensions: CI },
  { what: 'EUM', subject: '/C=ES/O=RSP Test EUM/CN=EUM Tést', extensions: EUM },
  {
    what: 'eUICC',
    subject: '/C=ES/O=RSP Test EUM/serialNumber=89049032123451234512345678901235/CN=Test eUICC',
    extensions: EUICC,
  },
] as const;
const CURVES = ['prime256v1', 'brainpoolP256r1'] as const;
const STRINGS = ['utf8only', 'default'] as const;

/** A CI, an EUM and an eUICC on each curve and with each choice of string types, all signed by the CI. */
export function certificatesByOpenssl(): MadeCertificate[] {
  const folder = mkdtempSync(join(tmpdir(), 'openssl-certificates-'));
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  try {
    return CURVES.flatMap((curve) =>
      STRINGS.flatMap((strings) => {
        for (const key of ['ca', 'leaf'])
          run('ecparam', '-name', curve, '-genkey', '-noout', '-out', `${key}.pem`);
        const issuerKey = createPrivateKey(readFileSync(join(folder, 'ca.pem')));
        return KINDS.map(({ what, subject, extensions }) => {
          const config = `[req]\ndistinguished_name=dn\nprompt=no\nstring_mask=${strings}\nutf8=yes\n[dn]\n[ext]\n${extensions}\n`;
          writeFileSync(join(folder, 'own.cnf'), config);
          const key = what === 'CI' ? 'ca.pem' : 'leaf.pem';
          const issuer = what === 'CI' ? [] : ['-CA', 'CI.pem', '-CAkey', 'ca.pem'];
          const out = ['-days', '3650', '-sha256', '-out', `${what}.pem`];
          run(
            'req',
            '-x509',
            '-new',
            '-utf8',
            '-config',
            'own.cnf',
            '-extensions',
            'ext',
            '-key',
            key,
            '-subj',
            subject,
            ...issuer,
            ...out,
          );
          const der = run('x509', '-in', `${what}.pem`, '-outform', 'DER');
          return { what: `${what} on ${curve}, ${strings}`, der, issuerKey };
        });
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
