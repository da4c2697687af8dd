import { createSecretKey, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { Fault, refuse } from '../../../shared/errors.ts';
import { PackWriter } from '../../../shared/profile/pack.ts';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import { compileTemplate } from '../../../shared/profile/package/personalise.ts';
import { ProfileMaker } from '../../../shared/profile/package/profile-maker.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { preparePack } from '../../../shared/service/es2f/order-packs.ts';
import { OutputRows } from '../../../shared/service/es2f/output-rows.ts';
import type { Personaliser } from '../../../shared/service/es2f/personalisation.ts';
import { protectedProfile } from '../../../shared/service/es2f/profile-making.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { operational } from '../scenario.ts';

const SECRETS = { k: randomBytes(16), opc: randomBytes(16) };
const VALUES: ProfileValues = { iccid: '890010000000000000', imsi: '001010000000001', ...SECRETS };
const template = compileTemplate(ownTemplate(), {
  profileClass: 'test',
  parameters: ['iccid', 'imsi', 'k', 'opc'],
});

let deployment: Deployment | undefined;
afterEach(() => deployment?.close());

describe('where the making of profiles fails, what is in clear is wiped (I5)', { tags: ['I5'] }, () => {
  it('keys that were drawn for a pack that cannot be stored', async () => {
    deployment = await Deployment.create({
      memory: true,
      lanes: 'none',
      config: { packSize: 8, inlineOrder: 1 },
    });
    const { context, services } = deployment.runtime;
    const { order } = operational('8900100000000000000');
    await services.orders.prepareProfiles(OPERATOR, deployment.order('WIPED', 8, ownTemplate(), order));
    const bulks: Bytes[] = [];
    const random = (octets: number) => {
      // zeros are what is wiped
      bulks.push(randomBytes(octets).map((octet) => octet || 1));
      return bulks.at(-1)!;
    };
    vi.spyOn(context.vault, 'put').mockRejectedValue(
      new Fault('vault', 'the disk went away', { retryable: true }),
    );
    const output = vi.spyOn(OutputRows.prototype, 'wipe');
    await expect(preparePack({ ...context, random }, 'WIPED', 0)).rejects.toThrow('the disk');
    expect(output).toHaveBeenCalledOnce();
    // octets are given out from the front: of those, nonces are left, the last one before what was not given out
    const runs = Buffer.from(bulks[0]!).toString('latin1').split(/\0+/).slice(1);
    const unused = runs.pop()!;
    expect(unused.length).toBeLessThan(7_500);
    expect(runs.map(({ length }) => length)).toEqual(Array.from({ length: 7 }, () => 12));
  });

  it('keys that were drawn for a profile that is refused', () => {
    const values = { ...VALUES, k: randomBytes(16) };
    const personaliser: Pick<Personaliser, 'complete' | 'metadata'> = {
      complete: () => values,
      metadata: () => refuse('metadataInvalid', 'no such metadata'),
    };
    const row = { number: 1, values: VALUES };
    const place = { dataKey: createSecretKey(randomBytes(32)), orderId: 'O', position: 0 };
    expect(() =>
      protectedProfile(Object.assign(Object.create(null), personaliser), row, new PackWriter(1), place),
    ).toThrow('no such metadata');
    expect(toHex(values.k)).toBe('00'.repeat(16));
  });

  it('a profile that cannot be read back', () => {
    const places = { in: () => refuse('profileInvalid', 'the place is gone') };
    const maker = new ProfileMaker(Object.assign(Object.create(template), template, { places }));
    const fill = vi.spyOn(Buffer.prototype, 'fill');
    try {
      expect(() => maker.make(VALUES)).toThrow('the place is gone');
      const wiped = fill.mock.contexts.map((octets) => octets.length);
      expect(Math.max(0, ...wiped)).toBeGreaterThan(1_000);
    } finally {
      fill.mockRestore();
    }
  });
});
