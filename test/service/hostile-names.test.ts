import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlv } from '../../shared/codec/tlv.ts';
import { decodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import { DEVICE_MAKER, Deployment } from '../support/deployment.ts';
import { expectRefusal } from '../support/refusal.ts';
import { boundOf, outcomesOf, prepare, Request, registered } from './scenario.ts';

/** Names that every JavaScript object seems to have, since they come from its prototype. */
const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf'];

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterAll(() => deployment?.close());

describe('a name that objects inherit is a name as any other', () => {
  it.each(INHERITED)('order %s is prepared, bound, repeated and bound once per eUICC', async (orderId) => {
    await prepare(deployment, orderId, 2);
    const [euicc] = await registered(deployment, 1, { keys: 2 });
    const request = new Request(orderId, [{ eid: euicc!.eid }]);
    const answer = await request.send(deployment.runtime);
    expect(boundOf(answer)).toHaveLength(1);
    expect(await request.send(deployment.runtime)).toEqual(answer);
    const again = new Request(orderId, [{ eid: euicc!.eid }]);
    expect(outcomesOf(await again.send(deployment.runtime))).toEqual(['noNewBinding']);
  });

  it.each(INHERITED)(
    'a device manufacturer called %s draws from an order with shares of others',
    async (name) => {
      const caller: Caller = { ...DEVICE_MAKER, identifier: name };
      const makers = [DEVICE_MAKER.identifier, name];
      await prepare(deployment, `shares-${name}`, 3, {
        requesterDms: makers,
        shares: { [DEVICE_MAKER.identifier]: 1 },
      });
      const euiccs = await registered(deployment, 2, { makers });
      const request = new Request(
        `shares-${name}`,
        euiccs.map(({ eid }) => ({ eid })),
        { by: caller },
      );
      expect(boundOf(await request.send(deployment.runtime))).toHaveLength(2);
    },
  );
});

describe('a text from DER that would name something is held to what JSON is held to', () => {
  const request = (orderId: string) =>
    new Request(orderId, [{ eid: '89049032123451234512345678901235' }]).der;
  it.each([
    ['NUL', 'ORD\0-1'],
    ['a line break', 'ORD\n1'],
    ['nothing', ''],
  ])('an orderId with %s is refused as the format of the request', (_, orderId) => {
    expectRefusal('protocolFormat', () => decodeBppRequest(request(orderId)));
  });

  it('and so is a lone surrogate, which is no UTF-8', () => {
    const der = Buffer.from(request('ORD-1'));
    const at = der.indexOf('ORD-1');
    Buffer.from('eda080', 'hex').copy(der, at);
    expectRefusal('protocolFormat', () => decodeBppRequest(der));
  });

  it('an ordinary one is taken', () => {
    expect(decodeBppRequest(request('ORD-1')).orderId).toBe('ORD-1');
    expect(tlv(0x82, Buffer.from('ORD-1')).length).toBe(7);
  });
});
