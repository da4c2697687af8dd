import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bundle.ts';

/** A package of others that is in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX. */
  readonly license: string;
  /** SHA-512 of its tarball in the registry, base64; of package-lock.json. */
  readonly sha512?: string;
  /** Names of packages that it depends on. */
  readonly dependencies: readonly string[];
  /** The text of its licence, where it brings one. */
  readonly licenseText?: string;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Those of folders in `node_modules`, by name and version. */
export function bundledPackages(folders: readonly string[]): BundledPackage[] {
  const { packages: locked } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { readonly integrity?: string }>>;
  };
  return folders
    .map((folder): BundledPackage => {
      const path = join(ROOT, folder);
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
      const integrity = locked[folder]?.integrity;
      const text = readdirSync(path)
        .filter((name) => /^(licen[cs]e|copying)/i.test(name))
        .sort()[0];
      return {
        name: manifest.name,
        version: manifest.version,
        license: manifest.license ?? 'NOASSERTION',
        dependencies: Object.keys(manifest.dependencies ?? {}),
        ...(integrity?.startsWith('sha512-') && { sha512: integrity.slice('sha512-'.length) }),
        ...(text !== undefined && { licenseText: readFileSync(join(path, text), 'utf8') }),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/** THIRD-PARTY-NOTICES: each licence once, with the packages under it. */
export function notices(packages: readonly BundledPackage[], nodeVersion: string): string {
  const byText = new Map<string, BundledPackage[]>();
  for (const one of packages) {
    const text = one.licenseText?.trim() ?? `${one.license}: see LICENSE, which is the same licence.`;
    byText.set(text, [...(byText.get(text) ?? []), one]);
  }
  const part = (text: string, under: readonly BundledPackage[]) =>
    `${under.map(({ name, version, license }) => `${name} ${version} (${license})`).join('\n')}\n\n${text}\n`;
  return [
    'Packages of others in smdpf, and the licences that they come under.\n',
    ...[...byText].map(([text, under]) => part(text, under)),
    `Node.js ${nodeVersion}, in the single executables alone: MIT, and the licences of what it contains, all in\n` +
      `https://github.com/nodejs/node/blob/v${nodeVersion}/LICENSE\n`,
  ].join(`\n${'-'.repeat(80)}\n\n`);
}
