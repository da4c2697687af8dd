import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { type Bytes, toHex, utf8, wipe } from '../../shared/codec/bytes.ts';
import { checkEid } from '../../shared/codec/eid.ts';
import type { Curve } from '../../shared/crypto/curves.ts';
import { isOneTimeKeyOf, ONE_TIME_KEY_LENGTHS, type OneTimeKey, SUITES } from '../../shared/crypto/suite.ts';
import { refuse } from '../../shared/errors.ts';
import { present } from '../../shared/present.ts';
import { type BindingPayload, prepareBinding } from '../../shared/profile/bind.ts';
import { generatePpk, PPK_LENGTH, ppkFromOctets, wipePpk } from '../../shared/profile/ppk.ts';
import { protectProfile } from '../../shared/profile/protect.ts';
import { decodeBoundProfilePackage } from '../../shared/rsp/bound-profile-package.ts';
import { readDer, writeOutput } from '../input/files.ts';
import { hexOption } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';
import { fields } from '../output/table.ts';
import { readBindingCertificate, withBindingKey } from './bind/binding-key.ts';
import { checkAgainstPackage, metadataSummary, readMetadata } from './bind/metadata.ts';

interface BindOptions {
  readonly upp: string;
  readonly metadata: string;
  readonly eid: string;
  readonly otpk: Bytes;
  readonly dppbCert: string;
  readonly dppbKey: string;
  readonly out: string;
  readonly mode: 'ppk' | 'session';
  readonly hostId: Bytes;
  readonly transactionId?: Bytes;
  readonly otsk?: Bytes;
  readonly ppk?: Bytes;
  readonly force?: boolean;
}

/** The hostId that the server uses where its configuration names none. */
const DEFAULT_HOST_ID = utf8('smdpf');

const EXAMPLE = `
Example, with the test certificates of SGP.26:
  smdpf bind --upp profile.der --metadata metadata.json \\
    --eid 89049032123451234512345678901235 --otpk 04… \\
    --dppb-cert CERT_S_SM_DPpb_ECDSA_NIST.der --dppb-key SK_S_SM_DPpb_ECDSA_NIST.pem --out profile.bpp

metadata.json:
  {"iccid": "8988211000000530082", "serviceProviderName": "Example", "profileName": "Example IoT",
   "profileClass": "operational", "profileOwner": {"mccMnc": "00101"}, "profilePolicyRules": ["ppr1"],
   "iconType": "png", "icon": "<base64>",
   "notifications": [{"events": ["install", "delete"], "address": "smdpf.example.com"}]}

The answer tells what the other side needs beside the file: transactionId, hostId and smdpOtpk.`;

export function registerBind(program: Command, io: CliIo): void {
  program
    .command('bind')
    .requiredOption('--upp <file>', 'Unprotected Profile Package: 1 octet or more, of any content')
    .requiredOption('--metadata <file>', 'metadata as JSON, or a StoreMetadataRequest (BF25) in DER')
    .requiredOption('--eid <digits>', 'EID, 32 digits with their check digits')
    .requiredOption(
      '--otpk <hex>',
      'one-time public key of the eUICC: 04 and 64 octets',
      hexOption(ONE_TIME_KEY_LENGTHS.min, ONE_TIME_KEY_LENGTHS.max),
    )
    .requiredOption('--dppb-cert <file>', 'CERT.DPpb, in DER or PEM')
    .requiredOption(
      '--dppb-key <file|uri>',
      'its private key: a PEM file, or awskms:, pkcs11:, softkey:, pem:',
    )
    .requiredOption('--out <file>', 'where the Bound Profile Package (BF36) goes')
    .addOption(
      new Option('--mode <mode>', 'protect with keys of its own (ppk) or with the session keys')
        .choices(['ppk', 'session'])
        .default('ppk'),
    )
    .addOption(
      new Option('--host-id <hex>', 'hostId of the key derivation, 1 to 16 octets')
        .argParser(hexOption(1, 16))
        .default(DEFAULT_HOST_ID, `${toHex(DEFAULT_HOST_ID)}, "smdpf"`),
    )
    .option('--transaction-id <hex>', '1 to 16 octets (default: 16 random octets)', hexOption(1, 16))
    .option(
      '--otsk <hex>',
      'fixed ephemeral private key, only to reproduce published vectors',
      hexOption(1, 1024),
    )
    .option(
      '--ppk <hex>',
      'fixed initialMacChainingValue, ppkEnc and ppkCmac, only to reproduce published vectors',
      hexOption(PPK_LENGTH),
    )
    .option('--force', 'bind although the ICCID of the metadata is not that of the package')
    .addHelpText('after', EXAMPLE)
    .action((options: BindOptions) => bind(options, io));
}

async function bind(options: BindOptions, io: CliIo): Promise<void> {
  const eid = checkEid(options.eid);
  const { certificate, curve, smdpOid } = await readBindingCertificate(options.dppbCert, io);
  const euiccOtpk = oneTimeKeyOn(curve, options.otpk);
  const metadata = await readMetadata(options.metadata, io);
  const upp = await readDer(options.upp, '--upp');
  if (upp.length === 0) refuse('profileInvalid', 'the profile package is empty');
  checkAgainstPackage(upp, metadata.metadata, options.force ?? false, io);
  const randomness = options.otsk && fixedRandomness(options.otsk, euiccOtpk, io);
  const transactionId = options.transactionId ?? randomBytes(16);

  const { bpp, smdpOtpk } = await withBindingKey(options.dppbKey, certificate, io.env, async (key) => {
    const { payload, wipePayload } = payloadOf(options, upp, io);
    try {
      const prepared = prepareBinding({
        eid,
        euiccOtpk,
        metadataDer: metadata.der,
        transactionId,
        hostId: options.hostId,
        payload,
        ...(randomness && { randomness }),
      });
      return { bpp: prepared.assemble(await key.sign(prepared.toBeSigned)), smdpOtpk: prepared.smdpOtpk };
    } finally {
      wipe(randomness);
      wipePayload();
    }
  });
  await writeOutput(options.out, bpp, '--out');

  const segments = segmentLengths(bpp);
  const document = {
    out: options.out,
    length: bpp.length,
    mode: options.mode,
    curve: euiccOtpk.suite.name,
    eid,
    transactionId: toHex(transactionId),
    hostId: toHex(options.hostId),
    smdpOtpk: toHex(smdpOtpk),
    ...present({ smdpOid }),
    metadata: metadataSummary(metadata),
    segments: { count: segments.length, longest: Math.max(...segments) },
  };
  io.answer(document, () =>
    fields([
      ['bound', `${document.out}, ${document.length} octets`],
      ['mode', document.mode],
      ['curve', document.curve],
      ['eid', eid],
      ['iccid', metadata.metadata.iccid],
      ['transactionId', document.transactionId],
      ['hostId', document.hostId],
      ['smdpOtpk', document.smdpOtpk],
      ['smdpOid', smdpOid],
      ['segments', `${segments.length}, the longest of ${document.segments.longest} octets`],
    ]),
  );
}

/** The suite of a binding is that of the one-time key, and CERT.DPpb must be on the curve that it signs on. */
function oneTimeKeyOn(curve: Curve, otpk: Bytes): OneTimeKey {
  const fitting = SUITES.filter((suite) => isOneTimeKeyOf(suite, otpk));
  const suite =
    fitting.find((candidate) => candidate.curve === curve) ??
    refuse(
      'oneTimeKeyInvalid',
      fitting[0] === undefined
        ? `--otpk is no one-time key on ${curve.name}`
        : `--otpk is a key of ${fitting[0].name}, but the key of CERT.DPpb is on ${curve.name}`,
    );
  return suite.oneTimeKey(otpk);
}

/** Tries the randomness, since a bad one is a mistake on the command line and nothing else. */
function fixedRandomness(otsk: Bytes, key: OneTimeKey, io: CliIo): Bytes {
  io.warn(
    '--otsk fixes the ephemeral key: for published vectors only; a profile bound so has no forward secrecy',
  );
  try {
    wipe(key.encapsulate(otsk).sharedSecret);
    return otsk;
  } catch (cause) {
    wipe(otsk);
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(
      `--otsk is not a private key of ${key.suite.name}`,
      key.suite.channel.ciphertext === undefined
        ? 'Give a number from 1 to the order of the curve less 1.'
        : 'Leave it away: the randomness of ML-KEM cannot be given.',
      { cause },
    );
  }
}

function payloadOf(
  options: BindOptions,
  upp: Bytes,
  io: CliIo,
): { payload: BindingPayload; wipePayload: () => void } {
  if (options.mode === 'session') {
    if (options.ppk !== undefined)
      throw new UsageError('--ppk has no meaning in session mode', 'Leave --ppk or --mode session away.');
    return { payload: { mode: 'session', upp }, wipePayload: () => wipe(upp) };
  }
  if (options.ppk !== undefined)
    io.warn('--ppk fixes the keys that protect the profile: for published vectors only');
  const ppk = options.ppk === undefined ? generatePpk(randomBytes) : ppkFromOctets(options.ppk);
  const payload = { mode: 'ppk', segments: protectProfile(upp, ppk), ppk } as const;
  return {
    payload,
    wipePayload() {
      wipe(upp);
      wipePpk(ppk);
    },
  };
}

/** Octets of each protected element of the package just made. */
function segmentLengths(bpp: Bytes): number[] {
  const {
    firstSequenceOf87,
    sequenceOf88,
    secondSequenceOf87 = [],
    sequenceOf86,
  } = decodeBoundProfilePackage(bpp);
  return [...firstSequenceOf87, ...sequenceOf88, ...secondSequenceOf87, ...sequenceOf86].map(
    ({ raw }) => raw.length,
  );
}
