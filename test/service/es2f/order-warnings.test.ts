import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterAll(() => deployment?.close());

const warningsWith = async (orderId: string, more: object) => {
  const input = deployment.order(orderId, 1, ownTemplate());
  const order = { ...input, metadata: { ...input.metadata, ...more } };
  const { warnings = [] } = await deployment.runtime.services.orders.prepareProfiles(OPERATOR, order);
  return warnings.filter(({ code }) => code === 'metadataField').map(({ message }) => message);
};

it('an order warns of metadata that not every eUICC takes, by the field', async () => {
  expect(await warningsWith('PLAIN', {})).toEqual([]);
  expect(await warningsWith('V3', { hriServerAddress: 'hri.example.com' })).toEqual([
    'metadata: hriServerAddress: only eUICCs that announce SGP.22 v3 take this; others answer unknownTlvInMetadata',
  ]);
  expect(await warningsWith('BEYOND', { carrierPrivilegeRules: 'e200', additionalFields: 'bf5f00' })).toEqual(
    [
      'metadata: carrierPrivilegeRules (BF76), BF5F: no version of SGP.22 has this; it is carried, and an eUICC may answer unknownTlvInMetadata (26)',
    ],
  );
});
