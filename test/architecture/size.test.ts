import { expect, it } from 'vitest';
import { functionSizes, sourceTree } from './source-tree.ts';

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 60;

const files = sourceTree('shared');

const longest = (sizes: readonly { lines: number; name: string }[]) =>
  [...sizes]
    .sort((one, other) => other.lines - one.lines)
    .slice(0, 10)
    .map(({ lines, name }) => `${String(lines).padStart(5)}  ${name}`)
    .join('\n');

it(`no file of shared/ has more than ${MAX_FILE_LINES} lines`, () => {
  const sizes = files.map(({ path, text }) => ({ name: path, lines: text.trimEnd().split('\n').length }));
  console.log(`the longest files of shared/, in lines\n${longest(sizes)}`);
  expect(sizes.filter(({ lines }) => lines > MAX_FILE_LINES)).toEqual([]);
});

it(`no function of shared/ has more than ${MAX_FUNCTION_LINES} lines`, () => {
  const sizes = files
    .flatMap(functionSizes)
    .map(({ path, name, lines }) => ({ name: `${path}:${name}`, lines }));
  expect(sizes.length).toBeGreaterThan(2_000);
  console.log(`the longest functions of shared/, in lines\n${longest(sizes)}`);
  expect(sizes.filter(({ lines }) => lines > MAX_FUNCTION_LINES)).toEqual([]);
});

it('the size of a function counts from its signature to its end, by the name it has', () => {
  const text = [
    'class Ledger {',
    '  #find = (',
    '    key: Key,',
    '  ) => [key].map((one) =>',
    '    one.sort);',
    '  get(key: Key) {',
    '    return { on: () => key };',
    '  }',
    '}',
    'const put = async () => {',
    '};',
    '/** Doc. */',
    'export function scan() {',
    '',
    '}',
    'run(() => 1);',
  ].join('\n');
  expect(functionSizes({ path: 'a.ts', text }).map(({ name, lines }) => [name, lines])).toEqual([
    ['Ledger.#find', 4],
    ['line 4', 2],
    ['Ledger.get', 3],
    ['on', 1],
    ['put', 2],
    ['scan', 3],
    ['line 16', 1],
  ]);
});
