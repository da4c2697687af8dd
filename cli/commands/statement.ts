import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { utf8 } from '../../shared/codec/bytes.ts';
import { canonicalJson } from '../../shared/codec/canonical-json.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { singleAttribute } from '../../shared/pki/name.ts';
import { OID } from '../../shared/pki/oids.ts';
import {
  decodeOtherSignedNotification,
  verifyOtherSignedNotification,
} from '../../shared/rsp/other-signed-notification.ts';
import { type OpenedJws, openedJws, signedByOneOf } from '../../shared/service/evidence/jws.ts';
import { keyId } from '../../shared/service/keys/delivery-keys.ts';
import { isObject } from '../../shared/service/records/schema.ts';
import { givenKeys } from '../delivery/delivery-keys.ts';
import { byKind, secondSignatureHolds } from '../delivery/second-signature.ts';
import { parseJson, readDer, readOctets } from '../input/files.ts';
import { collect } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { UsageError } from '../output/failure.ts';
import { fields, table } from '../output/table.ts';

interface VerifyOptions {
  readonly keys: string;
  readonly notification?: readonly string[];
  readonly second?: string;
  readonly content?: string;
}

/** What the server signs by its delivery key, by `typ`. */
const KINDS: Readonly<Record<string, string>> = {
  'smdpf-deletion-statement+jws': 'deletion statement',
  'smdpf-order-report+jws': 'part of an order report',
  'smdpf-erasure+jws': 'statement of an erasure',
  'smdpf-key-ceremony+jws': 'report of a key ceremony',
  'smdpf-evidence-pack+jws': 'manifest of an evidence pack',
  'smdpf-audit-head+jws': 'end of the audit log',
  'smdpf-audit-export+jws': 'export of the audit log',
};

const HELP = `
FILE is the compact JWS, or the JSON that it came in. --keys is whom you trust: the answer of getServerKeys, a JWK, a JWK
Set or PEM, from a channel that you trust. Nothing is asked of any server. Exit code 1 where something does not hold.

Example:
  smdpf statement verify statement.jws --keys server-keys.json --notification notification-1.der`;

/** `smdpf statement`: what the delivery key has signed for others to keep. */
export function registerStatement(program: Command, io: CliIo): void {
  program
    .command('statement')
    .command('verify <file>')
    .description(
      'verify a deletion statement, an order report, a statement of an erasure or an export of the audit log, with no network',
    )
    .requiredOption('--keys <file>', 'delivery keys of the server')
    .option(
      '--second <file>',
      'its longTermSignature, where the keys have a long-term key and FILE has it not',
    )
    .option(
      '--notification <file>',
      'a notification that an eUICC signed: held against the deletion statement; may be repeated',
      collect,
    )
    .option('--content <file>', 'the exported file: held against the hash in the statement of an export')
    .addHelpText('after', HELP)
    .action((file: string, options: VerifyOptions) => verifyStatement(file, options, io));
}

/** `only`: a statement of another kind does not hold. */
export async function verifyStatement(
  file: string,
  options: VerifyOptions,
  io: CliIo,
  only?: string,
): Promise<void> {
  const { jws, second, beside } = await readJws(file, options.second);
  const { delivery, longTerm } = byKind((await givenKeys(options.keys, '--keys')).keys);
  const statement = opened(jws, file);
  const signer = signedByOneOf(jws, delivery);
  const kind = KINDS[statement.typ];
  const deletions = deletionsIn(statement);
  const notifications = await Promise.all(
    (options.notification ?? []).map((path) => lookedUp(path, deletions)),
  );
  const content = options.content && (await contentState(options.content, statement.payload));
  // whoever knows that the server signs twice asks for both
  const twice = longTerm.length === 0 || secondSignatureHolds(second ?? '', utf8(jws), longTerm);
  const good =
    signer !== undefined &&
    twice &&
    kind !== undefined &&
    (only === undefined || statement.typ === only) &&
    // what people read is what was signed
    (beside === undefined || canonicalJson(beside) === canonicalJson(statement.payload)) &&
    content !== 'doesNotHold' &&
    notifications.every(({ problem }) => problem === undefined);
  if (!good) io.exit(EXIT.refused);
  const { jws: _, payload, ...claims } = statement;
  const document = {
    signature: signer === undefined ? 'doesNotHold' : 'holds',
    ...(longTerm.length > 0 && { secondSignature: twice ? 'holds' : 'doesNotHold' }),
    ...(content && { content }),
    kind: kind ?? 'unknown',
    kid: claims.kid,
    ...payload,
    ...(notifications.length > 0 && { notifications }),
  };
  io.answer(document, () =>
    [
      fields([
        [
          'signature',
          signer === undefined ? 'DOES NOT HOLD under these keys' : `holds, by the key ${keyId(signer)}`,
        ],
        [
          'second signature',
          longTerm.length === 0 ? undefined : twice ? 'holds' : 'DOES NOT HOLD, or is missing',
        ],
        [
          'content',
          content && (content === 'holds' ? 'is the one that was signed' : 'IS NOT the one that was signed'),
        ],
        ['kind', kind ?? `unknown: ${statement.typ}`],
        ...Object.entries(payload)
          .filter(([, value]) => typeof value !== 'object')
          .map(([name, value]) => [name, name === 'iat' ? timeOf(value) : String(value)] as const),
      ]),
      ...(deletions.length === 0
        ? []
        : [
            table(
              ['EID', 'ICCID', 'verified at', 'SHA-256 of the notification'],
              deletions.map((one) => [one.eid, one.iccid, one.verifiedAt, one.notificationSha256]),
            ),
          ]),
      ...notifications.map(({ file: path, eid, iccid, problem }) =>
        problem === undefined
          ? `${path}: in the statement, signed by ${eid} for ${iccid}`
          : `${path}: ${problem}`,
      ),
    ].join('\n\n'),
  );
}

/** Whether a file is the one whose hash a statement has. */
async function contentState(
  path: string,
  { sha256 }: Readonly<Record<string, unknown>>,
): Promise<'holds' | 'doesNotHold'> {
  const octets = await readOctets(path, '--content');
  return createHash('sha256').update(octets).digest('hex') === sha256 ? 'holds' : 'doesNotHold';
}

interface OpenedStatement extends OpenedJws {
  readonly jws: string;
}

/** A compact JWS, alone or as `statement`, `report` or `jws` of a JSON document, where its second signature is too. */
async function readJws(
  path: string,
  secondPath: string | undefined,
): Promise<{ jws: string; second: string | undefined; beside?: object }> {
  const octets = await readOctets(path, 'FILE');
  const given =
    secondPath === undefined
      ? undefined
      : Buffer.from(await readOctets(secondPath, '--second')).toString('latin1');
  const text = Buffer.from(octets).toString('latin1').trim();
  if (!text.startsWith('{')) return { jws: text, second: given };
  const document = parseJson(octets, path, 'FILE');
  const jws = isObject(document)
    ? [document.statement, document.report, document.jws].find((one) => typeof one === 'string')
    : undefined;
  if (typeof jws !== 'string')
    throw new UsageError(
      `FILE: ${path} has no signed statement`,
      'Give the answer that brought it, or the JWS alone.',
    );
  const within = isObject(document) ? document.longTermSignature : undefined;
  const clear = isObject(document) ? document.statement : undefined;
  return {
    jws,
    second: given ?? (typeof within === 'string' ? within : undefined),
    ...(isObject(clear) && { beside: clear }),
  };
}

function opened(jws: string, path: string): OpenedStatement {
  const statement = openedJws(jws);
  if (statement !== undefined) return { jws, ...statement };
  throw new UsageError(
    `FILE: ${path} is no compact JWS of JSON`,
    'Give what the server answered, unchanged.',
  );
}

interface StatedDeletion {
  readonly eid: string;
  readonly iccid: string;
  readonly verifiedAt: string;
  readonly notificationSha256: string;
}

function deletionsIn({ payload }: OpenedStatement): readonly StatedDeletion[] {
  const { deletions } = payload;
  return Array.isArray(deletions) ? deletions.filter(isDeletion) : [];
}

const MEMBERS = ['eid', 'iccid', 'verifiedAt', 'notificationSha256'] as const;

const isDeletion = (value: unknown): value is StatedDeletion =>
  isObject(value) && MEMBERS.every((name) => typeof value[name] === 'string');

interface LookedUp {
  readonly file: string;
  readonly sha256: string;
  readonly eid?: string;
  readonly iccid?: string;
  readonly problem?: string;
}

/** Whether a notification is one of the statement, and signed by the eUICC and for the profile that the statement says. */
async function lookedUp(file: string, deletions: readonly StatedDeletion[]): Promise<LookedUp> {
  const der = await readDer(file, '--notification');
  const sha256 = createHash('sha256').update(der).digest('hex');
  const stated = deletions.find(({ notificationSha256 }) => notificationSha256 === sha256);
  if (stated === undefined) return { file, sha256, problem: 'it is not in the statement' };
  const { eid, iccid } = stated;
  const notification = decodeOtherSignedNotification(der);
  const certificate = decodeCertificate(notification.euiccCertificate, 'euiccCertificateInvalid');
  verifyOtherSignedNotification(notification, certificate.publicKey);
  const matches =
    singleAttribute(certificate.subject.attributes, OID.serialNumber) === eid &&
    notification.notificationMetadata.iccid === iccid &&
    notification.notificationMetadata.profileManagementOperation === 'delete';
  return {
    file,
    sha256,
    eid,
    iccid,
    ...(!matches && { problem: 'it says something else than the statement' }),
  };
}

const timeOf = (seconds: unknown) => new Date(Number(seconds) * 1000).toISOString();
