import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomInt } from 'node:crypto';
import type { Runtime } from '../../../shared/runtime.ts';
import type { Actor } from '../../../shared/service/api/actor.ts';
import type { PartyRole } from '../../../shared/service/api/caller.ts';
import { ownOid } from '../../../shared/service/trust/own-oid.ts';
import {
  type CallbackServer,
  DeviceMaker,
  EumClient,
  FieldDevice,
  Operator,
  parseCertificate,
  SimCi,
  SimEum,
  subjectKeyIdentifier,
} from '../../../sim/index.ts';
import { fingerprintOf } from '../../deployment/tls.ts';
import type { DeployedStack } from '../stack-description.ts';
import { type CallerName, type ClientCertificates, fieldOptions, partyOptions } from './front-door.ts';

/** Of the arc for examples: nobody else's. */
export const IDENTIFIERS = { operator: '2.999.41.1', maker: '2.999.41.2', eum: '2.999.41.3' } as const;
const ROLES = { operator: 'operator', maker: 'deviceMaker', eum: 'eum' } as const satisfies Record<
  keyof typeof IDENTIFIERS,
  PartyRole
>;

/** The counterparts of a deployed stack for one run: a CI and an EUM of their own, and a certificate for each party. */
export interface SmokeWorld {
  /** Of this run alone: eight hexadecimal digits. */
  readonly run: string;
  readonly operator: Operator;
  readonly maker: DeviceMaker;
  /** With a certificate that nobody registered; undefined where there is none. */
  readonly stranger: DeviceMaker | undefined;
  readonly eumClient: EumClient;
  readonly field: FieldDevice;
  readonly eum: SimEum;
  readonly outputKey: { readonly privateKey: KeyObject; readonly jwk: Readonly<Record<string, unknown>> };
  /** Where the Operator is called back; undefined where Lambdas reach nobody here. */
  readonly callbacks: CallbackServer | undefined;
  /** What was trusted, installed and registered, to be taken back. */
  readonly made: Made;
}

/** Each is filled in once it is there, so that what is there is taken back wherever a run ends. */
export interface Made {
  ci?: string;
  /** Name of the CI's revocation list in the vault: its SHA-256. */
  crl?: string;
  eum?: string;
  /** SHA-256 of the binding certificate. */
  dpPb?: string;
  readonly parties: string[];
  readonly orders: string[];
  /** Requests of the device manufacturer, by their hexadecimal IDs. */
  readonly requests: string[];
}

export interface WorldOptions {
  readonly stack: DeployedStack;
  readonly runtime: Runtime;
  readonly certificates: ClientCertificates;
  readonly callbacks?: CallbackServer | undefined;
  readonly by: Actor;
  readonly made: Made;
}

export const nothingMade = (): Made => ({ parties: [], orders: [], requests: [] });

/** Does what an administrator does: trusts a CI and an EUM, has a key certified, registers the parties. */
export async function openSmokeWorld(options: WorldOptions): Promise<SmokeWorld> {
  const { stack, runtime, certificates, callbacks, by, made } = options;
  const clients = async (name: CallerName, identifier: string) => {
    const pair = await certificates.of(name);
    return pair && { pair, options: partyOptions(stack.description, identifier, pair) };
  };
  const register = async (name: keyof typeof IDENTIFIERS) => {
    const identifier = IDENTIFIERS[name];
    const client = await clients(name, identifier);
    if (client === undefined) throw new Error(`${name} has no certificate`);
    const fingerprint = fingerprintOf(client.pair.cert);
    made.parties.push(fingerprint);
    await runtime.services.parties.add(
      fingerprint,
      { identifier, role: ROLES[name], name: `smoke ${name}` },
      by,
    );
    return client.options;
  };
  const eum = await openTrust(options);
  const stranger = await clients('stranger', IDENTIFIERS.maker);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    run: randomBytes(4).toString('hex'),
    operator: new Operator(await register('operator')),
    maker: new DeviceMaker(await register('maker')),
    stranger: stranger && new DeviceMaker(stranger.options),
    eumClient: new EumClient(await register('eum')),
    field: new FieldDevice(fieldOptions(stack.description)),
    eum,
    outputKey: { privateKey, jwk: publicKey.export({ format: 'jwk' }) as Record<string, unknown> },
    callbacks,
    made,
  };
}

/**
 * A CI of this run, whose key is nowhere but in memory. The binding certificate has the OID that the server goes by already:
 * whom it calls meanwhile sees no other.
 */
async function openTrust({ stack, runtime, by, made }: WorldOptions): Promise<SimEum> {
  const { trustAdministration, keys, context } = runtime;
  const ci = SimCi.create();
  made.ci = hex(ci.keyId);
  await trustAdministration.addCi(ci.certificate, { forSigning: true, forVerification: true }, by);
  const crl = ci.issueCrl();
  made.crl = sha256(crl);
  await trustAdministration.addCrl(crl, [], by);
  const keyUri = stack.bindingKeys[0]!;
  const { publicKey } = await keys.openSigningKey(keyUri, 'binding');
  const certificate = ci.issueDpPb({ spki: publicKey }, { oid: await ownOid(context) });
  made.dpPb = sha256(certificate);
  await trustAdministration.installDpPb({ keyUri, ciPkId: ci.keyId, certificates: [certificate] }, by);
  // EIDs of its own in each run: those of an earlier one are registered with other certificates
  const eum = SimEum.create({ ci, firstSerial: randomInt(1_000_000_000) * 1_000 + 1 });
  made.eum = hex(subjectKeyIdentifier(parseCertificate(eum.ca.certificate)));
  await trustAdministration.allowEum(eum.ca.certificate, { party: IDENTIFIERS.eum }, by);
  return eum;
}

const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
const sha256 = (octets: Uint8Array) => createHash('sha256').update(octets).digest('hex');
