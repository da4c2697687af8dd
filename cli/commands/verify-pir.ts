import type { Command } from 'commander';
import { toHex } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import { type Certificate, decodeCertificate } from '../../shared/pki/certificate.ts';
import { singleAttribute } from '../../shared/pki/name.ts';
import { OID } from '../../shared/pki/oids.ts';
import { roleOf } from '../../shared/pki/roles.ts';
import {
  decodeProfileInstallationResult,
  verifyProfileInstallationResult,
} from '../../shared/rsp/profile-installation-result.ts';
import { readDer } from '../input/files.ts';
import { describeResult } from '../inspect/final-result.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { fields } from '../output/table.ts';

interface VerifyPirOptions {
  readonly pir: string;
  readonly euiccCert: string;
}

const HELP = `
The signature is verified over the octets as received. The chain of the certificate is not: smdpf does that when the
eUICC's data are registered. Exit code 1 where the signature does not hold; a failed installation whose signature
holds exits with 0.

Example:
  smdpf verify-pir --pir result.der --euicc-cert CERT_EUICC.der --json`;

export function registerVerifyPir(program: Command, io: CliIo): void {
  program
    .command('verify-pir')
    .description('verify a Profile Installation Result (BF37) and tell what it says')
    .requiredOption('--pir <file>', 'Profile Installation Result, in DER, base64 or hexadecimal')
    .requiredOption('--euicc-cert <file>', 'CERT.EUICC of the eUICC that made it, in DER or PEM')
    .addHelpText('after', HELP)
    .action((options: VerifyPirOptions) => verifyPir(options, io));
}

async function verifyPir(options: VerifyPirOptions, io: CliIo): Promise<void> {
  const pir = decodeProfileInstallationResult(
    await readDer(options.pir, '--pir', 'profileInstallationResult'),
  );
  const certificate = decodeCertificate(
    await readDer(options.euiccCert, '--euicc-cert', 'certificate'),
    'euiccCertificateInvalid',
  );
  warnUnlessEuicc(certificate, io);
  const holds = signatureHolds(() => verifyProfileInstallationResult(pir, certificate.publicKey));
  if (!holds) io.exit(EXIT.refused);

  const { seqNumber, notificationAddress, iccid } = pir.notificationMetadata;
  const document = {
    signature: holds ? 'holds' : 'doesNotHold',
    transactionId: toHex(pir.transactionId),
    eid: singleAttribute(certificate.subject.attributes, OID.serialNumber),
    iccid,
    smdpOid: pir.smdpOid,
    seqNumber,
    notificationAddress,
    ...describeResult(pir.finalResult),
  };
  const { peStatus, ...shown } = document;
  io.answer(document, () =>
    fields([
      ...Object.entries(shown).map(([name, value]) => [name, value?.toString()] as const),
      ...(peStatus ?? []).map((status) => ['peStatus', status] as const),
      ...(holds
        ? []
        : [['', 'The signature does not hold: nothing above is known to come from this eUICC.'] as const]),
    ]),
  );
}

function warnUnlessEuicc(certificate: Certificate, io: CliIo): void {
  try {
    const { role } = roleOf(certificate, 'euiccCertificateInvalid');
    if (role !== 'euicc') io.warn(`the certificate has the role ${role}, not euicc`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    io.warn(error.message);
  }
}

function signatureHolds(verify: () => void): boolean {
  try {
    verify();
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'euiccSignatureInvalid') return false;
    throw error;
  }
}
