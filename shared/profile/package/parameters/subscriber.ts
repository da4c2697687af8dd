import { equalFrom, toHex } from '../../../codec/bytes.ts';
import { encodeAlpha } from '../ef/alpha.ts';
import { DIALLING_NUMBER } from '../ef/dialling-number.ts';
import { decodeImsi, encodeImsi } from '../ef/imsi.ts';
import { decodeMsisdn, encodeMsisdn, MSISDN_TAIL } from '../ef/msisdn.ts';
import { SMSP_TAIL, serviceCentre, withServiceCentre } from '../ef/smsp.ts';
import { decodeSpn, encodeSpn, SPN_NAME_LENGTH } from '../ef/spn.ts';
import { filledLength } from '../file.ts';
import { type FileView, fileImage, fileRecords } from '../files.ts';
import {
  digitsInput,
  octetsInput,
  type Parameter,
  type ParameterValue,
  refuseParameter,
  textInput,
} from '../parameter.ts';
import { fileHex, fileParameter } from './file-parameter.ts';

const NAA = ['usim', 'iot'] as const;

export const imsi = fileParameter({
  name: 'imsi',
  pes: NAA,
  file: 'ef-imsi',
  parse: (value) => digitsInput('imsi', value, 6, 15),
  // rules look at the network, and what is derived has the length that these digits have
  likeness: (digits) => `${digits.length}/${digits.slice(0, 6)}`,
  encode: encodeImsi,
  decode: (view) => decodeImsi(fileImage(view)),
  text: (digits) => digits,
  says: (content, digits) => decodeImsi(content) === digits,
});

/** EF.ACC; follows from the IMSI's last digit where no value is given. */
export const acc = fileParameter({
  name: 'acc',
  pes: NAA,
  file: 'ef-acc',
  parse: (value) => octetsInput('acc', value, [2]),
  encode: (octets) => octets,
  decode: (view) => fileHex(view, 2),
  text: toHex,
  says: (content, octets) => content.length >= 2 && equalFrom(content, 0, octets),
});

function numberInput(name: string, value: ParameterValue): string {
  const number = textInput(name, value);
  if (!DIALLING_NUMBER.test(number))
    refuseParameter(name, 'must be 1 to 20 digits, + before an international number');
  return number;
}

/** EF.MSISDN record 1; the alpha identifier of the template stays. */
export const msisdn = fileParameter({
  name: 'msisdn',
  pes: ['opt-usim'],
  file: 'ef-msisdn',
  parse: (value) => numberInput('msisdn', value),
  encode(number, view) {
    const record = firstRecord('msisdn', view, MSISDN_TAIL);
    return encodeMsisdn(number, record.subarray(0, record.length - MSISDN_TAIL), record.length);
  },
  decode: (view) => decodeMsisdn(firstRecord('msisdn', view, MSISDN_TAIL)),
  text: (number) => number,
});

/** The service centre address in EF.SMSP record 1; other records and fields of the template stay. */
export const smsc = fileParameter({
  name: 'smsc',
  pes: ['usim', 'opt-iot'],
  file: 'ef-smsp',
  parse: (value) => numberInput('smsc', value),
  encode(number, view) {
    const record = withServiceCentre(firstRecord('smsc', view, SMSP_TAIL), number);
    return Buffer.concat([record, fileImage(view).subarray(record.length)]);
  },
  decode: (view) => serviceCentre(firstRecord('smsc', view, SMSP_TAIL)),
  text: (number) => number,
});

function firstRecord(name: string, view: FileView, tail: number) {
  const [record] = fileRecords(view);
  if (record === undefined || record.length < tail) {
    refuseParameter(name, `the file has no record of at least ${tail} octets`);
  }
  return record;
}

const SHOW_IN_HPLMN = 0x01;

/** The name in EF.SPN; the display condition of the template stays, or the name is shown in the HPLMN. */
export const spn = fileParameter({
  name: 'spn',
  pes: ['usim', 'opt-iot'],
  file: 'ef-spn',
  parse(value) {
    const name = textInput('spn', value);
    if (name === '' || encodeAlpha(name).length > SPN_NAME_LENGTH) {
      refuseParameter('spn', `must have 1 to ${SPN_NAME_LENGTH} octets in the card's alphabet`);
    }
    return name;
  },
  encode(name, view) {
    const described = view.pattern !== undefined || filledLength(view.items) > 0;
    return encodeSpn(name, described ? decodeSpn(fileImage(view)).displayCondition : SHOW_IN_HPLMN);
  },
  decode: (view) => decodeSpn(fileImage(view)).name ?? '',
  text: (name) => name,
});

function groupIdentifier(name: 'gid1' | 'gid2'): Parameter {
  return fileParameter({
    name,
    pes: ['opt-usim'],
    file: `ef-${name}`,
    parse(value) {
      const octets = octetsInput(name, value);
      return octets.length === 0 ? refuseParameter(name, 'must have at least one octet') : octets;
    },
    encode: (octets, view) =>
      Buffer.concat([octets, Buffer.alloc(Math.max(0, (view.size ?? 0) - octets.length), 0xff)]),
    decode: (view) => unfilled(fileHex(view)),
    text: (octets) => unfilled(toHex(octets)),
  });
}

/** Without the FF octets at its end: a group identifier shorter than its file is filled with them. */
function unfilled(hex: string): string {
  return hex.replace(/(?:ff)+$/, '');
}

export const gid1 = groupIdentifier('gid1');
export const gid2 = groupIdentifier('gid2');
