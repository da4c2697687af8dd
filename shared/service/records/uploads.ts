import type { ObjectRef } from '../../vault/vault.ts';

const UPLOADS = 'uploads/';

/** The name of the object that a transfer fills. */
export const uploadName = (transferId: string): string => `${UPLOADS}${transferId}`;

/** The transferId of an object that came by a transfer; undefined for others. */
export const uploadedAs = ({ name }: ObjectRef): string | undefined =>
  name.startsWith(UPLOADS) ? name.slice(UPLOADS.length) : undefined;
