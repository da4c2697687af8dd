import type { StoreMetadataRequest } from '../../rsp/store-metadata.ts';
import { storeMetadataFromJson } from '../../rsp/store-metadata-json.ts';
import type { Context } from '../context.ts';
import type { OrderRecord } from '../records/order.ts';

/** Stands in where metadata is checked before there is an ICCID. */
export const PLACEHOLDER_ICCID = '8900000000000000003';

/** The order's metadata for one profile; installations and deletions are notified to us unless the Operator says otherwise. */
export function metadataOf(
  { settings }: Pick<Context, 'settings'>,
  order: Pick<OrderRecord, 'metadata'>,
  iccid: string,
): StoreMetadataRequest {
  const metadata = storeMetadataFromJson({ ...order.metadata, iccid });
  if (metadata.notificationConfigurationInfo !== undefined) return metadata;
  return {
    ...metadata,
    notificationConfigurationInfo: [
      { profileManagementOperation: ['install', 'delete'], notificationAddress: settings.address },
    ],
  };
}

/** The same for many profiles: the order's metadata are read once. The ICCIDs that it takes are complete. */
export function metadataByIccid(
  context: Pick<Context, 'settings'>,
  order: Pick<OrderRecord, 'metadata'>,
): (iccid: string) => StoreMetadataRequest {
  const metadata = metadataOf(context, order, PLACEHOLDER_ICCID);
  return (iccid) => ({ ...metadata, iccid });
}
