import { describe, expect, it } from 'vitest';
import { CallCost, counting, countRead } from '../../shared/call-cost.ts';
import type { CallSpent } from '../../shared/service/api/caller.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { modelStores } from '../support/aws-model/stores.ts';
import { callHandler, handlerOf } from '../support/function-call.ts';
import { IDENTIFIERS, memoryServices } from '../support/memory-services.ts';
import { selfSigned } from '../support/self-signed.ts';

const maker = selfSigned('maker');

/** What a call of getBppBatch with this body was charged, whose service has read so much. */
async function charged(read: () => void, body: string) {
  const memory = memoryServices();
  const { fingerprint } = maker;
  memory.register.set(fingerprint, { identifier: IDENTIFIERS.deviceMaker, role: 'deviceMaker', fingerprint });
  const charges: [string, CallSpent][] = [];
  const services: Services = {
    ...memory,
    parties: { ...memory.parties, charge: (party, spent) => void charges.push([party, spent]) },
    delivery: {
      ...memory.delivery,
      async getBppBatch(_, { requestId }) {
        read();
        return { requestId, state: 'Pending', items: 1, processed: 0, failed: [] };
      },
    },
  };
  const path = 'esbpp.getBppBatch';
  const result = await callHandler(handlerOf(path, services), path, { certificate: maker, raw: body });
  return { charges, answer: result.body?.length ?? 0 };
}

const bodyOf = (padding: number) =>
  JSON.stringify({
    header: { functionRequesterIdentifier: IDENTIFIERS.deviceMaker, functionCallIdentifier: 'C-1' },
    requestId: '0A',
  }) + ' '.repeat(padding);

describe('a call behind API Gateway is charged by what it costs', { tags: ['I13'] }, () => {
  it('by its reads and the octets of its body and answer', async () => {
    const body = bodyOf(100_000);
    const { charges, answer } = await charged(() => {
      countRead(4_096 * 999);
      countRead(0);
    }, body);
    expect(charges).toEqual([[IDENTIFIERS.deviceMaker, { reads: 1_000, octets: body.length + answer }]]);
  });

  it('also where it is refused', async () => {
    const { charges } = await charged(() => {
      countRead(4_096 * 5);
      throw new Error('it fails');
    }, bodyOf(0));
    expect(charges).toMatchObject([[IDENTIFIERS.deviceMaker, { reads: 5 }]]);
  });

  it('whose reads of table and bucket are counted by 4 KiB, and what is not there as one', async () => {
    const { ledger, vault } = modelStores({ sent: async () => undefined });
    const item = (sort: string) => ({ partition: 'p', sort });
    await ledger.write({ put: item('a'), attributes: { text: 'x'.repeat(10_000) }, when: 'absent' });
    await ledger.write({ put: item('b'), attributes: { text: 'x' }, when: 'absent' });
    const object = await vault.put('o', Buffer.alloc(9_000));
    const costOf = async (work: () => Promise<unknown>) => {
      const cost = new CallCost();
      await counting(cost, work);
      return cost.reads;
    };
    expect(await costOf(() => ledger.get(item('a')))).toBe(3);
    expect(await costOf(() => ledger.get(item('none')))).toBe(1);
    expect(await costOf(() => ledger.getMany(['a', 'b', 'none'].map(item)))).toBe(3 + 1 + 1);
    expect(await costOf(() => ledger.query('p'))).toBe(3 + 1);
    expect(await costOf(() => vault.get(object))).toBe(3);
    expect(await costOf(() => vault.get(object, { offset: 0, length: 100 }))).toBe(1);
    expect(await costOf(() => vault.head('o'))).toBe(1);
  });
});
