/** Chain verification for GSMA variants O, Ov3, A, B and C (SGP.22 section 4.5.2): the public entry points. */
export { type DpChainInput, selectDpChain, type VerifiedDp, verifyDpChain } from './dp-chain.ts';
export { type EumChainInput, type VerifiedEuicc, VerifiedEum, verifyEumChain } from './eum-chain.ts';
export type { Variant } from './path.ts';
export {
  REFUSE_WITHOUT_LIST,
  type RevocationGap,
  RevocationLists,
  type RevocationPolicy,
} from './revocation.ts';
export { TrustStore } from './trust-store.ts';
