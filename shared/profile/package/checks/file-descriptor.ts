import type { Tlv } from '../../../codec/tlv.ts';
import { child, children } from '../element.ts';
import { descriptorCoding } from '../file.ts';
import type { PackageFile } from '../package-file.ts';
import type { CheckedPackage } from './checked-package.ts';
import { FCP, type FcpName } from './fcp.ts';
import { type Breach, type RuleGroup, rule } from './rule.ts';

const FILL_PATTERN = 0xc1;
const REPEAT_PATTERN = 0xc2;
const SPECIAL_INFORMATION = 0xc0;
const DATA_CODING = 0x21;

/** Files with this component of Fcp, whichever PE makes them. */
const having = (name: FcpName) => (checked: CheckedPackage) =>
  checked.system.files.flatMap((file) => {
    const field = file.fcp && child(file.fcp.fields, FCP[name]);
    return field === undefined ? [] : [{ file, field }];
  });

const at = (checked: CheckedPackage, file: PackageFile, message: string, field?: Tlv): Breach => ({
  message: `${file.label}: ${message}`,
  element: checked.elementOf(file),
  offset: field?.offset ?? file.element?.offset,
});

const isBerTlv = ({ view }: PackageFile) => view.structure === 'ber-tlv';
const byte = (octet: number | undefined) => (octet ?? 0).toString(16).toUpperCase().padStart(2, '0');

/** What components of Fcp may hold, in file PEs and in createFCP. */
export const fileDescriptorRules: RuleGroup = {
  name: 'File descriptors',
  rules: [
    rule({
      id: 'descriptor-coding',
      clause: 'ETSI TS 102 221, 11.1.1.4.3',
      text: 'The first octet of a file descriptor names a structure.',
      wayOut: 'Write 41 (transparent), 42 (linear fixed), 46 (cyclic), 78 (DF, ADF) or 79 (BER-TLV).',
      subjects: having('fileDescriptor'),
      breach: ({ file, field }, checked) => {
        const coding = descriptorCoding(field.value[0]!);
        if (coding === 'known') return undefined;
        const what = coding === 'open' ? 'names no structure' : 'is reserved';
        return {
          ...at(checked, file, `file descriptor ${byte(field.value[0])} ${what}`, field),
          level: coding === 'open' ? 'warning' : 'error',
        };
      },
    }),
    rule({
      id: 'descriptor-data-coding',
      clause: 'ETSI TS 102 222, 6.3.2.2',
      level: 'warning',
      text: 'The second octet of a file descriptor is 21; a card ignores it.',
      wayOut: 'Write 21.',
      subjects: having('fileDescriptor'),
      breach: ({ file, field }, checked) =>
        field.value[1] === DATA_CODING
          ? undefined
          : at(checked, file, `data coding ${byte(field.value[1])} is not 21`, field),
    }),
    rule({
      id: 'record-length-matches',
      clause: 'ETSI TS 102 222, 6.3.2.2.2',
      text: 'A linear fixed or cyclic file has a record length in its file descriptor, and no other file has.',
      wayOut: 'Write the record length in octets 3 and 4 of the descriptor of a file with records.',
      subjects: (checked) => having('fileDescriptor')(checked).filter(({ file }) => !file.view.linked),
      breach: ({ file, field }, checked) => {
        const { structure } = file.fcp!;
        if (structure === undefined) return undefined;
        const records = structure === 'linear-fixed' || structure === 'cyclic';
        if (records === (field.value.length === 4)) return undefined;
        return at(
          checked,
          file,
          records ? 'the record length is missing' : 'a record length has no place',
          field,
        );
      },
    }),
    rule({
      id: 'short-efid-low-bits',
      clause: 'ETSI TS 102 222, 6.3.2.2.2',
      text: 'shortEFID is empty, or one octet whose three low bits are 0.',
      wayOut: 'Write the short file identifier times eight, or nothing.',
      subjects: having('shortEFID'),
      breach: ({ file, field: { value, ...field } }, checked) =>
        value.length === 0 || (value.length === 1 && (value[0]! & 0x07) === 0)
          ? undefined
          : at(checked, file, `shortEFID ${byte(value[0])} is not an identifier in its five high bits`, {
              ...field,
              value,
            }),
    }),
    rule({
      id: 'special-info-reserved',
      clause: 'ETSI TS 102 222, 6.3.2.2.2',
      text: 'The six low bits of specialFileInformation are 0.',
      wayOut: 'Write 00, 40 (high update activity), 80 (readable when deactivated) or C0.',
      subjects: (checked) =>
        having('proprietaryEFInfo')(checked).flatMap(({ file, field }) => {
          const special = child(children(field), SPECIAL_INFORMATION);
          return special === undefined ? [] : [{ file, special }];
        }),
      breach: ({ file, special }, checked) =>
        special.value.length === 1 && (special.value[0]! & 0x3f) === 0
          ? undefined
          : at(checked, file, 'specialFileInformation has reserved bits', special),
    }),
    rule({
      id: 'arr-reference-length',
      clause: '8.3.2',
      text: 'securityAttributesReferenced is a record of EF.ARR, or its file identifier and a record.',
      wayOut: 'Write one octet, or three.',
      subjects: having('securityAttributesReferenced'),
      breach: ({ file, field }, checked) =>
        field.value.length === 1 || field.value.length === 3
          ? undefined
          : at(
              checked,
              file,
              `securityAttributesReferenced has ${field.value.length} octets, not 1 or 3`,
              field,
            ),
    }),
    rule({
      id: 'life-cycle-defined',
      clause: 'ETSI TS 102 221, 11.1.1.4.9',
      text: 'lcsi is a life cycle status that is defined.',
      wayOut: 'Leave lcsi out: 05, operational and activated, is the default.',
      subjects: having('lcsi'),
      breach: ({ file, field }, checked) => {
        const status = field.value[0] ?? 0;
        const reserved = status === 0x02 || (status >= 0x08 && status <= 0x0b);
        return field.value.length === 1 && !reserved
          ? undefined
          : at(checked, file, `lcsi ${byte(status)} is not defined`, field);
      },
    }),
    rule({
      id: 'ber-tlv-no-offset',
      clause: '8.3.2',
      text: 'A BER-TLV file is filled without offsets: it holds objects, not octets.',
      wayOut: 'Give the objects one after the other as fillFileContent.',
      subjects: ({ system }) => system.files.filter(isBerTlv),
      breach: (file, checked) =>
        file.view.items.some((item) => item.kind === 'fillFileOffset' && item.skip > 0)
          ? at(checked, file, 'a BER-TLV file has a fillFileOffset')
          : undefined,
    }),
    rule({
      id: 'ber-tlv-no-pattern',
      clause: 'ETSI TS 102 222, 6.3.2.2.2',
      text: 'A BER-TLV file has no fillPattern and no repeatPattern.',
      wayOut: 'Remove the pattern.',
      subjects: ({ system }) => system.files.filter(isBerTlv),
      breach: (file, checked) => {
        const info = file.fcp && child(file.fcp.fields, FCP.proprietaryEFInfo);
        const parts = info === undefined ? [] : children(info);
        return parts.some(({ tag }) => tag === FILL_PATTERN || tag === REPEAT_PATTERN)
          ? at(checked, file, 'a BER-TLV file has a pattern', info)
          : undefined;
      },
    }),
  ],
};
