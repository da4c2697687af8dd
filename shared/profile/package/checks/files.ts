import { readTlv } from '../../../codec/tlv.ts';
import { unlessRefused } from '../../../errors.ts';
import { aidText } from '../application-instance.ts';
import { child, children } from '../element.ts';
import { filledLength } from '../file.ts';
import { fileTag } from '../file-pes.ts';
import { fileRecords, MAX_RECORDS } from '../files.ts';
import type { PackageFile } from '../package-file.ts';
import type { PeName } from '../profile-element.ts';
import type { CheckedPackage } from './checked-package.ts';
import { type Breach, elementRule, type RuleGroup, rule } from './rule.ts';

/** Components that the types of the PEs do not make OPTIONAL. */
const MANDATORY: { readonly [name in PeName]?: readonly string[] } = {
  mf: ['mf', 'ef-iccid', 'ef-dir', 'ef-arr'],
  cd: ['df-cd'],
  usim: ['adf-usim', 'ef-imsi', 'ef-arr', 'ef-ust', 'ef-spn', 'ef-est', 'ef-acc', 'ef-ecc'],
  isim: ['adf-isim', 'ef-impi', 'ef-impu', 'ef-domain', 'ef-ist', 'ef-arr'],
  telecom: ['df-telecom'],
  phonebook: ['df-phonebook'],
  'gsm-access': ['df-gsm-access'],
  eap: ['df-eap', 'ef-eapstatus'],
  'df-5gs': ['df-df-5gs'],
  'df-saip': ['df-df-saip'],
  iot: ['ef-imsi', 'ef-acc'],
};

/** Files that a service of the USIM's service table must announce (3GPP TS 31.102 section 4.2.8). */
export const FILE_SERVICES: readonly (readonly [readonly PeName[], string, number])[] = [
  [['opt-usim'], 'ef-gid1', 17],
  [['opt-usim'], 'ef-gid2', 18],
  [['opt-usim'], 'ef-msisdn', 21],
  [['opt-usim', 'opt-iot'], 'ef-oplmnwact', 42],
  [['opt-usim', 'opt-iot'], 'ef-hplmnwact', 43],
  [['opt-usim', 'opt-iot'], 'ef-ehplmn', 71],
  [['df-5gs', 'opt-iot'], 'ef-suci-calc-info', 124],
];

export function serviceAvailable(table: Uint8Array, service: number): boolean {
  return ((table[(service - 1) >>> 3] ?? 0) & (1 << ((service - 1) & 7))) !== 0;
}

const at = (checked: CheckedPackage, file: PackageFile, message: string): Breach => ({
  message,
  element: checked.elementOf(file),
  offset: file.element?.offset,
});

const sized = ({ system }: CheckedPackage) =>
  system.files.filter(
    ({ directory, view }) => directory === undefined && view.created && view.size !== undefined,
  );
const withRecords = (checked: CheckedPackage) =>
  sized(checked).filter(({ view }) => view.recordLength !== undefined && !view.linked);

/** AIDs in EF.DIR; undefined where its content is not in the package. */
function directoryAids(checked: CheckedPackage): ReadonlySet<string> | undefined {
  const [file] = checked.files(['mf', 'iot'], 'ef-dir');
  if (file === undefined || filledLength(file.view.items) === 0) return undefined;
  const records = unlessRefused(() => fileRecords(file.view)) ?? [];
  return new Set(
    records.flatMap((record) => {
      const template = record[0] === 0x61 ? unlessRefused(() => readTlv(record)) : undefined;
      const aid = template && unlessRefused(() => child(children(template), 0x4f));
      return aid === undefined ? [] : [aidText(aid.value)];
    }),
  );
}

/** Presence, sizes and content of files. */
export const fileRules: RuleGroup = {
  name: 'Files',
  rules: [
    elementRule({
      id: 'file-mandatory',
      clause: '8.3.4',
      text: 'A PE has the files that its type does not leave open.',
      wayOut: 'Add the file to the PE.',
      of: ({ name }) => MANDATORY[name] !== undefined,
      breach: (element) =>
        MANDATORY[element.name]!.filter(
          (file) => child(element.fields, fileTag(element.name, file)!) === undefined,
        ).map((file) => ({ message: `the PE ${element.name} has no ${file}`, element })),
    }),
    rule({
      id: 'file-overflow',
      clause: '8.3.2',
      text: 'The content of a file fits into it.',
      wayOut: 'Raise efFileSize, or shorten the content.',
      subjects: sized,
      breach: (file, checked) => {
        const filled = filledLength(file.view.items);
        const size = file.view.size!;
        return filled > size
          ? at(checked, file, `${filled} octets do not fit ${file.label} of ${size} octets`)
          : undefined;
      },
    }),
    rule({
      id: 'file-whole-records',
      clause: 'ETSI TS 102 222, 6.3.2.2.2',
      text: 'A file with records holds whole ones.',
      wayOut: 'Make efFileSize a multiple of the record length.',
      subjects: withRecords,
      breach: (file, checked) =>
        file.view.size! % file.view.recordLength! === 0
          ? undefined
          : at(
              checked,
              file,
              `${file.label} does not hold whole records of ${file.view.recordLength} octets`,
            ),
    }),
    rule({
      id: 'file-max-records',
      clause: 'ETSI TS 102 221, 8.2.2.2',
      text: `A file has at most ${MAX_RECORDS} records.`,
      wayOut: 'Lower efFileSize, or lengthen the records.',
      subjects: withRecords,
      breach: (file, checked) =>
        file.view.size! > MAX_RECORDS * file.view.recordLength!
          ? at(checked, file, `${file.label} has more than ${MAX_RECORDS} records`)
          : undefined,
    }),
    rule({
      id: 'directory-without-content',
      clause: '8.3.2',
      text: 'A directory has no content.',
      wayOut: 'Remove the content.',
      subjects: ({ system }) => system.files.filter(({ directory }) => directory !== undefined),
      breach: (file, checked) =>
        filledLength(file.view.items) > 0
          ? at(checked, file, `the directory ${file.label} has content`)
          : undefined,
    }),
    rule({
      id: 'adf-in-ef-dir',
      clause: 'ETSI TS 102 221, 13.1',
      level: 'warning',
      text: 'EF.DIR names the AID of every ADF: a device looks for applications there.',
      wayOut: 'Add a record 61 with the AID to EF.DIR.',
      subjects: (checked) =>
        directoryAids(checked) === undefined ? [] : checked.adfs.filter(({ aid }) => aid !== undefined),
      breach: (adf, checked) =>
        directoryAids(checked)?.has(adf.aid ?? '')
          ? undefined
          : { message: `EF.DIR does not name the ADF ${adf.aid}`, element: checked.elementOf(adf) },
    }),
    rule({
      id: 'file-service',
      clause: '3GPP TS 31.102, 4.2.8',
      level: 'warning',
      text: 'EF.UST announces the service of a file: else a device does not read it.',
      wayOut: 'Set the bit of the service in EF.UST, or remove the file.',
      subjects: (checked) =>
        checked.files(['usim', 'iot'], 'ef-ust').length === 1
          ? FILE_SERVICES.flatMap(([pes, name, service]) =>
              checked.files(pes, name).map((file) => ({ file, name, service })),
            )
          : [],
      breach: ({ file, name, service }, checked) => {
        const table = checked.image(['usim', 'iot'], 'ef-ust');
        return table === undefined || serviceAvailable(table, service)
          ? undefined
          : at(checked, file, `${name} is there, but service ${service} is not available in EF.UST`);
      },
    }),
  ],
};
