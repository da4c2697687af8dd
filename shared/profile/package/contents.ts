import type { Bytes } from '../../codec/bytes.ts';
import { unlessRefused } from '../../errors.ts';
import { inProfile } from './element.ts';
import type { FileStructure } from './file.ts';
import { fileSystemOf } from './file-system.ts';
import type { Parameter } from './parameter.ts';
import { securityDomainKeyNames } from './parameters/security-domain-keys.ts';
import { PARAMETERS, parameterNamed } from './parameters.ts';
import { decodePackage, type PeName, type ProfilePackage } from './profile-element.ts';

/** What may be shown of a package beyond `uppSummary`: who the subscriber is and which files there are. */
export interface PackageContents {
  /** Values of parameters that are no secrets; one entry for each copy in the package. */
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  /** Names of the secret parameters that the package has a place for. */
  readonly secrets: readonly string[];
  readonly files: readonly FileListing[];
}

export interface FileListing {
  /** File identifiers from below the MF, an ADF by its temporary one; undefined where unknown. */
  readonly path: string | undefined;
  readonly pe: PeName;
  /** Component of the PE; undefined for a file of genericFileManagement. */
  readonly name: string | undefined;
  readonly structure: FileStructure | undefined;
  /** Octets. */
  readonly size: number | undefined;
  readonly recordLength: number | undefined;
}

export function packageContents(upp: Bytes): PackageContents {
  return inProfile(() => {
    const profile = decodePackage(upp);
    const places = new Set<string>();
    const present = [...PARAMETERS, ...securityDomainKeys(profile)].flatMap(({ name, secret, bind }) => {
      const found = contentOf(profile, bind);
      // OP is written where OPc is: one name for a place is enough
      if (found === undefined || found.targets.every((target) => places.has(target))) return [];
      for (const target of found.targets) places.add(target);
      return [{ name, secret, values: found.values }];
    });
    return {
      parameters: Object.fromEntries(
        present.filter(({ secret }) => !secret).map(({ name, values }) => [name, values]),
      ),
      secrets: present.filter(({ secret }) => secret).map(({ name }) => name),
      files: fileSystemOf(profile).files.map(({ path, pe, name, view }) => ({
        path,
        pe,
        name,
        structure: view.structure,
        size: view.size,
        recordLength: view.recordLength,
      })),
    };
  });
}

const securityDomainKeys = (profile: ProfilePackage) =>
  securityDomainKeyNames(profile).map(({ name }) => parameterNamed(name));

/** Undefined where the package has no place for the parameter, or holds something else there. */
function contentOf(profile: ProfilePackage, bind: Parameter['bind']) {
  return unlessRefused(() => {
    const bound = bind(profile);
    return { targets: bound.targets, values: bound.read(profile) };
  });
}
