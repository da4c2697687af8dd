import { createHash, createPublicKey } from 'node:crypto';
import { hostname } from 'node:os';
import manifest from '../../../package.json' with { type: 'json' };
import { toHex, utf8 } from '../../../shared/codec/bytes.ts';
import { canonicalJson } from '../../../shared/codec/canonical-json.ts';
import { Digest, type KeyDescription, type KeyRole } from '../../../shared/keys/provider.ts';
import { present } from '../../../shared/present.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { auditWrite } from '../../../shared/service/audit/line.ts';
import { deliveryJwk, signedByDelivery } from '../../../shared/service/keys/signed.ts';
import { underDualControl } from '../../deployment/acting-person.ts';
import { namedKey } from '../../deployment/keys.ts';
import { requireFresh, writeOutput } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import type { NewKeyArguments, RequestArguments } from '../keys/arguments.ts';
import { makeKey, requestOf, writeRequest } from '../keys/make.ts';
import { withDeployment } from '../keys/open.ts';

export const CEREMONY_TYP = 'smdpf-key-ceremony+jws';

export interface CeremonyOptions extends Omit<NewKeyArguments, 'rewrap'>, RequestArguments {
  readonly key: string;
  readonly witness: readonly string[];
  readonly report: string;
}

interface Step {
  readonly step: string;
  /** ISO 8601. */
  readonly at: string;
  readonly found: Readonly<Record<string, unknown>>;
}

/** Makes a key before witnesses. A key that is there already is no ceremony: it would tell of what nobody saw. */
export async function holdCeremony(options: CeremonyOptions, io: CliIo): Promise<void> {
  const { folder, role, curve, witness, report: file } = options;
  const witnesses = [...new Set(witness.map((name) => name.trim()).filter(Boolean))];
  if (witnesses.length < 2)
    throw new UsageError('a ceremony takes two witnesses at least', 'Give --witness twice, with two names.');
  await requireFresh(file, '--report');
  const request = role === 'binding' ? requestOf(options) : undefined;
  if (request !== undefined) await requireFresh(request.out, '--out');
  await withDeployment(folder, async (runtime, deployment, by) => {
    const uri = namedKey(deployment, options.key, '');
    const steps: Step[] = [];
    const done = (step: string, found: Step['found']) => {
      const at = new Date(runtime.context.now()).toISOString();
      steps.push({ step, at, found });
      io.say(`${steps.length}. ${step}: ${Object.values(found).map(String).join(', ')}`);
    };
    const key = await underDualControl(
      runtime,
      by,
      { action: 'key.generate', subject: role },
      async (begun) => {
        const conductedBy = [begun.person, ...(begun.approvedBy === undefined ? [] : [begun.approvedBy])];
        done('present', { conductedBy, witnesses });
        done('place', { machine: hostname(), software: `smdpf ${manifest.version}`, node: process.version });
        if (await runtime.keys.exists(uri))
          throw new UsageError(
            `--key: ${uri} is there already`,
            'Name a key that is not: it is made in the ceremony.',
          );
        done('place of the key', { uri, existed: false });
        const description = await makeKey(runtime, uri, { role, curve }, begun);
        done('key made', attestation(description));
        done('attestation', { backend: ATTESTS[new URL(uri).protocol] ?? ATTESTS['softkey:'] });
        return { description, begun };
      },
    );
    if (request !== undefined) {
      await writeRequest(runtime, uri, request);
      done('certification request', { file: request.out, ...subjectOf(request) });
    }
    done('shown to work', await proof(runtime, role, uri, steps));
    const report = {
      deployment: runtime.config.deployment,
      role,
      ...present({ curve: role === 'binding' ? curve : undefined }),
      key: key.description.uri,
      witnesses,
      steps,
    };
    const sha256 = createHash('sha256').update(canonicalJson(report)).digest('hex');
    const jws = await signedByDelivery(runtime.context, CEREMONY_TYP, { ...report, sha256 });
    const signed = { report, sha256, jws, key: await deliveryJwk(runtime.context) };
    await writeOutput(file, `${JSON.stringify(signed, undefined, 2)}\n`, '--report', {
      mode: 0o600,
      fresh: true,
    });
    const about = { key: key.description.uri, role, witnesses: witnesses.join(', '), report: sha256 };
    const line = { event: 'ceremony.held', by: key.begun, about } as const;
    await runtime.context.ledger.write(auditWrite(line, `ceremony-${sha256}`, runtime.context.now()));
    io.answer({ ...signed, file }, () =>
      fields([
        ['key', report.key],
        ['report', file],
        ['SHA-256', sha256],
      ]),
    );
  });
}

const subjectOf = ({ organizationName, commonName, smdpOid }: ReturnType<typeof requestOf>) => ({
  organizationName,
  commonName,
  smdpOid,
});

/** What each backend can show of a key beyond its own word, for who reads the report. */
const ATTESTS: Readonly<Record<string, string>> = {
  'awskms:':
    'AWS KMS signs no statement about a key: its word is Origin, KeySpec and KeyUsage above, and CreateKey in CloudTrail',
  'pkcs11:':
    'PKCS#11 has no signed statement: its word is CKA_LOCAL, CKA_NEVER_EXTRACTABLE and CKA_ALWAYS_SENSITIVE above; what the maker signs is put beside this report by smdpf ceremony attest',
  'softkey:': 'a key in software: nobody vouches for where it was made, and it can be copied',
};

/** What the backend itself says: the nearest to an attestation that a token or KMS gives by its interface. */
function attestation({ uri, algorithm, exportable, identity, attributes = {} }: KeyDescription) {
  return { uri, algorithm, identity, privateKeyCanLeave: exportable, ...attributes };
}

/** The new key signs the steps so far; a wrapping or intake key wraps and opens, and nothing of that is kept. */
async function proof(
  runtime: Runtime,
  role: KeyRole,
  uri: string,
  steps: readonly Step[],
): Promise<Step['found']> {
  const { keyRing } = runtime.context;
  const digest = createHash('sha256').update(canonicalJson(steps)).digest('hex');
  if (role === 'binding' || role === 'delivery' || role === 'longTerm') {
    const key = await keyRing[role](uri);
    const signature = await key.sign(Digest.of(utf8(canonicalJson(steps))));
    const publicKey = createPublicKey({ key: Buffer.from(key.publicKey), format: 'der', type: 'spki' });
    return {
      signedSteps: digest,
      signature: toHex(signature),
      publicKey: publicKey.export({ format: 'pem', type: 'spki' }),
    };
  }
  await (await runtime.keys.provider(uri)).health(uri);
  return { steps: digest, health: 'the backend uses the key' };
}
