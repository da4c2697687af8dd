import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import type { LogRecord } from '../../shared/events/log-events.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { Factory, SoftEuicc } from '../../sim/index.ts';
import { count } from '../support/counts.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { effort } from '../support/effort.ts';
import { callHandler, handlerOf, jsonOf } from '../support/function-call.ts';
import { mutated } from '../support/mutations.ts';
import { selfSigned } from '../support/self-signed.ts';

/** Mutations of each object on top of every cut of it at a step of CUT_STEP octets. */
const MUTATIONS = effort({ short: 100, long: 500 });
const CUT_STEP = effort({ short: 21, long: 7 });

const CALLERS = {
  'esed1.registerEuiccData': EUM,
  'esbpp.requestBpp': DEVICE_MAKER,
  'esbpp.sendProfileLoadingReport': DEVICE_MAKER,
  'es9plus.handleNotification': undefined,
} as const;
type DerFunction = keyof typeof CALLERS;

const certificate = selfSigned('party');
/** Each object under an identifier of its own, so that none is refused for the one before. */
const objects = new Map<DerFunction, (id: Uint8Array) => Uint8Array>();
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  const { services } = deployment.runtime;
  const personalised = deployment.eum.personalise({ keys: 4 });
  const { eid } = personalised;
  const deviceManufacturers = [DEVICE_MAKER.identifier];
  const batch = (batchId: Uint8Array) =>
    deployment.eum.euiccDataBatch([personalised], { batchId, deviceManufacturers });
  await services.orders.prepareProfiles(OPERATOR, deployment.order('ORD-1', 20, ownTemplate()));
  const request = (id: Uint8Array) =>
    encodeBppRequest({
      requestId: toHex(id),
      orderId: 'ORD-1',
      euiccData: batch(id),
      items: [{ itemId: 1, eid, keyId: undefined, iccid: undefined, additional: true }],
    });
  const { bppBatch } = await services.delivery.requestBpp(DEVICE_MAKER, request(Buffer.of(0)));
  const card = SoftEuicc.create(personalised);
  const factory = new Factory({ journalFile: join(deployment.folder, 'journal'), reader: () => card });
  const [outcome] = await factory.load(bppBatch!);
  objects.set('esed1.registerEuiccData', batch);
  objects.set('esbpp.requestBpp', request);
  objects.set('esbpp.sendProfileLoadingReport', (id) => factory.report(id, [bppBatch!]));
  objects.set('es9plus.handleNotification', () => outcome!.result!);
});

afterAll(() => deployment?.close());

describe('real objects that are cut off or changed never make the real services fail', () => {
  for (const path of Object.keys(CALLERS) as DerFunction[]) {
    it(path, async () => {
      const lines: LogRecord[] = [];
      const caller = CALLERS[path];
      const services: Services = {
        ...deployment.runtime.services,
        parties: { identify: async () => caller ?? OPERATOR },
      };
      const handler = handlerOf(path, services, { log: (line) => lines.push(line) });
      const send = async (raw: Uint8Array) => {
        const headers = { 'content-type': 'application/octet-stream' };
        const result = await callHandler(handler, path, { certificate, raw, headers });
        expect(lines.filter(({ event }) => event === 'fault')).toEqual([]);
        expect(lines).toHaveLength(1);
        lines.length = 0;
        return result;
      };
      const make = objects.get(path)!;
      const original = make(Buffer.of(1));
      for (let length = 0; length < original.length; length += CUT_STEP) {
        const { statusCode, body } = await send(original.subarray(0, length));
        expect(statusCode).toBe(200);
        const { status } = jsonOf({ body }).header.functionExecutionStatus;
        expect(status, `cut at ${length}`).toBe('Failed');
        count('cuts', 1);
      }
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ minLength: 16, maxLength: 16 }).chain((id) => mutated(make(id))),
          async (raw) => void (await send(raw)),
        ),
        { numRuns: MUTATIONS },
      );
      count('mutations', MUTATIONS);
      const { statusCode, body } = await send(original);
      if (path === 'es9plus.handleNotification') expect(statusCode).toBe(204);
      else expect(jsonOf({ body }).header.functionExecutionStatus.status).toMatch(/^Executed/);
    });
  }
});
