import type { Command } from 'commander';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { tagName } from '../../shared/codec/tlv.ts';
import { Refusal } from '../../shared/errors.ts';
import { type Certificate, decodeCertificate } from '../../shared/pki/certificate.ts';
import { singleAttribute } from '../../shared/pki/name.ts';
import { OID } from '../../shared/pki/oids.ts';
import { roleOf } from '../../shared/pki/roles.ts';
import { present } from '../../shared/present.ts';
import {
  decodeProfileInstallationResult,
  decodeSignedResult,
  type ProfileInstallationResult,
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
    .requiredOption('--pir <file>', 'Profile Installation Result, in DER, base64 or hexadecimal')
    .requiredOption('--euicc-cert <file>', 'CERT.EUICC of the eUICC that made it, in DER or PEM')
    .addHelpText('after', HELP)
    .action((options: VerifyPirOptions) => verifyPir(options, io));
}

async function verifyPir(options: VerifyPirOptions, io: CliIo): Promise<void> {
  const octets = await readDer(options.pir, '--pir', 'profileInstallationResult');
  const certificate = decodeCertificate(
    await readDer(options.euiccCert, '--euicc-cert', 'certificate'),
    'euiccCertificateInvalid',
  );
  warnUnlessEuicc(certificate, io);
  // the signature first: it says whom the octets are from, whether all of them are understood or not
  const signed = decodeSignedResult(octets);
  const holds = signatureHolds(() => verifyProfileInstallationResult(signed, certificate.publicKey));
  const pir = understood(octets, holds);
  if (!holds) io.exit(EXIT.refused);
  for (const { tag } of pir.unknown) io.warn(`${tagName(tag)} is a field that this version does not know`);

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
    ...(pir.unknown.length > 0 && { unknownFields: pir.unknown.map(({ raw }) => toHex(raw)) }),
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

/** Reads the signed part; where it cannot be read, the refusal says whether it is signed all the same. */
function understood(octets: Bytes, holds: boolean): ProfileInstallationResult {
  try {
    return decodeProfileInstallationResult(octets);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, message, subjectIdentifier, offset, defect } = error;
    throw new Refusal(
      code,
      `${message}; the signature over these octets ${holds ? 'holds' : 'does not hold'}`,
      { ...present({ subjectIdentifier, offset, defect }), cause: error },
    );
  }
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
