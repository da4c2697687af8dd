import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Garbage } from '../shared/garbage.ts';

const MODULE = new URL('../shared/garbage.ts', import.meta.url);

/** Old garbage is what outlived two collections of the young generation, or lies in buffers: 20 MB of the latter. */
const littered = () => new WeakRef(new Uint8Array(20_000_000).fill(1));

/** What a WeakRef was made of lives to the end of that turn. */
const turn = () => delay(1);

describe('garbage of a thread', () => {
  it('is collected while the thread is idle', async () => {
    const garbage = new Garbage();
    garbage.collectIfIdle(0);
    const litter = littered();
    await turn();
    garbage.collectIfIdle(0);
    expect(litter.deref()).toBeUndefined();
  });

  it('is left to V8 while the thread works, and where there is little of it', () => {
    let collections = 0;
    const garbage = new Garbage(() => {
      collections += 1;
    });
    garbage.collectIfIdle(0);
    expect(collections).toBe(1);
    const held = new Uint8Array(20_000_000).fill(1);
    garbage.collectIfIdle(1);
    expect(collections).toBe(1);
    garbage.collectIfIdle(0);
    expect(collections).toBe(2);
    // that much is in use: no reason to look for garbage again
    garbage.collectIfIdle(0);
    expect(collections).toBe(2);
    expect(held.length).toBe(20_000_000);
  });
});

it('a process ends where nothing but the look for garbage is left', () => {
  const program = `import { collectWhileIdle } from '${MODULE}'; collectWhileIdle(); console.log('end');`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'end\n' });
});
