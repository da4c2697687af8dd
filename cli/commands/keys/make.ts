import { type DpPbRequest, dpPbCertificationRequest } from '../../../shared/keys/certification-request.ts';
import type { KeyDescription } from '../../../shared/keys/provider.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { Actor } from '../../../shared/service/api/actor.ts';
import { noteWaitingKey } from '../../../shared/service/keys/waiting-keys.ts';
import { encodePem } from '../../../sim/index.ts';
import { underDualControl } from '../../deployment/acting-person.ts';
import { algorithmOf, freshName, namedKey } from '../../deployment/keys.ts';
import { requireFresh, writeOutput } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import type { NewKeyArguments, RequestArguments } from './arguments.ts';
import { withDeployment } from './open.ts';

export function generateKey({ folder, role, curve, key }: NewKeyArguments, io: CliIo): Promise<void> {
  return withDeployment(folder, async (runtime, deployment, by) => {
    const uri = namedKey(deployment, key, freshName(role));
    const description = await underDualControl(
      runtime,
      by,
      { action: 'key.generate', subject: role },
      (begun) => makeKey(runtime, uri, { role, curve }, begun),
    );
    io.answer({ role, ...description }, () => describe(description));
  });
}

/** Put down before it is made: a command that is cut off leaves no key that `keys list` does not show. */
export async function makeKey(
  { context, keys }: Runtime,
  uri: string,
  { role, curve }: Pick<NewKeyArguments, 'role' | 'curve'>,
  by: Actor,
): Promise<KeyDescription> {
  await noteWaitingKey(context, { uri, role }, by);
  return await keys.generate(uri, algorithmOf(role, curve), role);
}

export async function requestCertificate(
  { folder, key, ...request }: RequestArguments & { key: string },
  io: CliIo,
): Promise<void> {
  const wanted = requestOf(request);
  await requireFresh(wanted.out, '--out');
  await withDeployment(folder, async (runtime, _deployment, by) => {
    // also one that another tool has made
    await noteWaitingKey(runtime.context, { uri: key, role: 'binding' }, by);
    const file = await writeRequest(runtime, key, wanted);
    io.answer({ key, request: file }, () => fields([['certification request', file]]));
  });
}

/** What the request asks for; all of it must be given. */
export function requestOf(options: Omit<RequestArguments, 'folder'>): DpPbRequest & { out: string } {
  const { organization, name, smdpOid, policy, out } = options;
  if (organization === undefined || name === undefined || smdpOid === undefined || out === undefined) {
    throw new UsageError(
      'a certification request needs --organization, --name, --smdp-oid and --out',
      'Give all four.',
    );
  }
  return { organizationName: organization, commonName: name, smdpOid, column: policy, out };
}

export async function writeRequest(
  runtime: Runtime,
  keyUri: string,
  request: DpPbRequest & { out: string },
): Promise<string> {
  const key = await runtime.context.keyRing.binding(keyUri);
  const der = await dpPbCertificationRequest(key, request);
  await writeOutput(request.out, encodePem('CERTIFICATE REQUEST', der), '--out', { fresh: true });
  return request.out;
}

/** With what the backend itself says, as evidence for the record of a key ceremony. */
export function describe({
  uri,
  algorithm,
  oaepHash,
  exportable,
  identity,
  attributes = {},
}: KeyDescription): string {
  return fields([
    ['key', uri],
    ['algorithm', oaepHash === undefined ? algorithm : `${algorithm} with ${oaepHash}`],
    ['identity', identity],
    ['private key can leave', exportable ? 'YES' : 'no'],
    ...Object.entries(attributes).map(([name, value]) => [name, String(value)] as const),
  ]);
}
