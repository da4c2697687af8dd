import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Fault } from '../../../shared/errors.ts';
import type { Context } from '../../../shared/service/context.ts';
import { PackReader } from '../../../shared/service/supply/packs.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare } from '../scenario.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { packSize: 2 } });
  await prepare(deployment, 'PACKS', 4);
});
afterAll(() => deployment?.close());

/** The keys of 16 octets that were overwritten while this ran. */
async function wiped(work: () => Promise<unknown>): Promise<number> {
  const fill = vi.spyOn(Buffer.prototype, 'fill');
  try {
    await work();
    return fill.mock.contexts.filter(
      (octets) => octets.length === 16 && octets.every((one: number) => one === 0),
    ).length;
  } finally {
    fill.mockRestore();
  }
}

it('PPKs that were opened are wiped where a later pack cannot be read (I5)', { tags: ['I5'] }, async () => {
  const { context } = deployment.runtime;
  let packs = 0;
  const entries: Context['ppks']['entries'] = async (pack, places) => {
    packs += 1;
    if (packs === 2) throw new Fault('vault', 'the disk went away', { retryable: true });
    return await context.ppks.entries(pack, places);
  };
  const ppks: Context['ppks'] = { ...context.ppks, header: (pack) => context.ppks.header(pack), entries };
  const failing = new PackReader({ ...context, ppks }, 'PACKS');
  expect(await wiped(() => expect(failing.read([0, 1, 2])).rejects.toThrow('the disk went away'))).toBe(4);
  // whoever gets them wipes them
  expect(await wiped(() => new PackReader(context, 'PACKS').read([0, 1, 2]))).toBe(0);
});
