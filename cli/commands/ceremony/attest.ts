import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { canonicalJson } from '../../../shared/codec/canonical-json.ts';
import { present } from '../../../shared/present.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { auditWrite } from '../../../shared/service/audit/line.ts';
import { openedJws, signedByOneOf } from '../../../shared/service/evidence/jws.ts';
import { deliveryPublicKeys } from '../../../shared/service/keys/delivery-keys.ts';
import { deliveryJwk, signedByDelivery } from '../../../shared/service/keys/signed.ts';
import { isObject } from '../../../shared/service/records/schema.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { readJson, requireFresh, writeOutput } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import type { Folder } from '../folder-commands.ts';
import { certificatesOf, verifiedChain } from './attestation-chain.ts';
import { CEREMONY_TYP } from './hold.ts';

export const ATTESTATION_TYP = 'smdpf-key-attestation+jws';

export interface AttestOptions extends Folder {
  readonly attestation: string;
  readonly chain?: string;
  readonly root?: string;
  readonly out: string;
}

/**
 * Puts beside the report of a ceremony what the maker of the HSM says of the key: the file as it is, by its SHA-256, and the chain
 * of its signer, verified where it is given. Formats of makers differ, and their statements are read by their tools; where the
 * file is itself a certificate over the key (as of some makers it is), that it is over this key is held here.
 */
export async function attestKey(report: string, options: AttestOptions, io: CliIo): Promise<void> {
  const { folder, attestation, chain, root, out } = options;
  if ((chain === undefined) !== (root === undefined))
    throw new UsageError('--chain and --root go together', 'A chain holds up to a root that you trust.');
  await requireFresh(out, '--out');
  const content = await readFile(attestation);
  const certificates = chain === undefined ? [] : certificatesOf(await readFile(chain), '--chain');
  await withRuntime(folder, async (runtime, _deployment, by) => {
    const ceremony = await ownReport(runtime, report);
    const links =
      root === undefined
        ? undefined
        : verifiedChain(
            certificates,
            certificatesOf(await readFile(root), '--root')[0]!,
            runtime.context.now(),
          );
    const [first] = certificates;
    const publicKey = publicKeyOf(ceremony.report);
    const certifiesKey =
      first !== undefined && publicKey !== undefined && first.publicKey.equals(createPublicKey(publicKey));
    const document = {
      deployment: runtime.config.deployment,
      ceremony: ceremony.sha256,
      key: String(ceremony.report.key),
      attestation: { sha256: createHash('sha256').update(content).digest('hex'), octets: content.length },
      ...present({ chain: links }),
      ...(links !== undefined && { certifiesKey }),
    };
    const sha256 = createHash('sha256').update(canonicalJson(document)).digest('hex');
    const jws = await signedByDelivery(runtime.context, ATTESTATION_TYP, { ...document, sha256 });
    const signed = { report: document, sha256, jws, key: await deliveryJwk(runtime.context) };
    await writeOutput(out, `${JSON.stringify(signed, undefined, 2)}\n`, '--out', {
      mode: 0o600,
      fresh: true,
    });
    const about = { key: document.key, report: ceremony.sha256, attestation: document.attestation.sha256 };
    const line = { event: 'ceremony.attested', by, about } as const;
    await runtime.context.ledger.write(auditWrite(line, `attested-${sha256}`, runtime.context.now()));
    io.answer({ ...signed, file: out }, () =>
      fields([
        ['key', document.key],
        ['statement of the maker', `${content.length} octets, SHA-256 ${document.attestation.sha256}`],
        ['chain', links?.map(({ subject }) => subject).join(' < ') ?? 'not given, and not verified'],
        ['certificate over this key', links === undefined ? 'not known' : certifiesKey ? 'yes' : 'no'],
      ]),
    );
  });
}

/** A report that this server has signed, and nothing else. */
async function ownReport(runtime: Runtime, file: string) {
  const document = await readJson(file, '<report>');
  const jws = isObject(document) && typeof document.jws === 'string' ? document.jws : '';
  const opened = openedJws(jws);
  const keys = await deliveryPublicKeys(runtime.context);
  if (opened?.typ !== CEREMONY_TYP || signedByOneOf(jws, keys) === undefined)
    throw new UsageError(
      `${file} is no report of a ceremony that this server has signed`,
      'smdpf ceremony hold writes one.',
    );
  const { sha256, ...report } = opened.payload;
  return { report, sha256: String(sha256) };
}

/** The public key in PEM that the report shows to work. */
function publicKeyOf({ steps }: Readonly<Record<string, unknown>>): string | undefined {
  const found = Array.isArray(steps)
    ? steps.map((step: unknown) =>
        isObject(step) && isObject(step.found) ? step.found.publicKey : undefined,
      )
    : [];
  return found.find((value): value is string => typeof value === 'string');
}
