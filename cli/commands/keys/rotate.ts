import { toHex } from '../../../shared/codec/bytes.ts';
import type { KeyDescription } from '../../../shared/keys/provider.ts';
import { formatKeyUri, parseKeyUri } from '../../../shared/keys/uri.ts';
import { decodeCertificate } from '../../../shared/pki/certificate.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { Actor } from '../../../shared/service/api/actor.ts';
import { assignKey } from '../../../shared/service/keys/assign-key.ts';
import { retireIntakeKey } from '../../../shared/service/keys/intake-keys.ts';
import { forgetWaitingKey } from '../../../shared/service/keys/waiting-keys.ts';
import type { AssignedRole } from '../../../shared/service/records/custody.ts';
import { dpName } from '../../../shared/service/trust/trust-items.ts';
import { underDualControl } from '../../deployment/acting-person.ts';
import type { DeploymentFolder } from '../../deployment/folder.ts';
import { freshName, namedKey } from '../../deployment/keys.ts';
import { readOctets, requireFresh } from '../../input/files.ts';
import { unwrapText } from '../../input/text-form.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import type { Folder } from '../folder-commands.ts';
import type { NewKeyArguments, RequestArguments } from './arguments.ts';
import { describe, makeKey, requestOf, writeRequest } from './make.ts';
import { withDeployment } from './open.ts';

export function installCertificate(
  { folder, key, certificate }: Folder & { key: string; certificate: string[] },
  io: CliIo,
): Promise<void> {
  return withDeployment(folder, async (runtime, _deployment, by) => {
    const { trustAdministration, context } = runtime;
    const files = await Promise.all(certificate.map((file) => readOctets(file, '--certificate')));
    const certificates = files.flatMap((file) => unwrapText(file).blocks.map(({ octets }) => octets));
    const decoded = certificates.map((der) => decodeCertificate(der, 'dpCertificateInvalid'));
    const ciPkId = decoded.at(-1)?.extensions.authorityKeyIdentifier;
    if (ciPkId === undefined)
      throw new UsageError(
        '--certificate: the last certificate does not name its CI (AuthorityKeyIdentifier)',
        'Give CERT.DPpb first, then the SubCAs up to the CI, without the CI itself.',
      );
    const dp = { keyUri: key, ciPkId, certificates };
    const { variant, smdpOid } = await underDualControl(
      runtime,
      by,
      { action: 'key.install', subject: dpName(dp) },
      (begun) => trustAdministration.installDpPb(dp, begun),
    );
    await forgetWaitingKey(context, key);
    const { notAfterMs } = decoded[0]!;
    const document = {
      key,
      ciPkId: toHex(ciPkId),
      variant,
      smdpOid,
      notAfter: new Date(notAfterMs).toISOString(),
    };
    io.answer(document, () => fields(Object.entries(document)));
  });
}

export function rotateKey(options: NewKeyArguments & RequestArguments, io: CliIo): Promise<void> {
  const { role } = options;
  return role === 'binding'
    ? newBindingKey(options, requestOf(options), io)
    : newAssignedKey(options, role, io);
}

/** A binding key is in use once its certificate is installed. */
async function newBindingKey(
  options: NewKeyArguments,
  request: ReturnType<typeof requestOf>,
  io: CliIo,
): Promise<void> {
  // a key in a token is not unmade: what it is for is looked at before
  await requireFresh(request.out, '--out');
  await withDeployment(options.folder, async (runtime, deployment, by) => {
    const description = await underDualControl(
      runtime,
      by,
      { action: 'key.generate', subject: options.role },
      (begun) => newKey(options, runtime, deployment, begun),
    );
    const { uri } = description;
    const file = await writeRequest(runtime, uri, request);
    io.answer({ role: options.role, key: uri, request: file }, () =>
      [
        describe(description),
        fields([
          ['certification request', file],
          ['next', `smdpf keys install --key '${uri}' --certificate FILE`],
        ]),
      ].join('\n'),
    );
  });
}

/** In use at once, on all servers of the deployment. */
function newAssignedKey(options: NewKeyArguments, role: AssignedRole, io: CliIo) {
  return withDeployment(options.folder, async (runtime, deployment, by) => {
    const guarded = { action: 'key.generate', subject: role } as const;
    const description = await underDualControl(runtime, by, guarded, async (begun) => {
      const made = await newKey(options, runtime, deployment, begun);
      await assignKey(runtime.context, role, made.uri, begun);
      await forgetWaitingKey(runtime.context, made.uri);
      return made;
    });
    const { uri } = description;
    const rewrapped =
      role === 'wrapping' && options.rewrap !== false ? await rewrapAll(runtime, io) : undefined;
    const counts = rewrapped && [
      fields([
        ['data keys moved', rewrapped.moved],
        ['still to move', rewrapped.waiting],
      ]),
    ];
    io.answer({ role, key: uri, ...rewrapped }, () => [describe(description), ...(counts ?? [])].join('\n'));
  });
}

function newKey(
  { role, curve, key }: NewKeyArguments,
  runtime: Runtime,
  deployment: DeploymentFolder,
  by: Actor,
): Promise<KeyDescription> {
  return makeKey(runtime, namedKey(deployment, key, freshName(role)), { role, curve }, by);
}

/** What a running server wrote meanwhile, or has not committed yet, its own rounds move. */
async function rewrapAll({ context, wrappingRotation }: Runtime, io: CliIo) {
  const { former } = await context.keyAssignments.get('wrapping');
  let total = 0;
  for (const { uri } of former) total += await wrappingRotation.remaining(uri);
  const bar = io.progress('re-wrapping data keys', total);
  let done = 0;
  const result = await wrappingRotation.rewrap({ onMoved: () => bar.update(++done) });
  bar.end();
  return result;
}

export function retireKey(
  { folder, certificate, key, last }: Folder & { certificate?: string; key?: string; last?: boolean },
  io: CliIo,
): Promise<void> {
  if ((certificate === undefined) === (key === undefined))
    throw new UsageError('keys retire takes either --certificate or --key', 'smdpf keys list shows both.');
  return withDeployment(folder, async (runtime, _deployment, by) => {
    const subject = key === undefined ? certificate!.toLowerCase() : formatKeyUri(parseKeyUri(key));
    await underDualControl(runtime, by, { action: 'key.retire', subject }, (begun) =>
      key === undefined
        ? retireCertificate(runtime, subject, last === true, begun)
        : retireFormerKey(runtime, key, begun),
    );
    io.answer({ retired: key ?? certificate }, () => fields([['retired', key ?? certificate]]));
  });
}

async function retireFormerKey(
  { context, wrappingRotation }: Runtime,
  key: string,
  by: Actor,
): Promise<void> {
  const role = await context.keyAssignments.formerRole(key);
  if (role === 'wrapping') await wrappingRotation.retire(key, by);
  else if (role === 'intake') await retireIntakeKey(context, key, by);
  else if (role === 'delivery' || role === 'longTerm') await context.keyAssignments.retire(role, key, by);
  else if (!(await forgetWaitingKey(context, key)))
    throw new UsageError(
      '--key: it is no key that waits, and no wrapping, intake, delivery or longTerm key that another has replaced',
      'smdpf keys list shows those in state waiting or former.',
    );
}

async function retireCertificate(
  { trustAdministration, keyInventory }: Runtime,
  name: string,
  last: boolean,
  by: Actor,
): Promise<void> {
  const active = (await keyInventory.list()).filter(
    ({ role, state }) => role === 'binding' && state === 'active',
  );
  const chosen = active.find(({ certificate }) => certificate?.sha256 === name);
  const others = active.filter(
    (one) =>
      one !== chosen &&
      one.certificate?.ciPkId === chosen?.certificate?.ciPkId &&
      one.description?.algorithm === chosen?.description?.algorithm,
  );
  if (chosen !== undefined && others.length === 0 && !last)
    throw new UsageError(
      '--certificate: it is the only one under its CI on its curve',
      'Install its successor first, or give --last.',
    );
  await trustAdministration.retireDpPb(name, by);
}
