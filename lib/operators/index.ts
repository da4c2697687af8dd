import type { OperatorConfig } from '../config.ts';
import { emulator } from './emulator.ts';
import { exampleIot } from './example-iot.ts';
import { exampleMobile } from './example-mobile.ts';

/** One stack each. An Operator of your own is one more file here. */
export const OPERATORS: readonly OperatorConfig[] = [exampleMobile, exampleIot];

/** Not an Operator: the stack that `npm run localstack:deploy` brings up. */
export const EMULATED: OperatorConfig = emulator;
