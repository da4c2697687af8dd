import type { FunctionPath } from '../shared/gsma/permissions.ts';

/** What a function may do at each port: its grants, its configuration and its bundle all follow from this. */
export interface FunctionNeeds {
  /** Module whose `handler` Lambda calls, from the root of the project. */
  readonly entry: string;
  readonly ledger: 'read' | 'write';
  readonly vault?: 'read' | 'write';
  readonly ppks?: true;
  /** `bindingPublic`: the view of trust holds our certificates against the keys they are for. */
  readonly keys?: readonly ('wrapping' | 'delivery' | 'binding' | 'bindingPublic')[];
  readonly dispatcher?: true;
  readonly notifier?: true;
  readonly memoryMb?: number;
  readonly timeoutS?: number;
}

const READ = { ledger: 'read' } as const;
const WRITE = { ledger: 'write' } as const;
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
    ...WRITE,
    vault: 'write',
    ppks: true,
    keys: ['wrapping'],
    dispatcher: true,
    memoryMb: 1769,
  }),
  'es2f.cancelOrder': api('es2f/cancel-order', { ...WRITE, ppks: true }),
  'es2f.getOrderStatus': api('es2f/get-order-status', READ),
  'es2f.getOrderOutput': api('es2f/get-order-output', { ...READ, vault: 'read' }),
  'es2f.closeOrder': api('es2f/close-order', { ...WRITE, ppks: true }),
  'es2f.releaseProfile': api('es2f/release-profile', { ...WRITE, ppks: true }),
  'es2f.replaceProfile': api('es2f/replace-profile', {
    ...WRITE,
    vault: 'write',
    ppks: true,
    keys: ['wrapping'],
    memoryMb: 1769,
  }),
  'es2f.getOrderReport': api('es2f/get-order-report', { ...READ, keys: ['delivery'] }),
  'es2f.getServerKeys': api('es2f/get-server-keys', { ...READ, keys: ['delivery'] }),
  'es2f.openTransfer': api('es2f/open-transfer', { ...WRITE, vault: 'write' }),
  'esed1.registerEuiccData': api('esed1/register-euicc-data', {
    ...WRITE,
    vault: 'read',
    keys: ['bindingPublic'],
    memoryMb: 1769,
  }),
  'esed1.closeKeys': api('esed1/close-keys', WRITE),
  'esed1.openTransfer': api('esed1/open-transfer', { ...WRITE, vault: 'write' }),
  'esed1.getTransfer': api('esed1/get-transfer', { ...READ, vault: 'write', keys: ['bindingPublic'] }),
  'esbpp.requestBpp': api('esbpp/request-bpp', {
    ...WRITE,
    vault: 'write',
    ppks: true,
    keys: ['wrapping', 'delivery', 'binding'],
    dispatcher: true,
    memoryMb: 1769,
  }),
  'esbpp.getBppBatch': api('esbpp/get-bpp-batch', {
    ...WRITE,
    vault: 'write',
    keys: ['delivery', 'bindingPublic'],
  }),
  'esbpp.closeKeys': api('esbpp/close-keys', WRITE),
  'esbpp.sendProfileLoadingReport': api('esbpp/send-profile-loading-report', {
    ...WRITE,
    vault: 'read',
    keys: ['bindingPublic'],
    notifier: true,
  }),
  'esbpp.openTransfer': api('esbpp/open-transfer', { ...WRITE, vault: 'write' }),
  'esbpp.getTransfer': api('esbpp/get-transfer', { ...READ, vault: 'write', keys: ['bindingPublic'] }),
  'es9plus.handleNotification': api('es9plus/handle-notification', {
    ...WRITE,
    vault: 'read',
    keys: ['bindingPublic'],
    notifier: true,
  }),
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
    ...WRITE,
    vault: 'write',
    ppks: true,
    keys: ['wrapping', 'binding'],
    memoryMb: 1769,
    timeoutS: 300,
  }),
  'jobs.finish': background('jobs/finish', WRITE),
  'jobs.resume': background('jobs/resume', { ...WRITE, vault: 'write', dispatcher: true, timeoutS: 300 }),
  'notify.sweep': background('notify/sweep', { ...WRITE, notifier: true }),
  'notify.deliver': background('notify/deliver', { ...WRITE, notifier: true }),
  'audit.chain': background('audit/chain', { ...WRITE, vault: 'write' }),
  'trust.fetchCrls': background('trust/fetch-crls', {
    ...WRITE,
    vault: 'write',
    keys: ['bindingPublic'],
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
