import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Made, tasksOf, type Wanted } from './simulation.ts';
import { inWords, summaryOf } from './summary.ts';
import { forkedWorker, makeAll, ownWorker } from './workers.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    operations: { type: 'string', default: '10000' },
    length: { type: 'string', default: '500' },
    history: { type: 'string' },
    workers: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    disasters: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
  },
});
type Numbered = 'seed' | 'seeds' | 'operations' | 'length' | 'history' | 'workers';

function number(name: Numbered, least: number): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`--${name} is a whole number from ${least} on`);
  return value;
}

const PROGRESS_MS = 10_000;

/** Says now and then how far it has come. */
function progressOf(say: (line: string) => void, begun: number): (made: Made) => void {
  let told = begun;
  let operations = 0;
  let bound = 0;
  return (made) => {
    operations += made.operations;
    bound += made.bound;
    const now = performance.now();
    if (now - told < PROGRESS_MS) return;
    told = now;
    const rate = Math.round(operations / ((now - begun) / 1000));
    say(`${operations} operations, ${bound} profiles bound, ${rate} a second`);
  };
}

const first = number('seed', 0);
const wanted: Wanted = {
  seeds: Array.from({ length: number('seeds', 1) }, (_, i) => first + i),
  operations: number('operations', 1),
  length: number('length', 1),
  ...(values.history === undefined ? {} : { history: number('history', 0) }),
  shrink: !values['no-shrink'],
  disasters: values.disasters,
};
const processes = Math.min(number('workers', 1), 4 * availableParallelism());
const say = (line: string) => void (values.json || process.stderr.write(`${line}\n`));
const begun = performance.now();
const workers =
  processes === 1 ? [await ownWorker(say)] : Array.from({ length: processes }, () => forkedWorker(say));
const all: Made[] = [];
const onMade = progressOf(say, begun);
// who interrupts a long run is told of what it has made
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const note = (made: Made) => {
  all.push(made);
  onMade(made);
};
await makeAll(tasksOf(wanted), workers, note, stop.signal);
const summary = summaryOf(all, wanted.seeds, (performance.now() - begun) / 1000);
const text = inWords(summary, wanted.disasters);
process.stdout.write(values.json ? `${JSON.stringify({ ...summary, text })}\n` : text);
process.exitCode = summary.violations.length === 0 ? 0 : 1;
