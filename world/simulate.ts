import { parseArgs } from 'node:util';
import { makeCastOfSimulation } from './history.ts';
import { rememberPureCrypto } from './pure-crypto.ts';
import { simulateMany } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    operations: { type: 'string', default: '10000' },
    length: { type: 'string', default: '500' },
    history: { type: 'string' },
    json: { type: 'boolean', default: false },
    disasters: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
  },
});

const number = (text: string, name: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name} is a whole number`);
  return value;
};

rememberPureCrypto();
const cast = await makeCastOfSimulation();
const result = await simulateMany(cast, {
  seed: number(values.seed, 'seed'),
  operations: number(values.operations, 'operations'),
  length: number(values.length, 'length'),
  ...(values.history === undefined ? {} : { history: number(values.history, 'history') }),
  shrink: !values['no-shrink'],
  disasters: values.disasters,
  progress: values.json ? () => undefined : (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : result.text);
process.exitCode = result.failure === undefined ? 0 : 1;
