import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { present } from '../../shared/present.ts';
import {
  CallbackServer,
  type CardReader,
  DEFAULT_FEATURES,
  DeviceMaker,
  type EuiccFaults,
  EumClient,
  FieldDevice,
  hybridOutputKey,
  Operator,
  type PersonalisedEuicc,
  SimEum,
  SoftEuicc,
  type SuiteName,
  type TlsIdentity,
} from '../../sim/index.ts';
import { SANDBOX_EUM, type Sandbox } from '../deployment/sandbox.ts';
import type { RunningDeployment } from '../deployment/start.ts';
import { fingerprintOf, notAfterOf } from '../deployment/tls.ts';

export const OPERATOR_ID = '2.999.60';
export const MAKER_ID = '2.999.50';
const OTHER_MAKER_ID = '2.999.51';

/** What goes wrong with a device, on purpose. */
export type DeviceTrouble = 'damaged' | 'ineligible' | 'tampered' | 'powerCut' | 'silent';

export interface Device {
  readonly euicc: PersonalisedEuicc;
  readonly card: SoftEuicc;
  readonly trouble?: DeviceTrouble;
  /** A: by Esed1 to the SM-DPf. B: by Esed2 to the device manufacturer, and from there inside the request. */
  readonly path: 'A' | 'B';
}

/** The counterparts of the SM-DPf, each with a client certificate of its own. */
export interface World {
  readonly operator: Operator;
  readonly maker: DeviceMaker;
  readonly otherMaker: DeviceMaker;
  readonly eumClient: EumClient;
  readonly field: FieldDevice;
  readonly callbacks: CallbackServer;
  readonly eum: SimEum;
  readonly outputKey: { readonly privateJwk: JWK; readonly jwk: Readonly<Record<string, unknown>> };
}

export async function openWorld(
  server: RunningDeployment,
  sandbox: Sandbox,
  suite: SuiteName = sandbox.eumCa.curve,
): Promise<World> {
  const { pki, urls, runtime } = server;
  const ca = pki.caCertificate;
  const join = async (name: string, identifier: string, role: 'operator' | 'deviceMaker' | 'eum') => {
    const { cert, key } = await pki.client(name);
    await runtime.services.parties.add(
      fingerprintOf(cert),
      { identifier, role, name, notAfterMs: notAfterOf(cert) },
      'demo',
    );
    const tls: TlsIdentity = { ca, cert, key };
    return { baseUrl: urls.parties, functionRequesterIdentifier: identifier, tls };
  };
  return {
    operator: new Operator(await join('operator', OPERATOR_ID, 'operator')),
    maker: new DeviceMaker(await join('device-maker', MAKER_ID, 'deviceMaker')),
    otherMaker: new DeviceMaker(await join('other-maker', OTHER_MAKER_ID, 'deviceMaker')),
    eumClient: new EumClient(await join('eum', SANDBOX_EUM, 'eum')),
    field: new FieldDevice({ baseUrl: urls.field, tls: { ca } }),
    callbacks: await CallbackServer.start({ tls: await pki.server(['localhost']), failFirst: 2 }),
    eum: new SimEum({ ca: sandbox.eumCa, ci: sandbox.ci.certificate, firstSerial: 1, suite }),
    outputKey: outputKeyOf(suite),
  };
}

/** The Operator's key for its rows: RSA, or as safe as the one-time keys are. */
function outputKeyOf(suite: SuiteName): World['outputKey'] {
  if (suiteByName(suite).quantumSafe) {
    const { priv, ...jwk } = hybridOutputKey();
    return { privateJwk: { ...jwk, priv }, jwk };
  }
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    privateJwk: privateKey.export({ format: 'jwk' }) as JWK,
    jwk: { ...publicKey.export({ format: 'jwk' }) },
  };
}

/** The devices that shall work, and one for each trouble. */
export function makeDevices(eum: SimEum, folder: string, count: number, keys: number): Device[] {
  mkdirSync(folder, { recursive: true });
  const make = (path: 'A' | 'B', trouble?: DeviceTrouble): Device => {
    // an eUICC without MILENAGE cannot run the profile, whatever else it can do
    const features =
      trouble === 'ineligible'
        ? { uiccCapability: DEFAULT_FEATURES.uiccCapability.filter((name) => name !== 'milenage') }
        : {};
    const euicc = eum.personalise({ keys, features });
    const faults: EuiccFaults =
      trouble === 'damaged' ? { damaged: true } : trouble === 'powerCut' ? { powerCutAfterApdus: 20 } : {};
    const card = SoftEuicc.create(euicc, { file: join(folder, `${euicc.eid}.json`), faults });
    return { euicc, card, path, ...present({ trouble }) };
  };
  const troubles: DeviceTrouble[] = ['damaged', 'ineligible', 'tampered', 'powerCut', 'silent'];
  return [
    ...Array.from({ length: count }, (_, i) => make(i % 2 === 0 ? 'A' : 'B')),
    ...troubles.map((trouble) => make('A', trouble)),
  ];
}

/** The line's reader for a device; a silent one installs and then never gets its answer through. */
export function readerOf(device: Device): CardReader {
  const { card } = device;
  if (device.trouble !== 'silent') return card;
  return {
    reset: () => card.reset(),
    transmit(apdu) {
      const answer = card.transmit(apdu);
      if (answer.length > 2 || answer[0] === 0x61) throw new Error('the connection broke');
      return answer;
    },
  };
}
