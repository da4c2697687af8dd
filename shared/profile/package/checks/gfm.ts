import type { PackageFile } from '../package-file.ts';
import type { CheckedPackage } from './checked-package.ts';
import { type FcpName, hasFcp } from './fcp.ts';
import { type Breach, type Rule, type RuleGroup, rule } from './rule.ts';

const created = ({ system }: CheckedPackage) => system.files.filter(({ name }) => name === undefined);
const isLink = ({ view }: PackageFile) => view.linked;
const isAdf = (file: PackageFile) => file.fcp !== undefined && hasFcp(file.fcp, 'dfName');
const isEf = (file: PackageFile) =>
  !isLink(file) && file.view.structure !== undefined && file.view.structure !== 'df';

const broken = (checked: CheckedPackage, file: PackageFile, message: string): Breach => ({
  message: `createFCP of ${file.path ?? 'a file without fileID'}: ${message}`,
  element: checked.elementOf(file),
  offset: file.element?.offset,
});

function needed(
  id: string,
  title: string,
  is: (file: PackageFile) => boolean,
  name: FcpName,
  wayOut: string,
): Rule {
  return rule({
    id,
    clause: '8.3.5',
    text: `createFCP of ${title} has ${name}.`,
    wayOut,
    subjects: (checked) => created(checked).filter(is),
    breach: (file, checked) =>
      hasFcp(file.fcp!, name) ? undefined : broken(checked, file, `${name} is missing`),
  });
}

function forbidden(
  id: string,
  title: string,
  is: (file: PackageFile) => boolean,
  names: readonly FcpName[],
): Rule {
  return rule({
    id,
    clause: '8.3.5',
    text: `createFCP of ${title} has no ${names.join(', ')}.`,
    wayOut: 'Remove the component.',
    subjects: (checked) => created(checked).filter(is),
    breach: (file, checked) =>
      names
        .filter((name) => hasFcp(file.fcp!, name))
        .map((name) => broken(checked, file, `${title} has no ${name}`)),
  });
}

/** Files that PE-GenericFileManagement makes: no template completes them. */
export const gfmRules: RuleGroup = {
  name: 'Generic file management',
  rules: [
    needed('gfm-needs-file-id', 'a file', () => true, 'fileID', 'Add the file identifier.'),
    needed(
      'gfm-needs-security',
      'a file',
      () => true,
      'securityAttributesReferenced',
      'Add the record of EF.ARR that says who may do what.',
    ),
    rule({
      id: 'gfm-needs-descriptor',
      clause: '8.3.5',
      text: 'createFCP has a fileDescriptor; that of a link is ignored.',
      wayOut: 'Add the fileDescriptor: 41 21, or 42 21 and the length of a record, or 78 21.',
      subjects: created,
      breach: (file, checked) =>
        hasFcp(file.fcp!, 'fileDescriptor')
          ? undefined
          : {
              ...broken(checked, file, 'fileDescriptor is missing'),
              level: isLink(file) ? 'warning' : 'error',
            },
    }),
    needed(
      'gfm-needs-file-size',
      'an EF',
      (file) => isEf(file) && file.view.structure !== 'ber-tlv',
      'efFileSize',
      'Add efFileSize in octets.',
    ),
    needed(
      'gfm-adf-pin-status',
      'an ADF',
      isAdf,
      'pinStatusTemplateDO',
      'Add the references of the PINs of the ADF, such as 01 81 0A.',
    ),
    forbidden('gfm-adf-forbidden', 'an ADF', isAdf, [
      'efFileSize',
      'shortEFID',
      'proprietaryEFInfo',
      'linkPath',
    ]),
    forbidden('gfm-link-forbidden', 'a link', (file) => isLink(file) && !isAdf(file), [
      'efFileSize',
      'pinStatusTemplateDO',
    ]),
    forbidden('gfm-ef-forbidden', 'an EF', isEf, ['dfName', 'pinStatusTemplateDO']),
    forbidden(
      'gfm-df-link-short-efid',
      'a link to a DF',
      (file) => isLink(file) && file.view.structure === 'df',
      ['shortEFID'],
    ),
    forbidden('gfm-df-forbidden', 'a DF', (file) => file.directory?.kind === 'df' && !isLink(file), [
      'efFileSize',
      'shortEFID',
      'proprietaryEFInfo',
    ]),
    rule({
      id: 'gfm-path-exists',
      clause: '8.3.5',
      text: 'filePath names a directory or a file that is there; an ADF by its temporary fileID.',
      wayOut: 'Create the directory before, or correct the path: four digits a directory, from below the MF.',
      subjects: (checked) => checked.named('genericFileManagement'),
      breach: (element, { system, elements }) =>
        system.lost
          .filter(({ place, why }) => why === 'path' && elements[place] === element)
          .map(({ path, item }) => ({
            message: `filePath ${path} leads nowhere`,
            element,
            offset: item.offset,
          })),
    }),
    rule({
      id: 'gfm-content-has-file',
      clause: '8.3.5',
      text: 'Content is for a file that was created or selected before.',
      wayOut: 'Create the file before it is filled.',
      subjects: (checked) => checked.named('genericFileManagement'),
      breach: (element, { system, elements }) =>
        system.lost
          .filter(({ place, why }) => why === 'content' && elements[place] === element)
          .map(({ item }) => ({ message: 'content is for no file', element, offset: item.offset })),
    }),
  ],
};
