import type { StoreMetadataRequest } from '../../../rsp/store-metadata.ts';

/** The parts of StoreMetadata that the package must agree with; a whole StoreMetadataRequest fits. */
export type PackageMetadata = Pick<StoreMetadataRequest, 'iccid'> &
  Partial<
    Pick<
      StoreMetadataRequest,
      'serviceProviderName' | 'profileName' | 'profileClass' | 'profileOwner' | 'profilePolicyRules'
    >
  >;
