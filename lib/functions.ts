import { type FunctionPath, functionAt, functionPaths } from '../shared/gsma/functions/index.ts';
import type { InterfaceFunction } from '../shared/gsma/interface-function.ts';
import type { PortNeeds } from '../shared/gsma/port-needs.ts';
import { present } from '../shared/present.ts';

/** What a function may do at each port, and its size: its grants, its configuration and its bundle all follow from this. */
export interface FunctionNeeds extends PortNeeds {
  readonly memoryMb: number;
  readonly timeoutS: number;
}

/** API Gateway waits no longer; the handler answers before. */
const API_TIMEOUT_S = 29;
const BACKGROUND_TIMEOUT_S = 60;

/** With this much memory Lambda gives a whole core. */
const WHOLE_CORE_MB = 1769;

const api = ({ needs, wholeCore }: InterfaceFunction): FunctionNeeds => ({
  memoryMb: wholeCore ? WHOLE_CORE_MB : 1024,
  timeoutS: API_TIMEOUT_S,
  ...needs,
});

/** One function for each function of the interfaces, as its row has it (shared/gsma/functions). */
export const API_FUNCTIONS = Object.fromEntries(
  functionPaths.map((path) => [path, api(functionAt(path))]),
) as Readonly<Record<FunctionPath, FunctionNeeds>>;

/**
 * Functions for people share Lambdas, one for what they see and one for what they change: each Lambda is nine resources of
 * a stack, which has 500 at most, and these are called by a few people now and then.
 */
export const SHARED_LAMBDAS = {
  'ops.view': functionPaths.filter((path) => isOps(path) && functionAt(path).role === 'viewer'),
  'ops.change': functionPaths.filter((path) => isOps(path) && functionAt(path).role !== 'viewer'),
} as const satisfies Readonly<Record<string, readonly FunctionPath[]>>;

export type SharedName = keyof typeof SHARED_LAMBDAS;

type OpsPath = Extract<FunctionPath, `ops.${string}`>;

function isOps(path: FunctionPath): path is OpsPath {
  return path.startsWith('ops.');
}

/** The Lambda that a function of the interfaces runs in. */
export function lambdaOf(path: FunctionPath): FunctionName {
  if (!isOps(path)) return path;
  return functionAt(path).role === 'viewer' ? 'ops.view' : 'ops.change';
}

/** What functions that share a Lambda need together. */
function together(paths: readonly FunctionPath[]): FunctionNeeds {
  const all = paths.map((path) => API_FUNCTIONS[path]);
  const some = (port: 'ppks' | 'dispatcher' | 'notifier') => all.some((needs) => needs[port] !== undefined);
  const keys = [...new Set(all.flatMap((needs) => needs.keys ?? []))];
  const vault = all.some((needs) => needs.vault === 'write')
    ? 'write'
    : all.find((needs) => needs.vault !== undefined)?.vault;
  return {
    memoryMb: Math.max(...all.map(({ memoryMb }) => memoryMb)),
    timeoutS: API_TIMEOUT_S,
    ...present({ vault }),
    ...(some('ppks') && { ppks: true }),
    ...(keys.length > 0 && { keys }),
    ...(some('dispatcher') && { dispatcher: true }),
    ...(some('notifier') && { notifier: true }),
  };
}

const background = (needs: Partial<FunctionNeeds>): FunctionNeeds => ({
  memoryMb: 512,
  timeoutS: BACKGROUND_TIMEOUT_S,
  ...needs,
});

/** What runs without being called by a party: `jobs.runTask` is `handler` of lambdas/jobs/run-task.ts. */
export const BACKGROUND_FUNCTIONS = {
  /** A whole core: binding is signatures and key agreements. */
  'jobs.runTask': background({
    vault: 'write',
    ppks: true,
    keys: ['wrapping', 'binding', 'intake'],
    dispatcher: true,
    memoryMb: WHOLE_CORE_MB,
    timeoutS: 300,
  }),
  /** The end of one kind of work may be the beginning of another. */
  'jobs.finish': background({ vault: 'write', dispatcher: true, notifier: true }),
  'jobs.resume': background({ vault: 'write', dispatcher: true, timeoutS: 300 }),
  'notify.sweep': background({ notifier: true }),
  'notify.deliver': background({ keys: ['callbackWrapping', 'delivery'], notifier: true }),
  /** The delivery key where ends of the log are kept outside (lib/audit-anchor.ts), and not otherwise. */
  'audit.chain': background({ vault: 'write', keys: ['delivery'], timeoutS: 300 }),
  'keys.check': background({
    vault: 'read',
    keys: ['wrappingPublic', 'deliveryPublic', 'bindingPublic', 'intakePublic', 'longTermPublic'],
    timeoutS: 300,
  }),
  'keys.rewrap': background({ ppks: true, keys: ['rewrapping'], timeoutS: 300 }),
  'verify.scrub': background({ vault: 'write', ppks: true, timeoutS: 300 }),
  'life.reap': background({ vault: 'write', ppks: true, timeoutS: 300 }),
  'trust.fetchCrls': background({
    vault: 'write',
    timeoutS: 300,
  }),
} as const satisfies Readonly<Record<string, FunctionNeeds>>;

export type BackgroundName = keyof typeof BACKGROUND_FUNCTIONS;
/** The Lambdas of a stack. */
export type FunctionName = Exclude<FunctionPath, OpsPath> | SharedName | BackgroundName;

const ownLambdas = Object.fromEntries(
  functionPaths.flatMap((path) => (isOps(path) ? [] : [[path, API_FUNCTIONS[path]]])),
) as Readonly<Record<Exclude<FunctionPath, OpsPath>, FunctionNeeds>>;

export const FUNCTIONS: Readonly<Record<FunctionName, FunctionNeeds>> = {
  ...ownLambdas,
  'ops.view': together(SHARED_LAMBDAS['ops.view']),
  'ops.change': together(SHARED_LAMBDAS['ops.change']),
  ...BACKGROUND_FUNCTIONS,
};

/** The Lambda of the console, in a stack that has one: pages, sessions, and all functions for people. */
export const CONSOLE_LAMBDA = 'console.serve';
export type LambdaName = FunctionName | typeof CONSOLE_LAMBDA;

export const LAMBDAS: Readonly<Record<LambdaName, FunctionNeeds>> = {
  ...FUNCTIONS,
  [CONSOLE_LAMBDA]: together(
    functionPaths.filter(
      (path) =>
        ['viewer', 'administrator'].includes(functionAt(path).role) && !path.endsWith('.openTransfer'),
    ),
  ),
};

/** The Lambdas of every stack. */
export const functionNames = Object.keys(FUNCTIONS) as FunctionName[];

/** "esbpp.requestBpp" is "esbpp-requestBpp" where AWS takes no dot. */
export const resourceName = (name: LambdaName | FunctionPath): string => name.replace('.', '-');
