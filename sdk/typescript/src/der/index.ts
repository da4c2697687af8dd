export * from './bpp-batch.ts';
export * from './bpp-request.ts';
export * from './euicc-data-batch.ts';
export * from './manifest-pages.ts';
export type { Chain, Part } from './parts.ts';
export * from './profile-loading-report.ts';
export { type Curve, publicPoint, type Signer, softwareSigner, verify } from './signing.ts';
export { DerError, fromHex, type Octets, toHex } from './tlv.ts';
