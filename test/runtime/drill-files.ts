import { join } from 'node:path';

/** What the drill and the processes that it kills have in common. */
export const ORDERS_OF_A_LIFE = 3;
export const CRLS = 12;
export const orderIdOf = (life: number, number: number) => `LIFE-${life}-${number}`;
export const batchFile = (folder: string, life: number) => join(folder, 'drill', `batch-${life}.der`);
export const eidsFile = (folder: string, life: number) => join(folder, 'drill', `eids-${life}.json`);
export const crlFile = (folder: string, number: number) =>
  join(folder, 'drill', `crl-${Math.min(number, CRLS)}.der`);
/** Each life has one that nobody used before it. */
export const wrappingKeyUri = (folder: string, life: number) =>
  `softkey:path=${join(folder, 'keys', `wrapping-${life}.key`)}`;
