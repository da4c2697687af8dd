import type { FunctionPath } from '../shared/gsma/permissions.ts';
import type { KeyRole } from '../shared/keys/provider.ts';

/**
 * To use a key in its role, or only to read what it is and its public key where it has one. `rewrapping` is for data
 * keys on their way from one wrapping key to another.
 */
export type KeyNeed = KeyRole | `${KeyRole}Public` | 'rewrapping';

/** What a function may do at each port besides the ledger, where every call may leave its line: its grants, its configuration and its bundle all follow from this. */
export interface FunctionNeeds {
  /** Module whose `handler` Lambda calls, from the root of the project. */
  readonly entry: string;
  readonly vault?: 'read' | 'write';
  readonly ppks?: true;
  readonly keys?: readonly KeyNeed[];
  readonly dispatcher?: true;
  readonly notifier?: true;
  readonly memoryMb?: number;
  readonly timeoutS?: number;
}

/** API Gateway waits no longer; the handler answers before. */
const API_TIMEOUT_S = 29;
const BACKGROUND_TIMEOUT_S = 60;

const api = (entry: string, needs: Omit<FunctionNeeds, 'entry'>): FunctionNeeds => ({
  entry: `lambdas/${entry}.ts`,
  memoryMb: 1024,
  timeoutS: API_TIMEOUT_S,
  ...needs,
});

/** One function for each function of the interfaces. */
export const API_FUNCTIONS: Readonly<Record<FunctionPath, FunctionNeeds>> = {
  'es2f.prepareProfiles': api('es2f/prepare-profiles', {
    vault: 'write',
    ppks: true,
    keys: ['wrapping', 'intake'],
    dispatcher: true,
    memoryMb: 1769,
  }),
  'es2f.cancelOrder': api('es2f/cancel-order', { vault: 'write', ppks: true }),
  'es2f.getOrderStatus': api('es2f/get-order-status', {}),
  'es2f.getOrderOutput': api('es2f/get-order-output', { vault: 'read' }),
  'es2f.closeOrder': api('es2f/close-order', { vault: 'write', ppks: true }),
  'es2f.releaseProfile': api('es2f/release-profile', { ppks: true }),
  'es2f.replaceProfile': api('es2f/replace-profile', {
    vault: 'write',
    ppks: true,
    keys: ['wrapping'],
    memoryMb: 1769,
  }),
  'es2f.getOrderReport': api('es2f/get-order-report', { keys: ['delivery'] }),
  'es2f.getServerKeys': api('es2f/get-server-keys', { keys: ['deliveryPublic', 'intakePublic'] }),
  'es2f.checkEligibility': api('es2f/check-eligibility', { vault: 'read', memoryMb: 1769 }),
  'es2f.openTransfer': api('es2f/open-transfer', { vault: 'write' }),
  'esed1.registerEuiccData': api('esed1/register-euicc-data', {
    vault: 'write',
    dispatcher: true,
    memoryMb: 1769,
  }),
  // an EUM is looked for in the view of trust, which reads revocation lists
  'esed1.closeKeys': api('esed1/close-keys', { vault: 'read' }),
  'esed1.openTransfer': api('esed1/open-transfer', { vault: 'write' }),
  'esed1.getTransfer': api('esed1/get-transfer', { vault: 'read' }),
  'esbpp.requestBpp': api('esbpp/request-bpp', {
    vault: 'write',
    ppks: true,
    keys: ['wrapping', 'delivery', 'binding'],
    dispatcher: true,
    memoryMb: 1769,
  }),
  'esbpp.getBppBatch': api('esbpp/get-bpp-batch', {
    vault: 'write',
    keys: ['delivery'],
  }),
  'esbpp.closeKeys': api('esbpp/close-keys', {}),
  'esbpp.sendProfileLoadingReport': api('esbpp/send-profile-loading-report', {
    vault: 'write',
    dispatcher: true,
    notifier: true,
  }),
  'esbpp.getServerKeys': api('esbpp/get-server-keys', { keys: ['deliveryPublic'] }),
  'esbpp.openTransfer': api('esbpp/open-transfer', { vault: 'write' }),
  'esbpp.getTransfer': api('esbpp/get-transfer', { vault: 'write' }),
  'admin.addCrl': api('admin/add-crl', { vault: 'write', memoryMb: 1769 }),
  'admin.openTransfer': api('admin/open-transfer', { vault: 'write' }),
  'admin.getAuditLines': api('admin/get-audit-lines', {}),
  'es9plus.handleNotification': api('es9plus/handle-notification', { notifier: true }),
};

const background = (entry: string, needs: Omit<FunctionNeeds, 'entry'>): FunctionNeeds => ({
  entry: `lambdas/${entry}.ts`,
  memoryMb: 512,
  timeoutS: BACKGROUND_TIMEOUT_S,
  ...needs,
});

/** What runs without being called by a party. */
export const BACKGROUND_FUNCTIONS = {
  /** A whole core: binding is signatures and key agreements. */
  'jobs.runTask': background('jobs/run-task', {
    vault: 'write',
    ppks: true,
    keys: ['wrapping', 'binding', 'intake'],
    dispatcher: true,
    memoryMb: 1769,
    timeoutS: 300,
  }),
  /** The end of one kind of work may be the beginning of another. */
  'jobs.finish': background('jobs/finish', { vault: 'write', dispatcher: true, notifier: true }),
  'jobs.resume': background('jobs/resume', { vault: 'write', dispatcher: true, timeoutS: 300 }),
  'notify.sweep': background('notify/sweep', { notifier: true }),
  'notify.deliver': background('notify/deliver', { notifier: true }),
  'audit.chain': background('audit/chain', { vault: 'write' }),
  'keys.check': background('keys/check', {
    vault: 'read',
    keys: ['wrappingPublic', 'deliveryPublic', 'bindingPublic', 'intakePublic'],
    timeoutS: 300,
  }),
  'keys.rewrap': background('keys/rewrap', { ppks: true, keys: ['rewrapping'], timeoutS: 300 }),
  'trust.fetchCrls': background('trust/fetch-crls', {
    vault: 'write',
    timeoutS: 300,
  }),
} as const satisfies Readonly<Record<string, FunctionNeeds>>;

export type BackgroundName = keyof typeof BACKGROUND_FUNCTIONS;
export type FunctionName = FunctionPath | BackgroundName;

export const FUNCTIONS: Readonly<Record<FunctionName, FunctionNeeds>> = {
  ...API_FUNCTIONS,
  ...BACKGROUND_FUNCTIONS,
};

export const functionNames = Object.keys(FUNCTIONS) as FunctionName[];

/** "esbpp.requestBpp" is "esbpp-requestBpp" where AWS takes no dot. */
export const resourceName = (name: FunctionName): string => name.replace('.', '-');
