import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRuntime } from '../../../shared/runtime.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { prepare, Request, registered, TEMPLATE } from '../scenario.ts';
import { backUp, putBack } from './backup.ts';

let deployment: Deployment;

beforeEach(async () => {
  deployment = await Deployment.create({ config: { packSize: 4 } });
});
afterEach(() => deployment.close());

async function bindOne(orderId: string): Promise<void> {
  const [euicc] = await registered(deployment, 1);
  await new Request(orderId, [{ eid: euicc!.eid }]).send(deployment.runtime);
}

describe('a ledger restored from a backup is frozen (I9)', { tags: ['I9'] }, () => {
  it('by what was committed since: everything that changes it is refused with 1.2/5.1, and reads go on', async () => {
    const party = { identifier: OPERATOR.identifier, role: 'operator' } as const;
    await deployment.runtime.services.parties.add(OPERATOR.fingerprint, party, 'test');
    await prepare(deployment, 'ORD', 4);
    await bindOne('ORD');
    await backUp(deployment);
    await bindOne('ORD');
    await putBack(deployment);

    const { services, standing } = deployment.runtime;
    const [euicc] = [...deployment.eum.production(1, 1)];
    const deviceManufacturers = [DEVICE_MAKER.identifier];
    const batch = deployment.eum.euiccDataBatch([euicc!], { deviceManufacturers });
    const frozen = { code: 'ledgerFrozen', subjectCode: '1.2', reasonCode: '5.1' };
    for (const call of [
      () => services.orders.prepareProfiles(OPERATOR, deployment.order('NEW', 1, TEMPLATE)),
      () => services.orders.cancelOrder(OPERATOR, { orderId: 'ORD' }),
      () => services.ingest.registerEuiccData(EUM, batch),
      () => services.delivery.requestBpp(DEVICE_MAKER, new Request('ORD', [{ eid: euicc!.eid }]).der),
    ])
      await expect(call()).rejects.toMatchObject(frozen);
    // how often a party calls is still counted
    expect(
      await services.parties.identify({
        fingerprint: OPERATOR.fingerprint,
        notBeforeMs: 0,
        notAfterMs: Number.MAX_SAFE_INTEGER,
      }),
    ).toEqual(OPERATOR);
    expect(await services.orders.getOrderStatus(OPERATOR, { orderId: 'ORD' })).toMatchObject({
      counts: { Available: 3, Delivered: 1 },
    });
    // who found out has left a mark for the others
    expect((await standing.record())?.frozen?.why).toMatch(/commits that the ledger does not know/);
  });

  it('by its anchor in the PPK vault, though nothing was committed since', async () => {
    await deployment.runtime.standing.renewAnchor();
    await backUp(deployment);
    await deployment.runtime.standing.renewAnchor();
    expect(await deployment.runtime.standing.why()).toBeUndefined();
    await putBack(deployment);
    expect(await deployment.runtime.standing.why()).toMatch(/older than the PPK vault/);
    // nobody makes an old ledger the newest by starting it again
    await deployment.runtime.standing.renewAnchor();
    await expect(prepare(deployment, 'ORD', 1)).rejects.toMatchObject({ code: 'ledgerFrozen' });
  });

  it('by its name, where the table has another one', async () => {
    await prepare(deployment, 'ORD', 1);
    const { context, standing } = deployment.runtime;
    const item = await context.ledger.get(ledgerKeys.standing);
    const attributes = { ...item!.attributes, name: 'dynamodb:before' };
    await context.ledger.write({ put: item!, attributes, when: { revision: item!.revision } });
    expect(await standing.why()).toBe('the ledger is a copy of dynamodb:before, and was not reconciled');
  });

  it('by hand, for processes at work within half a minute', async () => {
    let now = Date.now();
    await deployment.reopen({ now: () => now });
    await prepare(deployment, 'ORD', 1);
    const other = await openRuntime(deployment.config);
    await other.standing.freeze('moving');
    await other.close();
    now += 30_000;
    await expect(prepare(deployment, 'NEW', 1)).rejects.toMatchObject({ message: 'moving' });
  });
});

describe('a ledger that was never restored', () => {
  it('is not frozen by a restart, a renewal of its anchor, or a commit that was never finished', async () => {
    await prepare(deployment, 'ORD', 4);
    for (let start = 0; start < 3; start++) {
      await deployment.runtime.standing.renewAnchor();
      await bindOne('ORD');
      await deployment.reopen();
      expect(await deployment.runtime.standing.why()).toBeUndefined();
    }
  });

  it('names an object among its commit records that is none', async () => {
    await prepare(deployment, 'ORD', 4);
    await bindOne('ORD');
    const { vault } = deployment.runtime.context;
    const name = `commits/${'0'.repeat(24)}/0`;
    await vault.put(name, Buffer.from('{}'), { lock: true });
    await deployment.reopen();
    await expect(deployment.runtime.standing.why()).rejects.toThrow(
      `${name} is not the name of a commit record`,
    );
  });
});
