import { parseArgs } from 'node:util';
import { signsPerTask } from '../lib/config.ts';
import { EXAMPLES } from '../lib/operators/index.ts';
import { simulate } from './scale/model.ts';

/**
 * An order of ten million profiles, by the model of scale/model.ts and the quotas of an example Operator or of the
 * options: how long each phase takes, and which wall stands first. Nothing is called.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    profiles: { type: 'string', default: '10000000' },
    chunk: { type: 'string', default: '250' },
    pack: { type: 'string', default: '250' },
    signs: { type: 'string' },
    tasks: { type: 'string' },
    lambdas: { type: 'string', default: '1000' },
    'write-units': { type: 'string', default: '4000' },
    'callback-batch': { type: 'string', default: '1' },
  },
});

const [operator] = EXAMPLES;
if (operator === undefined) throw new Error('no example Operator');
const tasksAtOnce = Number(values.tasks ?? operator.quotas.tasksAtOnce);
const input = {
  profiles: Number(values.profiles),
  chunk: Number(values.chunk),
  pack: Number(values.pack),
  signsPerSecond: Number(values.signs ?? signsPerTask(operator) * operator.quotas.tasksAtOnce),
  tasksAtOnce,
  lambdas: Number(values.lambdas),
  writeUnits: Number(values['write-units']),
  callbackBatch: Number(values['callback-batch']),
};
const results = simulate(input);
if (values.json) console.log(JSON.stringify({ input, results }));
else {
  console.log(
    Object.entries(input)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  for (const { phase, seconds, walls } of results) {
    console.log(
      `\n${phase}: ${(seconds / 3600).toFixed(2)} h, ${Math.round(input.profiles / seconds)} profiles a second`,
    );
    for (const { name, profilesPerSecond } of walls)
      console.log(`  ${name.padEnd(36)} ${String(Math.round(profilesPerSecond)).padStart(8)} a second`);
  }
}
