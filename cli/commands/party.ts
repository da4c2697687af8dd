import { X509Certificate } from 'node:crypto';
import { type Command, Option } from 'commander';
import { encodeOid } from '../../shared/codec/oid.ts';
import { present } from '../../shared/present.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import type { PartyEntry } from '../../shared/service/api/ops.ts';
import { endingOf } from '../../shared/service/parties/parties.ts';
import type { PartyRecord } from '../../shared/service/records/party.ts';
import { underDualControl } from '../deployment/acting-person.ts';
import { DevelopmentPki, fingerprintOf, notAfterOf } from '../deployment/tls.ts';
import { withRuntime } from '../deployment/with-runtime.ts';
import { readDer } from '../input/files.ts';
import type { CliIo } from '../output/cli-io.ts';
import { hinted, UsageError } from '../output/failure.ts';
import { fields, table } from '../output/table.ts';
import { folderCommands } from './folder-commands.ts';
import { remoteInventory, type Where, withWhere, withWork } from './ops/looking.ts';

const ROLES = [
  'operator',
  'eum',
  'deviceMaker',
  'auditor',
  'viewer',
  'administrator',
] as const satisfies readonly PartyRole[];

interface AddArguments {
  readonly folder: string;
  readonly role: PartyRole;
  readonly certificate?: string;
  readonly issue?: true;
  readonly name?: string;
}

/** `smdpf party`: who may call, by client certificate. */
export function registerParty(program: Command, io: CliIo): void {
  const party = program.command('party');
  const command = folderCommands(party);

  command('add <identifier>', 'register a client certificate of a party; a party may have several')
    .addOption(new Option('--role <role>', 'what it may call').choices(ROLES).makeOptionMandatory())
    .option('--certificate <file>', 'the client certificate')
    .option('--issue', 'issue one by the development CA of the folder, with its key: never for production')
    .option('--name <name>', 'for people')
    .action((identifier: string, options: AddArguments) => addParty(identifier, options, io));
  withWhere(party.command('list').description('all client certificates, the revoked ones too'), io).action(
    (where: Where) => listParties(where, io),
  );
  command('revoke <fingerprint>', 'a client certificate is no party from the next call on').action(
    (fingerprint: string, { folder }: { folder: string }) => revokeParty(fingerprint, folder, io),
  );
  registerSuspension(party, io);
}

/** In a folder, or at a server as an administrator. */
function registerSuspension(party: Command, io: CliIo): void {
  for (const [name, description, fn, done] of SUSPENSION)
    withWhere(party.command(`${name} <identifier>`).description(description), io).action(
      async (identifier: string, where: Where) => {
        const certificates = await withWork(where, io, {
          folder: ({ services }, by) =>
            hinted('requestUnknown', PARTIES, () => services.parties[name](identifier, by)),
          server: async (client) => Number((await client.execute('ops', fn, { identifier })).certificates),
        });
        io.answer({ identifier, certificates }, `${identifier} ${done} (${certificates} certificates)`);
      },
    );
}

const PARTIES = 'smdpf party list shows who is registered.';

const SUSPENSION = [
  [
    'suspend',
    'all client certificates of a party call no more, until it is resumed',
    'suspendParty',
    'is suspended',
  ],
  ['resume', 'a party that was suspended may call again', 'resumeParty', 'may call again'],
] as const;

/** Companies are known by an object identifier (SGP.22, 6.5.1.3); persons and tools that look on, by a short word. */
function requireIdentifier(identifier: string, role: PartyRole): void {
  if (!/^[\w.-]{1,128}$/.test(identifier))
    throw new UsageError('the identifier is no functionRequesterIdentifier', 'Such as 2.999.60.');
  if (role !== 'operator' && role !== 'eum' && role !== 'deviceMaker') return;
  try {
    encodeOid(identifier);
  } catch (cause) {
    throw new UsageError(
      `${identifier} is no object identifier, by which an Operator, EUM or device manufacturer is known`,
      'Numbers with dots between, none with a zero before it, such as 2.999.60; the company has its own.',
      { cause },
    );
  }
}

function addParty(identifier: string, options: AddArguments, io: CliIo): Promise<void> {
  return withRuntime(options.folder, async (runtime, deployment, by) => {
    const { services } = runtime;
    const { role, name, certificate, issue } = options;
    if ((certificate === undefined) === (issue === undefined))
      throw new UsageError('exactly one of --certificate and --issue is needed', 'Name one of them.');
    requireIdentifier(identifier, role);
    const client = `${role}-${identifier}`;
    const files = deployment.path('tls', `client-${client}`);
    const pki = issue && (await DevelopmentPki.open(deployment.path('tls')));
    const again = pki?.hasClient(client) ?? false;
    const der =
      pki !== undefined
        ? new X509Certificate((await pki.client(client)).cert).raw
        : await readDer(certificate!, '--certificate');
    const fingerprint = fingerprintFrom(der, certificate);
    const notAfterMs = notAfterOf(der);
    const known = { identifier, role, notAfterMs, ...present({ name }) };
    await underDualControl(runtime, by, { action: 'party.add', subject: fingerprint }, (begun) =>
      services.parties.add(fingerprint, known, begun),
    );
    const state = endingOf({ notAfterMs }, io.now().getTime());
    if (again)
      io.warn(
        `${files}.cert.pem was there: it is kept, with its key. For a new certificate move both away and issue again`,
      );
    if (state !== undefined) io.warn(`the certificate ${STATE[state]} ${dateOf(notAfterMs)}`);
    const issued = issue && { certificate: `${files}.cert.pem`, key: `${files}.key.pem` };
    io.answer({ identifier, role, fingerprint, ...(issued && { issued }) }, () =>
      fields([
        ['party', identifier],
        ['role', role],
        ['fingerprint', fingerprint],
        ['certificate', issued?.certificate],
        ['private key', issued?.key],
      ]),
    );
  });
}

interface Listed {
  readonly document: Readonly<Record<string, unknown>>;
  readonly rows: readonly (readonly (string | undefined)[])[];
}

/** In a folder, or at a server as a viewer, which has its own words for the state of a certificate. */
async function listParties(where: Where, io: CliIo): Promise<void> {
  const headings = ['party', 'role', 'fingerprint', 'state', 'name'];
  const row = (
    { identifier, role, fingerprint, name }: Omit<PartyEntry, 'state' | 'addedAt'>,
    state: string,
  ) => [identifier, role, fingerprint, state, name];
  const { document, rows } = await withWork<Listed>(where, io, {
    folder: async ({ services }) => {
      const parties = await services.parties.list();
      const rows = parties.map((one) => row(one, stateOf(one, io.now().getTime())));
      return { document: { parties }, rows };
    },
    server: async (client) => {
      const { parties } = await remoteInventory(client).listParties();
      const until = ({ state, notAfter }: PartyEntry) =>
        notAfter === undefined ? state : `${state} until ${notAfter.slice(0, 10)}`;
      return { document: { parties }, rows: parties.map((one) => row(one, until(one))) };
    },
  });
  io.answer(document, () => table(headings, rows));
}

const STATE = { expired: 'has expired:', soon: 'ends within 30 days:' } as const;

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

function stateOf({ revokedAt, notAfterMs }: PartyRecord, atMs: number): string {
  if (revokedAt !== undefined) return `revoked ${new Date(revokedAt).toISOString()}`;
  if (notAfterMs === undefined) return 'valid';
  const state = endingOf({ notAfterMs }, atMs);
  return state === undefined ? `valid until ${dateOf(notAfterMs)}` : `${STATE[state]} ${dateOf(notAfterMs)}`;
}

function revokeParty(written: string, folder: string, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime, _deployment, by) => {
    const fingerprint = written.replace(/[\s:]/g, '').toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(fingerprint))
      throw new UsageError(
        'a fingerprint is the SHA-256 of a certificate, 64 hexadecimal digits',
        'smdpf party list shows the fingerprints of a party.',
      );
    await underDualControl(runtime, by, { action: 'party.revoke', subject: fingerprint }, (begun) =>
      runtime.services.parties.revoke(fingerprint, begun),
    );
    io.answer({ fingerprint }, 'the certificate is revoked');
  });
}

function fingerprintFrom(der: Uint8Array, file: string | undefined): string {
  try {
    return fingerprintOf(der);
  } catch (cause) {
    throw new UsageError(
      `--certificate: ${file} is no X.509 certificate`,
      'Name a certificate in PEM or DER.',
      {
        cause,
      },
    );
  }
}
