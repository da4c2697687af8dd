import { equal } from '../../../shared/codec/bytes.ts';
import type { Curve } from '../../../shared/crypto/curves.ts';
import { keyIdentifier } from '../../../shared/crypto/ec-key-forms.ts';
import { refuse } from '../../../shared/errors.ts';
import { keyBackends } from '../../../shared/keys/backends.ts';
import { KeyRegistry, type SigningKey } from '../../../shared/keys/registry.ts';
import { formatKeyUri } from '../../../shared/keys/uri.ts';
import { type Certificate, decodeCertificate } from '../../../shared/pki/certificate.ts';
import { checkSigningLeaf } from '../../../shared/pki/path.ts';
import { roleOf } from '../../../shared/pki/roles.ts';
import { readDer, requireReadable } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';

export interface BindingCertificate {
  readonly certificate: Certificate;
  readonly curve: Curve;
  /** The registeredID that an eUICC repeats as smdpOid, if the certificate has one. */
  readonly smdpOid: string | undefined;
}

/**
 * CERT.DPpb as it is used here: role of either column, a key for signatures. Out of its validity it only warns,
 * since the certificates of SGP.26 end and eUICCs often have no clock. The chain above it is not looked at.
 */
export async function readBindingCertificate(path: string, io: CliIo): Promise<BindingCertificate> {
  const certificate = decodeCertificate(
    await readDer(path, '--dppb-cert', 'certificate'),
    'dpCertificateInvalid',
  );
  const { column } = roleOf(certificate, 'dpCertificateInvalid');
  checkSigningLeaf(certificate, 'dpPb', column ?? 'v2', 'dpCertificateInvalid');
  const now = io.now().getTime();
  if (now > certificate.notAfterMs + 999)
    io.warn(`CERT.DPpb ended at ${new Date(certificate.notAfterMs).toISOString()}`);
  if (now < certificate.notBeforeMs)
    io.warn(`CERT.DPpb begins at ${new Date(certificate.notBeforeMs).toISOString()}`);
  const [smdpOid] = certificate.extensions.subjectAltName?.registeredIds ?? [];
  if (smdpOid === undefined)
    io.warn(
      'CERT.DPpb has no registeredID in its SubjectAltName: an eUICC cannot name the server in its result',
    );
  return { certificate, curve: certificate.publicKey.curve, smdpOid };
}

/** Runs `use` with the key of a URI, or of a PEM file given by its path, which must be the certificate's. */
export async function withBindingKey<T>(
  fileOrUri: string,
  certificate: Certificate,
  env: CliIo['env'],
  use: (key: SigningKey) => Promise<T>,
): Promise<T> {
  const registry = new KeyRegistry(keyBackends({ nodeEnv: env.NODE_ENV, env }));
  try {
    const key = await registry.openSigningKey(await keyUriOf(fileOrUri), 'binding');
    if (!equal(key.publicKey, certificate.spki))
      refuse(
        'dpCertificateInvalid',
        `the key of --dppb-key (SKI ${keyIdentifier(key.publicKey)}) is not the key of --dppb-cert (SKI ${keyIdentifier(certificate.spki)})`,
      );
    return await use(key);
  } finally {
    await registry.close();
  }
}

async function keyUriOf(fileOrUri: string): Promise<string> {
  if (/^(?:awskms|pkcs11|softkey|pem):/i.test(fileOrUri)) return fileOrUri;
  await requireReadable(fileOrUri, '--dppb-key');
  return formatKeyUri({ scheme: 'pem', path: fileOrUri });
}
