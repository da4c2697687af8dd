import { type Bytes, toHex } from '../../../codec/bytes.ts';
import { decodePlmn, encodePlmn, PLMN, PLMN_LENGTH } from '../ef/plmn.ts';
import { fileImage } from '../files.ts';
import { listInput, type Parameter, refuseParameter } from '../parameter.ts';
import type { PeName } from '../profile-element.ts';
import { fileParameter } from './file-parameter.ts';

const ACCESS_TECHNOLOGIES = /^([0-9]{5,6})(?::([0-9a-fA-F]{4}))?$/;
/** 3GPP TS 31.102 section 4.2.5: what an entry says when no access technology is named: all of them. */
const ANY_TECHNOLOGY = 'ffff';

/** A list of PLMNs, MCC and MNC each: EF.FPLMN, EF.EHPLMN. Unused entries are FFFFFF. */
function plmnList(name: string, pe: PeName, file: string): Parameter {
  return fileParameter<readonly string[]>({
    name,
    pes: [pe],
    file,
    parse(value) {
      const plmns = listInput(name, value);
      if (!plmns.every((plmn) => PLMN.test(plmn)))
        refuseParameter(name, 'must be a list of MCC and MNC digits');
      return plmns;
    },
    encode: (plmns, view) => filled(name, plmns.map(encodePlmn), view.size, Buffer.alloc(PLMN_LENGTH, 0xff)),
    decode: (view) =>
      chunks(fileImage(view), PLMN_LENGTH)
        .flatMap((entry) => decodePlmn(entry) ?? [])
        .join(';'),
    text: (plmns) => plmns.join(';'),
  });
}

/** PLMNs with access technologies, `MCCMNC:AcT` with AcT in four hexadecimal digits: EF.OPLMNwAcT and its kin. */
function plmnWithTechnologyList(name: string, file: string): Parameter {
  const ENTRY = PLMN_LENGTH + 2;
  return fileParameter<readonly string[]>({
    name,
    pes: ['opt-usim'],
    file,
    parse: (value) =>
      listInput(name, value).map((entry) => {
        const [, plmn, technology = ANY_TECHNOLOGY] = ACCESS_TECHNOLOGIES.exec(entry) ?? [];
        return plmn === undefined
          ? refuseParameter(
              name,
              'must be a list of MCC and MNC digits, each with : and four hexadecimal digits',
            )
          : `${plmn}:${technology.toLowerCase()}`;
      }),
    encode: (entries, view) =>
      filled(
        name,
        entries.map((entry) => {
          const [plmn, technology] = entry.split(':') as [string, string];
          return Buffer.concat([encodePlmn(plmn), Buffer.from(technology, 'hex')]);
        }),
        view.size,
        Buffer.from('ffffff0000', 'hex'),
      ),
    decode: (view) =>
      chunks(fileImage(view), ENTRY)
        .flatMap((entry) => {
          const plmn = decodePlmn(entry.subarray(0, PLMN_LENGTH));
          return plmn === undefined ? [] : `${plmn}:${toHex(entry.subarray(PLMN_LENGTH))}`;
        })
        .join(';'),
    text: (entries) => entries.join(';'),
  });
}

/** The entries, and unused ones as far as the file reaches. */
function filled(name: string, entries: readonly Bytes[], size: number | undefined, unused: Bytes): Bytes {
  const room = Math.floor((size ?? 0) / unused.length);
  if (size !== undefined && entries.length > room)
    refuseParameter(name, `the file has room for ${room} entries`);
  return Buffer.concat([
    ...entries,
    ...Array.from({ length: Math.max(0, room - entries.length) }, () => unused),
  ]);
}

function chunks(octets: Bytes, length: number): readonly Bytes[] {
  return Array.from({ length: Math.floor(octets.length / length) }, (_, i) =>
    octets.subarray(i * length, (i + 1) * length),
  );
}

export const networkLists: readonly Parameter[] = [
  plmnList('fplmn', 'usim', 'ef-fplmn'),
  plmnList('ehplmn', 'opt-usim', 'ef-ehplmn'),
  plmnWithTechnologyList('plmnwact', 'ef-plmnwact'),
  plmnWithTechnologyList('oplmnwact', 'ef-oplmnwact'),
  plmnWithTechnologyList('hplmnwact', 'ef-hplmnwact'),
];
