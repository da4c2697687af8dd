import { unlessRefused } from '../../../errors.ts';
import { present } from '../../../present.ts';
import { decodeImsIdentity } from '../ef/ims-identity.ts';
import { decodeImsi } from '../ef/imsi.ts';
import { mncLengthOfAd, mncLengthOfMcc } from '../ef/mnc-length.ts';
import { fileRecords } from '../files.ts';
import type { PackageFile } from '../package-file.ts';
import type { CheckedPackage } from './checked-package.ts';
import { type Breach, type RuleGroup, rule } from './rule.ts';

const USIM = ['usim', 'iot'] as const;
const imsiFiles = (checked: CheckedPackage) => checked.files(USIM, 'ef-imsi');

/** EF.IMSI of the one USIM that there is; undefined where there are several, or none that can be read. */
export function imsiOf(checked: CheckedPackage): string | undefined {
  const files = imsiFiles(checked);
  const [file] = files;
  if (file === undefined || files.length > 1) return undefined;
  return unlessRefused(() => decodeImsi(checked.imageOf(file))) || undefined;
}

const at = (checked: CheckedPackage, file: PackageFile, message: string, parameter?: string): Breach => ({
  message,
  element: checked.elementOf(file),
  offset: file.element?.offset,
  ...present({ parameter }),
});

/** Bits of EF.ACC: the classes 0 to 9 that every subscriber has one of; bit 11 is no class (3GPP TS 22.011 section 4.2). */
const ORDINARY_CLASSES = 0x03ff;
const NO_CLASS = 0x0400;

function accFault(image: Uint8Array): string | undefined {
  const bits = (image[0] ?? 0) * 256 + (image[1] ?? 0);
  const ordinary = bits & ORDINARY_CLASSES;
  if (ordinary === 0) return 'EF.ACC has none of the classes 0 to 9';
  if ((ordinary & (ordinary - 1)) !== 0) return 'EF.ACC has several of the classes 0 to 9';
  return (bits & NO_CLASS) === 0 ? undefined : 'EF.ACC has bit 11, which is no class';
}

const IMS_DOMAIN = /(?:^|@)ims\.mnc([0-9]{3})\.mcc([0-9]{3})\.3gppnetwork\.org$/;

interface Identity {
  readonly file: PackageFile;
  readonly parameter: string;
  readonly mcc: string;
  readonly mnc: string;
}

/** Identities of ISIMs that have the form derived from an IMSI. */
function derivedIdentities(checked: CheckedPackage): readonly Identity[] {
  if (imsiOf(checked) === undefined) return [];
  return ['impi', 'impu', 'domain'].flatMap((parameter) =>
    checked.files(['isim'], `ef-${parameter}`).flatMap((file) => {
      const records =
        unlessRefused(() => (parameter === 'impu' ? fileRecords(file.view) : [checked.imageOf(file)])) ?? [];
      return records.flatMap((record) => {
        const identity = unlessRefused(() => decodeImsIdentity(record)) ?? '';
        const [, mnc, mcc] = IMS_DOMAIN.exec(identity) ?? [];
        return mnc === undefined || mcc === undefined ? [] : [{ file, parameter, mcc, mnc }];
      });
    }),
  );
}

const adLength = (checked: CheckedPackage) => mncLengthOfAd(checked.image(USIM, 'ef-ad'));

/** Who the subscriber is: IMSI, access control class, length of the MNC, identities of the ISIM. */
export const identityRules: RuleGroup = {
  name: 'Subscriber',
  rules: [
    rule({
      id: 'imsi-coded',
      clause: '3GPP TS 31.102, 4.2.2',
      text: 'EF.IMSI holds an IMSI.',
      wayOut: 'Personalise imsi: 6 to 15 digits.',
      subjects: imsiFiles,
      breach: (file, checked) =>
        unlessRefused(() => decodeImsi(checked.imageOf(file))) === undefined
          ? at(checked, file, 'EF.IMSI does not hold an IMSI', 'imsi')
          : undefined,
    }),
    rule({
      id: 'acc-one-class',
      clause: '3GPP TS 22.011, 4.2',
      level: 'warning',
      text: 'EF.ACC has exactly one of the classes 0 to 9.',
      wayOut: 'Set one bit of the classes 0 to 9; `personalise` takes that of the last digit of the IMSI.',
      subjects: (checked) => checked.files(USIM, 'ef-acc'),
      breach: (file, checked) => {
        const image = unlessRefused(() => checked.imageOf(file));
        const fault = image && accFault(image);
        return fault === undefined ? undefined : at(checked, file, fault, 'acc');
      },
    }),
    rule({
      id: 'ad-mnc-length',
      clause: '3GPP TS 31.102, 4.2.18',
      level: 'warning',
      text: 'EF.AD says that the MNC has two or three digits.',
      wayOut: 'Personalise mncLength: 2 or 3.',
      subjects: (checked) => checked.files(USIM, 'ef-ad'),
      breach: (file, checked) =>
        mncLengthOfAd(unlessRefused(() => checked.imageOf(file))) === undefined
          ? at(checked, file, 'EF.AD does not say whether the MNC has two or three digits', 'mncLength')
          : undefined,
    }),
    rule({
      id: 'mnc-length-of-mcc',
      clause: 'ITU-T E.212',
      level: 'warning',
      text: 'EF.AD agrees with the country of the IMSI on how many digits the MNC has.',
      wayOut: 'Personalise mncLength: devices tell their own network by it.',
      subjects: (checked) => {
        const imsi = imsiOf(checked);
        const length = imsi === undefined ? undefined : mncLengthOfMcc(imsi.slice(0, 3));
        return length === undefined || imsi === undefined
          ? []
          : checked.files(USIM, 'ef-ad').map((file) => ({ file, length, mcc: imsi.slice(0, 3) }));
      },
      breach: ({ file, length, mcc }, checked) => {
        const said = adLength(checked);
        return said === undefined || said === length
          ? undefined
          : at(
              checked,
              file,
              `EF.AD says ${said} digits of MNC, and networks of MCC ${mcc} have ${length}`,
              'mncLength',
            );
      },
    }),
    rule({
      id: 'isim-identity-of-imsi',
      clause: '3GPP TS 23.003, 13.2',
      level: 'warning',
      text: 'An ISIM identity with a domain of 3gppnetwork.org has MCC and MNC of the IMSI, with the length that EF.AD says.',
      wayOut: 'Derive the identities anew (`--derive-isim`), and say mncLength where EF.AD does not.',
      subjects: derivedIdentities,
      breach: ({ file, parameter, mcc, mnc }, checked) => {
        const imsi = imsiOf(checked) ?? '';
        const length = adLength(checked);
        if (length === undefined) return undefined;
        const wanted = imsi.slice(3, 3 + length).padStart(3, '0');
        return mcc === imsi.slice(0, 3) && mnc === wanted
          ? undefined
          : at(
              checked,
              file,
              `EF.${parameter.toUpperCase()} names mnc${mnc}.mcc${mcc}, and IMSI and EF.AD say mnc${wanted}.mcc${imsi.slice(0, 3)}`,
              parameter,
            );
      },
    }),
  ],
};
