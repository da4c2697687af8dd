import { createHash } from 'node:crypto';
import manifest from '../package.json' with { type: 'json' };
import type { BundledPackage } from './packages.ts';
import { RUNTIME } from './runtimes.ts';
import type { Version } from './version.ts';

/**
 * The software bill of materials in CycloneDX 1.6: the packages whose code is in the bundle, not all that the project
 * is built with, and the Node of the executables. Date and serial number follow from the commit.
 */
export function sbom({ version, commit, date }: Version, packages: readonly BundledPackage[]): string {
  const self = `pkg:npm/smdpf@${version}`;
  const node = `pkg:generic/node@${RUNTIME.version}`;
  const references = new Map(packages.map((one) => [one.name, purl(one)]));
  const direct = packages.filter(({ name }) => Object.hasOwn(manifest.dependencies, name)).map(purl);
  return `${JSON.stringify(
    {
      $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: `urn:uuid:${uuid(`${self} ${commit}`)}`,
      version: 1,
      metadata: {
        timestamp: date.toISOString(),
        component: {
          type: 'application',
          'bom-ref': self,
          name: 'smdpf',
          version,
          description: manifest.description,
          licenses: [{ license: { id: manifest.license } }],
          purl: self,
          properties: [{ name: 'smdpf:commit', value: commit }],
        },
      },
      components: [...packages.map(component), runtime(node)],
      dependencies: [
        { ref: self, dependsOn: [...direct, node] },
        ...packages.map((one) => ({
          ref: purl(one),
          dependsOn: one.dependencies.flatMap((name) => references.get(name) ?? []),
        })),
        { ref: node, dependsOn: [] },
      ],
    },
    null,
    2,
  )}\n`;
}

const component = (one: BundledPackage) => ({
  type: 'library',
  'bom-ref': purl(one),
  name: one.name,
  version: one.version,
  scope: 'required',
  ...(one.sha512 !== undefined && {
    hashes: [{ alg: 'SHA-512', content: Buffer.from(one.sha512, 'base64').toString('hex') }],
  }),
  licenses: [{ expression: one.license }],
  purl: purl(one),
});

const runtime = (reference: string) => ({
  type: 'platform',
  'bom-ref': reference,
  name: 'node',
  version: RUNTIME.version,
  scope: 'optional',
  description:
    'inside the single executables; the bundle and the npm package run on the Node that is installed',
  licenses: [{ license: { id: 'MIT' } }],
  purl: reference,
});

const purl = ({ name, version }: BundledPackage) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** A version 8 UUID (RFC 9562, 5.8) of a name. */
function uuid(name: string): string {
  const octets = createHash('sha256').update(name).digest().subarray(0, 16);
  octets[6] = 0x80 | (octets[6]! & 0x0f);
  octets[8] = 0x80 | (octets[8]! & 0x3f);
  return octets.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
