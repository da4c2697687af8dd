import { expect, it } from 'vitest';
import { logLines } from '../../../cli/output/log-lines.ts';

it('writes the lines of one turn of the event loop at once, and leaves nothing behind', async () => {
  const said: string[] = [];
  const before = process.listenerCount('exit');
  const log = logLines((lines) => said.push(lines));
  log('one');
  log('two');
  expect(said).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  log('three');
  await new Promise((resolve) => setImmediate(resolve));
  expect(said).toEqual(['one\ntwo', 'three']);
  expect(process.listenerCount('exit')).toBe(before);
});

it('writes what is left when the process ends', () => {
  const said: string[] = [];
  const before = process.listeners('exit');
  logLines((lines) => said.push(lines))('last');
  for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener.call(process, 0);
  expect(said).toEqual(['last']);
});
