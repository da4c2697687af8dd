import { type FunctionPath, functionAt, functionPaths } from '../shared/gsma/functions/index.ts';
import type { InterfaceFunction } from '../shared/gsma/interface-function.ts';
import type { PortNeeds } from '../shared/gsma/port-needs.ts';

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
  'audit.chain': background({ vault: 'write' }),
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
export type FunctionName = FunctionPath | BackgroundName;

export const FUNCTIONS: Readonly<Record<FunctionName, FunctionNeeds>> = {
  ...API_FUNCTIONS,
  ...BACKGROUND_FUNCTIONS,
};

export const functionNames = Object.keys(FUNCTIONS) as FunctionName[];

/** "esbpp.requestBpp" is "esbpp-requestBpp" where AWS takes no dot. */
export const resourceName = (name: FunctionName): string => name.replace('.', '-');
