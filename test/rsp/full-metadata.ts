import { fromHex } from '../../shared/codec/bytes.ts';
import type { StoreMetadataRequest } from '../../shared/rsp/store-metadata.ts';

/** Every field that a StoreMetadataRequest can have. */
export const fullMetadata: StoreMetadataRequest = {
  iccid: '89000123456789012341',
  serviceProviderName: 'Opérateur',
  profileName: 'Données 5G',
  iconType: 'png',
  // signature and header of a PNG of 64 × 64 pixels
  icon: fromHex('89504e470d0a1a0a0000000d4948445200000040000000400806000000'),
  profileClass: 'provisioning',
  notificationConfigurationInfo: [
    { profileManagementOperation: ['install', 'delete'], notificationAddress: 'dp.example.com' },
    { profileManagementOperation: ['rpmEnable'], notificationAddress: 'rpm.example.com' },
  ],
  profileOwner: { mccMnc: '310410', gid1: fromHex('01'), gid2: fromHex('0203') },
  profilePolicyRules: ['pprUpdateControl', 'ppr2'],
  serviceSpecificDataStoredInEuicc: fromHex('300302010a'),
  serviceSpecificDataNotStoredInEuicc: fromHex('300302010b'),
  rpmConfiguration: fromHex('8000'),
  hriServerAddress: 'hri.example.com',
  lprConfiguration: fromHex('8100'),
  enterpriseConfiguration: {
    enterpriseOid: '2.999.7',
    enterpriseName: 'Example AG',
    enterpriseRules: { enterpriseRuleBits: [0, 2], numberOfNonEnterpriseProfiles: 1 },
  },
  serviceProviderMessage: fromHex('8200'),
  serviceDescription: fromHex('0780'),
  deviceChangeConfiguration: fromHex('a000'),
};
