import { join } from 'node:path';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import type { LogRecord } from '../../shared/events/log-events.ts';
import { type FunctionPath, functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import type { HttpAnswer } from '../../shared/gsma/http-answer.ts';
import { httpFunction } from '../../shared/gsma/http-function.ts';
import { DER_TYPE, JSON_TYPE } from '../../shared/gsma/media-type.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { PROTOCOL_VERSION } from '../../shared/ifpp-draft1/version.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { STATUS_CODES } from '../../shared/status-codes.ts';
import { Factory, SoftEuicc } from '../../sim/index.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { jsonOf } from '../support/function-call.ts';
import { IDENTIFIERS, memoryServices } from '../support/memory-services.ts';
import { requestOf } from '../support/openapi.ts';
import { selfSigned } from '../support/self-signed.ts';
import type { Target, Targets } from './target.ts';

const KNOWN = new Set(Object.values(STATUS_CODES).map(({ subject, reason }) => `${subject}/${reason}`));
const FAULTS = [STATUS_CODES.executionError, STATUS_CODES.providerUnavailable].map(
  ({ subject, reason }) => `${subject}/${reason}`,
);
/** HTTP of what is refused before a body is read as one. */
const REFUSED_BY_HTTP = [403, 413, 415];
/** Calls after which services in memory begin anew: they keep what they got. */
const CALLS = 2_000;
const BINARY = ['euiccDataBatch', 'bppRequest', 'profileLoadingReport', 'pendingNotification'];

const { cert: clientCertificate } = selfSigned('party');

/** A function as HTTP reaches it, with services of whoever is registered; a fault of ours throws. */
function called(path: FunctionPath, services: Services) {
  const faults: LogRecord[] = [];
  const log = (line: LogRecord) => void (line.event === 'fault' && faults.push(line));
  const answer = httpFunction(functionAt(path), services, {
    log,
    now: () => performance.now(),
    newIncident: () => 'incident',
  });
  return async (body: Bytes, type: string) => {
    const request = {
      method: 'POST',
      headers: { 'content-type': type, 'x-admin-protocol': PROTOCOL_VERSION },
      clientCertificate,
      readBody: async () => body,
    };
    const outcome = outcomeOf(await answer(request, 20_000));
    if (faults.length > 0) throw new Error(`a fault in the log: ${JSON.stringify(faults.splice(0))}`);
    return outcome;
  };
}

function outcomeOf({ httpStatus, body }: HttpAnswer): 'accepted' | 'refused' {
  if (httpStatus === 204) return 'accepted';
  if (httpStatus !== 200 && !REFUSED_BY_HTTP.includes(httpStatus)) throw new Error(`HTTP ${httpStatus}`);
  if (typeof body !== 'string') return 'accepted';
  if (/\bat .*[.]ts|Error:|node:internal/.test(body)) throw new Error('an answer that tells of the inside');
  const { status, statusCodeData } = jsonOf({ body }).header.functionExecutionStatus;
  if (status !== 'Failed') return 'accepted';
  const codes = `${statusCodeData?.subjectCode}/${statusCodeData?.reasonCode}`;
  if (!KNOWN.has(codes) || FAULTS.includes(codes)) throw new Error(`answered with ${codes}`);
  return 'refused';
}

const callerOf = (role: PartyRole | 'anyone') => {
  const known = role === 'anyone' ? 'operator' : role;
  return { identifier: IDENTIFIERS[known], role: known, fingerprint: '00'.repeat(32) };
};

/** Every function on services in memory, by bodies of JSON and of DER. */
export function functions(): Target[] {
  return functionPaths.flatMap((path) => {
    const { role } = functionAt(path);
    const anew = () =>
      called(path, { ...memoryServices(), parties: { identify: async () => callerOf(role) } });
    let call = anew();
    let calls = 0;
    const send = (body: Bytes, type: string) => {
      calls += 1;
      if (calls % CALLS === 0) call = anew();
      return call(body, type);
    };
    const header = { functionRequesterIdentifier: callerOf(role).identifier, functionCallIdentifier: 'C-1' };
    const examples = Object.values(requestOf(path).content['application/json']?.examples ?? {}).map(
      ({ value }) => (role === 'anyone' ? value : { ...value, header }),
    );
    const asJson: Target = {
      kind: `function: ${path}, JSON`,
      seeds: examples.map((example) => Buffer.from(JSON.stringify(example))),
      json: examples,
      run: (body) => send(body, JSON_TYPE),
    };
    const binary = examples.flatMap((example) =>
      BINARY.flatMap((name) => (typeof example[name] === 'string' ? [example[name]] : [])),
    );
    if (binary.length === 0) return [asJson];
    const seeds = binary.map((text) => Buffer.from(text, 'base64'));
    return [asJson, { kind: `function: ${path}, DER`, seeds, run: (body) => send(body, DER_TYPE) }];
  });
}

/** The functions that take much DER, on the real services, by objects that these take. */
export async function services(): Promise<Targets> {
  const deployment = await Deployment.create({ memory: true });
  const { services: real } = deployment.runtime;
  const personalised = deployment.eum.personalise({ keys: 4 });
  const { eid } = personalised;
  const deviceManufacturers = [DEVICE_MAKER.identifier];
  const batch = (batchId: Bytes) =>
    deployment.eum.euiccDataBatch([personalised], { batchId, deviceManufacturers });
  await real.orders.prepareProfiles(OPERATOR, deployment.order('ORD-1', 200, ownTemplate()));
  const request = (id: Bytes) =>
    encodeBppRequest({
      requestId: toHex(id),
      orderId: 'ORD-1',
      euiccData: batch(id),
      items: [{ itemId: 1, eid, keyId: undefined, iccid: undefined, additional: true }],
    });
  const { bppBatch } = await real.delivery.requestBpp(DEVICE_MAKER, request(Buffer.of(0)));
  const card = SoftEuicc.create(personalised);
  const factory = new Factory({ journalFile: join(deployment.folder, 'journal'), reader: () => card });
  const [outcome] = await factory.load(bppBatch!);
  const target = (path: FunctionPath, caller: typeof EUM, seed: Bytes): Target => {
    const call = called(path, { ...real, parties: { identify: async () => caller } });
    return { kind: `real services: ${path}`, seeds: [seed], run: (body) => call(body, DER_TYPE) };
  };
  return {
    targets: [
      target('esed1.registerEuiccData', EUM, batch(Buffer.of(1))),
      target('esbpp.requestBpp', DEVICE_MAKER, request(Buffer.of(1))),
      target('esbpp.sendProfileLoadingReport', DEVICE_MAKER, factory.report(Buffer.of(1), [bppBatch!])),
      target('es9plus.handleNotification', OPERATOR, outcome!.result!),
    ],
    close: () => deployment.close(),
  };
}
