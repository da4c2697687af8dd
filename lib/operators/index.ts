import type { OperatorConfig } from '../config.ts';
import { emulator } from './emulator.ts';
import { exampleIot } from './example-iot.ts';
import { exampleMobile } from './example-mobile.ts';
import { exampleTrial } from './example-trial.ts';

/** One stack each: an Operator of your own is one more file here, listed in the place of the examples. */
export const OPERATORS: readonly OperatorConfig[] = [];

/** What `npm run synth` shows while there is no Operator; their accounts do not exist. */
export const EXAMPLES: readonly OperatorConfig[] = [exampleMobile, exampleIot, exampleTrial];

/** Not an Operator: the stack that `npm run localstack:deploy` brings up. */
export const EMULATED: OperatorConfig = emulator;

/** The stacks of the application: the examples stand for Operators only where there is none, since their accounts do not exist. */
export const listed = (operators = OPERATORS): readonly OperatorConfig[] =>
  operators.length > 0 ? operators : EXAMPLES;
