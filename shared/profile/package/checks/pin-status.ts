import type { Bytes } from '../../../codec/bytes.ts';
import { child } from '../element.ts';
import type { Directory, PackageFile } from '../package-file.ts';
import type { CheckedPackage } from './checked-package.ts';
import { type Breach, type RuleGroup, rule } from './rule.ts';

const PIN_STATUS = 0xc6;
/** First octets of the PIN status template DO of ETSI TS 102 221 section 11.1.1.4.10, which Fcp does not repeat. */
const WRAPPED = [0xc6, 0x90];

const hex = (reference: number) => reference.toString(16).toUpperCase().padStart(2, '0');

/** pinStatusTemplateDO of a file, where it has one. */
export function pinStatusOf(file: PackageFile): Bytes | undefined {
  return file.fcp && child(file.fcp.fields, PIN_STATUS)?.value;
}

const isWrapped = (status: Bytes) => status[0] !== undefined && WRAPPED.includes(status[0]);

interface Referring {
  readonly file: PackageFile;
  readonly directory: Directory;
  readonly references: readonly number[];
}

/** Directories with references to PINs that can be read. */
function referring({ system }: CheckedPackage): readonly Referring[] {
  return system.files.flatMap((file) => {
    const status = pinStatusOf(file);
    if (file.directory === undefined || status === undefined || isWrapped(status)) return [];
    return [{ file, directory: file.directory, references: [...status] }];
  });
}

function undefinedReferences(
  { file, references }: Referring,
  checked: CheckedPackage,
  defined: ReadonlySet<number>,
): readonly Breach[] {
  return references
    .filter((reference) => !defined.has(reference))
    .map((reference) => ({
      message: `pinStatusTemplateDO of ${file.label} names ${hex(reference)}, which no PE pinCodes defines for it`,
      element: checked.elementOf(file),
      offset: file.element?.offset,
    }));
}

const isGlobal = (reference: number) => reference < 0x81 || reference > 0x88;

/** PIN status of directories: an eUICC answers pin-code-missing where a PIN is not defined. */
export const pinStatusRules: RuleGroup = {
  name: 'PIN status',
  rules: [
    rule({
      id: 'pin-status-global-defined',
      clause: '8.1.3',
      text: 'A global PIN or administrative code in a pinStatusTemplateDO is defined behind the MF.',
      wayOut: 'Add it to the PE pinCodes behind the MF, or take the reference out.',
      // the PINs of an IoT minimal profile without any of its own are the eUICC's matter
      subjects: (checked) =>
        checked.iot
          ? []
          : referring(checked)
              .map((entry) => ({ ...entry, references: entry.references.filter(isGlobal) }))
              .filter(({ references }) => references.length > 0),
      breach: (entry, checked) => {
        const mfs = checked.system.directories.filter(({ kind }) => kind === 'mf');
        const defined = new Set(mfs.flatMap((mf) => [...checked.pinsOf(mf)]));
        // administrative codes 6 to 10 may be local
        for (const directory of chain(entry.directory))
          for (const reference of checked.pinsOf(directory)) if (reference > 0x88) defined.add(reference);
        return undefinedReferences(entry, checked, defined);
      },
    }),
    rule({
      id: 'pin-status-defined',
      clause: '8.1.3',
      text: 'A local PIN in a pinStatusTemplateDO is defined for a directory above, or by a PE pinCodes that follows.',
      wayOut: 'Add it to the PE pinCodes of the ADF or DF, or take the reference out.',
      subjects: (checked) =>
        referring(checked)
          .map((entry) => ({
            ...entry,
            references: entry.references.filter((reference) => !isGlobal(reference)),
          }))
          .filter(({ references }) => references.length > 0),
      breach: (entry, checked) => {
        const later = checked.pinContexts.filter(({ place }) => place > entry.file.place);
        const directories = [...chain(entry.directory), ...later.flatMap(({ directory }) => directory ?? [])];
        const defined = new Set(directories.flatMap((directory) => [...checked.pinsOf(directory)]));
        return undefinedReferences(entry, checked, defined);
      },
    }),
    rule({
      id: 'pin-status-bare',
      clause: '8.3.2',
      text: 'pinStatusTemplateDO is the list of references alone, not wrapped in a C6.',
      wayOut: 'Write one octet a reference: 01 81 0A.',
      subjects: ({ system }) => system.files.filter((file) => pinStatusOf(file) !== undefined),
      breach: (file, checked) =>
        isWrapped(pinStatusOf(file)!)
          ? {
              message: `pinStatusTemplateDO of ${file.label} is wrapped`,
              element: checked.elementOf(file),
              offset: file.element?.offset,
            }
          : undefined,
    }),
  ],
};

/** A directory and those above it. */
function chain(directory: Directory | undefined): readonly Directory[] {
  return directory === undefined ? [] : [directory, ...chain(directory.parent)];
}
