import { refuse } from '../errors.ts';
import type { Caller, PartyRole } from '../service/api/caller.ts';
import type { TransferPurpose } from '../service/api/transfers.ts';

/**
 * Which role may call which function (I7): the only such table. Orders, jobs and reports inside a function are the
 * services' matter, by the caller's identifier. What else an administrator does needs the deployment itself (`smdpf trust`,
 * `party`, `keys`): trust is not given out over the network, only taken back.
 */
export const PERMISSIONS = {
  'es2f.prepareProfiles': 'operator',
  'es2f.cancelOrder': 'operator',
  'es2f.getOrderStatus': 'operator',
  'es2f.getOrderOutput': 'operator',
  'es2f.closeOrder': 'operator',
  'es2f.releaseProfile': 'operator',
  'es2f.replaceProfile': 'operator',
  'es2f.getOrderReport': 'operator',
  'es2f.getServerKeys': 'operator',
  'es2f.checkEligibility': 'operator',
  'es2f.openTransfer': 'operator',
  'esed1.registerEuiccData': 'eum',
  'esed1.closeKeys': 'eum',
  'esed1.openTransfer': 'eum',
  'esed1.getTransfer': 'eum',
  'esbpp.requestBpp': 'deviceMaker',
  'esbpp.getBppBatch': 'deviceMaker',
  'esbpp.closeKeys': 'deviceMaker',
  'esbpp.sendProfileLoadingReport': 'deviceMaker',
  'esbpp.getServerKeys': 'deviceMaker',
  'esbpp.openTransfer': 'deviceMaker',
  'esbpp.getTransfer': 'deviceMaker',
  'admin.addCrl': 'administrator',
  'admin.openTransfer': 'administrator',
  'admin.getAuditLines': 'auditor',
  /** Trusted by the eUICC's signature alone. */
  'es9plus.handleNotification': 'anyone',
} as const satisfies Record<`${string}.${string}`, PartyRole | 'anyone'>;

/** Interface and function: "esbpp.requestBpp". */
export type FunctionPath = keyof typeof PERMISSIONS;

/** The functions that only parties may call. */
export type PartyFunctionPath = Exclude<FunctionPath, 'es9plus.handleNotification'>;

export function allowFunction(caller: Caller, path: PartyFunctionPath): void {
  if (PERMISSIONS[path] !== caller.role) {
    refuse('requesterNotAllowed', `${path} is not for the role of this party`, {
      subjectIdentifier: caller.identifier,
    });
  }
}

const TRANSFER_PURPOSES: Readonly<Record<TransferPurpose, PartyRole>> = {
  euiccData: 'eum',
  bppRequest: 'deviceMaker',
  profileLoadingReport: 'deviceMaker',
  template: 'operator',
  rows: 'operator',
  crl: 'administrator',
};

/** What a party may upload follows from the function that the upload is for. */
export function allowPurpose(caller: Caller, purpose: TransferPurpose): void {
  if (TRANSFER_PURPOSES[purpose] !== caller.role) {
    refuse('requesterNotAllowed', `transfers for ${purpose} are not for the role of this party`, {
      subjectIdentifier: caller.identifier,
    });
  }
}
