import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SERVER_SETTINGS } from '../../cli/allocator.ts';

const file = (name: string) => readFileSync(join('release/files', name), 'utf8').split('\n');

it('a server runs with the same settings of its memory as a service and as a container', () => {
  const settings = Object.entries(SERVER_SETTINGS)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
  expect(file('smdpf.service')).toContain(`Environment=${settings}`);
  expect(file('Containerfile')).toContain(`ENV ${settings}`);
});
