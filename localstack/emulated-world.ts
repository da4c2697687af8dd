import { generateKeyPairSync, type KeyObject, randomInt } from 'node:crypto';
import { fingerprintOf } from '../cli/deployment/tls.ts';
import type { Runtime } from '../shared/runtime.ts';
import type { PartyRole } from '../shared/service/api/caller.ts';
import {
  CallbackServer,
  DeviceMaker,
  EumClient,
  FieldDevice,
  Operator,
  SimCi,
  SimEum,
} from '../sim/index.ts';
import { CERTIFICATE_HEADER } from './certificate-header.ts';
import { apiUrl, type Outputs } from './outputs.ts';
import { emulatedPki } from './pki.ts';

export const OPERATOR_ID = '2.999.60';
export const MAKER_ID = '2.999.50';
const EUM_ID = '2.999.40';
const SMDPF_OID = '2.999.10';
/** Not 127.0.0.1: in MiniStack's Lambdas HTTPS to that address is made plain HTTP. */
const CALLBACK_HOST = process.env.SMDPF_CALLBACK_HOST ?? '127.0.0.2';

/** The counterparts of a deployed stack: a CI and an EUM of their own, and a certificate for each party. */
export interface EmulatedWorld {
  readonly operator: Operator;
  readonly maker: DeviceMaker;
  /** With a certificate that nobody registered. */
  readonly stranger: DeviceMaker;
  readonly eumClient: EumClient;
  readonly field: FieldDevice;
  readonly eum: SimEum;
  readonly callbacks: CallbackServer;
  readonly outputKey: { readonly privateKey: KeyObject; readonly jwk: Readonly<Record<string, unknown>> };
}

/** Does what an administrator does: trusts a CI and an EUM, has its key certified, registers the parties. */
export async function openEmulatedWorld(outputs: Outputs, runtime: Runtime): Promise<EmulatedWorld> {
  const by = 'smoke';
  const ci = SimCi.create();
  const { trustAdministration, keys, services } = runtime;
  await trustAdministration.addCi(ci.certificate, { forSigning: true, forVerification: true }, by);
  await trustAdministration.addCrl(ci.issueCrl(), [], by);
  const { publicKey } = await keys.openSigningKey(outputs.bindingKey, 'binding');
  const certificate = ci.issueDpPb({ spki: publicKey }, { oid: SMDPF_OID });
  await trustAdministration.installDpPb(
    { keyUri: outputs.bindingKey, ciPkId: ci.keyId, certificates: [certificate] },
    by,
  );
  // EIDs of its own in each run: those of an earlier one are registered with other certificates
  const eum = SimEum.create({ ci, firstSerial: randomInt(1_000_000) * 1_000 + 1 });
  await trustAdministration.allowEum(eum.ca.certificate, { party: EUM_ID }, by);

  const pki = await emulatedPki();
  const client = async (name: string, identifier: string, role?: PartyRole) => {
    const { cert } = await pki.client(name);
    if (role !== undefined) await services.parties.add(fingerprintOf(cert), { identifier, role, name }, by);
    return {
      baseUrl: apiUrl(outputs.partiesApi),
      functionRequesterIdentifier: identifier,
      headers: { [CERTIFICATE_HEADER]: encodeURIComponent(cert) },
    };
  };
  const { publicKey: jwkKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    operator: new Operator(await client('operator', OPERATOR_ID, 'operator')),
    maker: new DeviceMaker(await client('device-maker', MAKER_ID, 'deviceMaker')),
    stranger: new DeviceMaker(await client('stranger', MAKER_ID)),
    eumClient: new EumClient(await client('eum', EUM_ID, 'eum')),
    field: new FieldDevice({ baseUrl: apiUrl(outputs.fieldApi) }),
    eum,
    callbacks: await CallbackServer.start({
      tls: await pki.server([CALLBACK_HOST]),
      host: CALLBACK_HOST,
      failFirst: 1,
    }),
    outputKey: { privateKey, jwk: jwkKey.export({ format: 'jwk' }) as Record<string, unknown> },
  };
}
