import { parseArgs } from 'node:util';
import { signsPerTask } from '../../lib/config.ts';
import { EXAMPLES } from '../../lib/operators/index.ts';
import type { ScaleInput } from './model.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  table: { type: 'boolean', default: false },
  profiles: { type: 'string', default: '10000000' },
  chunk: { type: 'string', default: '250' },
  pack: { type: 'string', default: '250' },
  signs: { type: 'string' },
  tasks: { type: 'string' },
  lambdas: { type: 'string', default: '1000' },
  'write-units': { type: 'string', default: '4000' },
  'callback-batch': { type: 'string', default: '1' },
} as const;

/** The options of `npm run bench:scale`: the quotas are those of an example Operator unless others are given. */
export function scaleOptions(args: readonly string[]): {
  readonly input: ScaleInput;
  readonly form: 'json' | 'table' | 'text';
} {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const [operator] = EXAMPLES;
  if (operator === undefined) throw new Error('no example Operator');
  const input = {
    profiles: Number(values.profiles),
    chunk: Number(values.chunk),
    pack: Number(values.pack),
    signsPerSecond: Number(values.signs ?? signsPerTask(operator) * operator.quotas.tasksAtOnce),
    tasksAtOnce: Number(values.tasks ?? operator.quotas.tasksAtOnce),
    lambdas: Number(values.lambdas),
    writeUnits: Number(values['write-units']),
    callbackBatch: Number(values['callback-batch']),
  };
  return { input, form: values.json ? 'json' : values.table ? 'table' : 'text' };
}
