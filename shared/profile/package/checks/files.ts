import { child } from '../element.ts';
import { filledLength } from '../file.ts';
import { fileTag, isFilePe } from '../file-pes.ts';
import { fileSystemOf } from '../file-system.ts';
import { fileImage, findFile, MAX_RECORDS } from '../files.ts';
import type { PeName, ProfilePackage } from '../profile-element.ts';
import { about, type Finding } from './finding.ts';

/** Components that the types of the PEs do not make OPTIONAL. */
const MANDATORY: { readonly [name in PeName]?: readonly string[] } = {
  mf: ['mf', 'ef-iccid', 'ef-dir', 'ef-arr'],
  usim: ['adf-usim', 'ef-imsi', 'ef-arr', 'ef-ust', 'ef-spn', 'ef-est', 'ef-acc', 'ef-ecc'],
  isim: ['adf-isim', 'ef-impi', 'ef-impu', 'ef-domain', 'ef-ist', 'ef-arr'],
  telecom: ['df-telecom'],
  'df-5gs': ['df-df-5gs'],
  'df-saip': ['df-df-saip'],
  iot: ['ef-imsi', 'ef-acc'],
};

/** Files that a service of the USIM's service table must announce (3GPP TS 31.102 section 4.2.8). */
const FILE_SERVICES: readonly (readonly [PeName, string, number])[] = [
  ['opt-usim', 'ef-gid1', 17],
  ['opt-usim', 'ef-gid2', 18],
  ['opt-usim', 'ef-msisdn', 21],
  ['opt-usim', 'ef-oplmnwact', 42],
  ['df-5gs', 'ef-suci-calc-info', 124],
];

/** Presence, sizes and content of files. */
export function checkFiles(profile: ProfilePackage): readonly Finding[] {
  return [...checkPresence(profile), ...checkSizes(profile), ...checkServiceTable(profile)];
}

function checkPresence({ elements }: ProfilePackage): readonly Finding[] {
  return elements.flatMap((element) =>
    (MANDATORY[element.name] ?? [])
      .filter((file) => child(element.fields, fileTag(element.name, file)!) === undefined)
      .map((file) => about(element, 'error', 'fileMissing', `the PE ${element.name} has no ${file}`)),
  );
}

function checkSizes(profile: ProfilePackage): readonly Finding[] {
  return fileSystemOf(profile).files.flatMap(({ place, pe, name, path, view }): readonly Finding[] => {
    const element = profile.elements[place]!;
    const file = name === undefined ? path : `${pe}/${name}`;
    const { size, recordLength, structure } = view;
    const filled = filledLength(view.items);
    if (structure !== 'df' && size !== undefined && filled > size) {
      return [
        about(element, 'error', 'fileOverflow', `${filled} octets do not fit ${file} of ${size} octets`),
      ];
    }
    if (size !== undefined && recordLength !== undefined && size % recordLength !== 0 && !view.linked) {
      return [
        about(element, 'error', 'fileSize', `${file} does not hold whole records of ${recordLength} octets`),
      ];
    }
    if (size !== undefined && recordLength !== undefined && size > MAX_RECORDS * recordLength) {
      return [about(element, 'error', 'fileSize', `${file} has more than ${MAX_RECORDS} records`)];
    }
    if (structure === 'df' && filled > 0) {
      return [about(element, 'error', 'fileSize', `the directory ${file} has content`)];
    }
    return [];
  });
}

function checkServiceTable({ elements }: ProfilePackage): readonly Finding[] {
  const usims = elements.filter(({ name }) => name === 'usim');
  const [usim] = usims;
  const ust = usim === undefined ? undefined : findFile('usim', usim.fields, 'ef-ust');
  if (usims.length !== 1 || ust === undefined) return [];
  const table = fileImage(ust);
  const available = (service: number) =>
    ((table[(service - 1) >>> 3] ?? 0) & (1 << ((service - 1) & 7))) !== 0;
  return FILE_SERVICES.flatMap(([pe, file, service]) =>
    elements
      .filter(({ name, fields }) => name === pe && isFilePe(name) && findFile(pe, fields, file) !== undefined)
      .filter(() => !available(service))
      .map((element) =>
        about(
          element,
          'warning',
          'fileService',
          `${file} is there, but service ${service} is not available in EF.UST`,
        ),
      ),
  );
}
