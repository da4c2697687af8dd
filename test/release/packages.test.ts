import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { bundledPackages, notices } from '../../release/packages.ts';
import { RUNTIME } from '../../release/runtimes.ts';
import { sbom } from '../../release/sbom.ts';

const packages = bundledPackages([
  'node_modules/jose',
  'node_modules/commander',
  'node_modules/@noble/curves',
]);
const version = {
  version: '1.2.3',
  commit: 'ab'.repeat(20),
  date: new Date('2027-03-01T00:00:00Z'),
  clean: true,
};

it('each package in the bundle is in the notices, with its licence', () => {
  const text = notices(packages, RUNTIME.version);
  expect(text).toContain(`jose ${manifest.dependencies.jose} (MIT)`);
  expect(text).toContain('Filip Skokan');
  expect(text).toContain(`@noble/curves ${manifest.dependencies['@noble/curves']} (MIT)`);
});

it('the bill of materials names each package with its hash, and depends on the commit alone', () => {
  const text = sbom(version, packages);
  expect(sbom(version, packages)).toBe(text);
  const { components, metadata } = JSON.parse(text) as {
    metadata: { timestamp: string };
    components: { purl: string; hashes: { content: string }[] }[];
  };
  expect(metadata.timestamp).toBe('2027-03-01T00:00:00.000Z');
  expect(components.map(({ purl }) => purl)).toEqual([
    `pkg:npm/%40noble/curves@${manifest.dependencies['@noble/curves']}`,
    `pkg:npm/commander@${manifest.dependencies.commander}`,
    `pkg:npm/jose@${manifest.dependencies.jose}`,
    `pkg:generic/node@${RUNTIME.version}`,
  ]);
  expect(components[0]!.hashes[0]!.content).toMatch(/^[0-9a-f]{128}$/);
});

it('the Node of the executables is the one that the project is tested on', () => {
  expect(RUNTIME.version).toBe(manifest.devDependencies.node);
});
