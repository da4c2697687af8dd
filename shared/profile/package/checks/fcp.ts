import { child } from '../element.ts';
import type { Fcp } from '../file.ts';
import type { PackageFile } from '../package-file.ts';
import type { CheckedPackage } from './checked-package.ts';
import { pinStatusOf } from './pin-status.ts';
import { type Rule, type RuleGroup, rule } from './rule.ts';

/** Components of Fcp by their tags. */
export const FCP = {
  fileDescriptor: 0x82,
  fileID: 0x83,
  dfName: 0x84,
  lcsi: 0x8a,
  securityAttributesReferenced: 0x8b,
  efFileSize: 0x80,
  pinStatusTemplateDO: 0xc6,
  shortEFID: 0x88,
  proprietaryEFInfo: 0xa5,
  linkPath: 0xc7,
} as const;
export type FcpName = keyof typeof FCP;

/** Is the component there? An empty linkPath turns a link of the template into a file of its own. */
export function hasFcp(fcp: Fcp, name: FcpName): boolean {
  const found = child(fcp.fields, FCP[name]);
  return found !== undefined && (name !== 'linkPath' || found.value.length > 0);
}

type Kind = 'mf' | 'df' | 'adf' | 'ef';
export const kindOf = (file: PackageFile): Kind => file.directory?.kind ?? 'ef';

const TITLES: Readonly<Record<Kind, string>> = { mf: 'the MF', df: 'a DF', adf: 'an ADF', ef: 'an EF' };

/** Files of file PEs that have an Fcp, of these kinds. */
const described = (checked: CheckedPackage, ...kinds: readonly Kind[]) =>
  checked.system.files.filter(
    (file) => file.name !== undefined && file.fcp !== undefined && kinds.includes(kindOf(file)),
  );

function forbidden(id: string, kinds: readonly Kind[], name: FcpName): Rule {
  const title = TITLES[kinds[0]!];
  return rule({
    id,
    clause: '8.3.3',
    text: `The Fcp of ${title} has no ${name}.`,
    wayOut: `Remove ${name}.`,
    subjects: (checked) => described(checked, ...kinds),
    breach: (file, checked) =>
      file.fcp !== undefined && hasFcp(file.fcp, name)
        ? {
            message: `${file.label} is ${TITLES[kindOf(file)]} and has ${name}`,
            element: checked.elementOf(file),
            offset: file.element?.offset,
          }
        : undefined,
  });
}

function needed(id: string, kinds: readonly Kind[], name: FcpName, wayOut: string): Rule {
  return rule({
    id,
    clause: '8.3.3',
    text: `Full profile: the Fcp of ${TITLES[kinds[0]!]} has ${name}.`,
    wayOut,
    subjects: (checked) =>
      checked.iot
        ? []
        : checked.system.files.filter(
            // createFCP of an ADF has rules of its own
            (file) =>
              file.fcp !== undefined &&
              kinds.includes(kindOf(file)) &&
              file.view.created &&
              !file.view.linked &&
              (file.name !== undefined || kindOf(file) !== 'adf'),
          ),
    breach: (file, checked) =>
      file.fcp !== undefined && hasFcp(file.fcp, name)
        ? undefined
        : {
            message: `${file.label} has no ${name}`,
            element: checked.elementOf(file),
            offset: file.element?.offset,
          },
  });
}

const PIN_WAY_OUT = 'Add pinStatusTemplateDO with the references of its PINs, such as 01 81 0A.';

/** File control parameters in file PEs. */
export const fcpRules: RuleGroup = {
  name: 'File control parameters',
  rules: [
    forbidden('ef-no-pin-status', ['ef'], 'pinStatusTemplateDO'),
    forbidden('ef-no-df-name', ['ef'], 'dfName'),
    forbidden('df-no-short-efid', ['df', 'mf'], 'shortEFID'),
    forbidden('df-no-file-size', ['df', 'mf'], 'efFileSize'),
    forbidden('df-no-ef-info', ['df', 'mf'], 'proprietaryEFInfo'),
    forbidden('df-no-df-name', ['df', 'mf'], 'dfName'),
    forbidden('adf-no-short-efid', ['adf'], 'shortEFID'),
    forbidden('adf-no-file-size', ['adf'], 'efFileSize'),
    forbidden('adf-no-ef-info', ['adf'], 'proprietaryEFInfo'),
    needed(
      'adf-needs-file-id',
      ['adf'],
      'fileID',
      'Add a temporary fileID, such as 7FD0, by which paths reach the ADF.',
    ),
    needed('adf-needs-aid', ['adf'], 'dfName', 'Add the AID of the application as dfName.'),
    needed('adf-needs-pin-status', ['adf'], 'pinStatusTemplateDO', PIN_WAY_OUT),
    needed('df-needs-pin-status', ['df', 'mf'], 'pinStatusTemplateDO', PIN_WAY_OUT),
    rule({
      id: 'template-pin-status',
      clause: '9.1',
      text: 'Full profile: a PE describes its MF, ADF or DF, and gives it a pinStatusTemplateDO.',
      wayOut: PIN_WAY_OUT,
      subjects: (checked) =>
        checked.iot
          ? []
          : checked.system.files.filter(
              ({ name, directory, view }) => name !== undefined && directory !== undefined && view.created,
            ),
      // where there is an Fcp, the rules above tell
      breach: (file, checked) =>
        file.fcp === undefined && pinStatusOf(file) === undefined
          ? {
              message: `the PE ${file.pe} gives ${file.name} no pinStatusTemplateDO`,
              element: checked.elementOf(file),
            }
          : undefined,
    }),
    rule({
      id: 'adf-aid-unique',
      clause: '8.3.3',
      text: 'No two ADFs have one AID.',
      wayOut: 'Give each ADF the AID of its application, different in the last octets.',
      subjects: ({ adfs }) => adfs.filter(({ aid }) => aid !== undefined),
      breach: (adf, checked) =>
        checked.adfs.find(({ aid }) => aid === adf.aid) === adf
          ? undefined
          : { message: `another ADF has AID ${adf.aid}`, element: checked.elementOf(adf) },
    }),
    rule({
      id: 'adf-file-id-unique',
      clause: '8.3.3',
      text: 'No two ADFs have one temporary fileID, and no DF in the MF has it.',
      wayOut: 'Give each ADF a temporary fileID of its own.',
      subjects: ({ adfs }) => adfs.filter(({ path }) => path !== undefined),
      breach: (adf, checked) =>
        checked.system.directories.find(({ path, kind }) => path === adf.path && kind !== 'mf') === adf
          ? undefined
          : { message: `another directory has the fileID ${adf.path}`, element: checked.elementOf(adf) },
    }),
    rule({
      id: 'fcp-empty',
      clause: '8.3.3',
      level: 'warning',
      text: 'An Fcp says something. An empty one is legal, yet no published profile has any, and eUICCs may not expect it.',
      wayOut: 'Give one component as the template has it, such as shortEFID or efFileSize.',
      subjects: ({ system }) =>
        [system.files.filter(({ fcp }) => fcp !== undefined)].filter(({ length }) => length > 0),
      breach: (files, checked) => {
        const empty = files.filter(({ fcp }) => fcp?.fields.length === 0);
        const [first] = empty;
        return first === undefined
          ? undefined
          : {
              message: `the Fcp of ${first.label} is empty${empty.length > 1 ? `, and those of ${empty.length - 1} other files` : ''}`,
              element: checked.elementOf(first),
              offset: first.element?.offset,
            };
      },
    }),
  ],
};
