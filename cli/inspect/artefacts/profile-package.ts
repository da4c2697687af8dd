import type { Bytes } from '../../../shared/codec/bytes.ts';
import { readTlv, tagName } from '../../../shared/codec/tlv.ts';
import { present } from '../../../shared/present.ts';
import { uppSummary } from '../../../shared/profile/package/summary.ts';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import type { Describer, Finding } from '../artefact.ts';
import type { Field } from '../shape.ts';

/**
 * Unprotected Profile Package: its PEs, what its header says, and what is wrong with it. Contents of PEs are not
 * shown: they hold the subscriber's secrets.
 */
export const profilePackage: Describer = {
  kind: 'profilePackage',
  title: 'Unprotected Profile Package',
  matches: (octets) => octets[0] === 0xa0,
  describe(octets) {
    const summary = uppSummary(octets);
    const fields = summary.elements.map(
      ({ tag, name, offset, length, identification, mandated }): Field => ({
        name,
        tag,
        offset,
        length,
        ...(identification !== undefined && {
          value: `identification ${identification}${mandated ? ', mandated' : ''}`,
        }),
        ...(name === 'header' && { fields: headerFields(octets, offset) }),
      }),
    );
    return {
      fields,
      findings: [
        { severity: 'note', message: `${fields.length} profile elements, format ${summary.version}` },
        ...validatePackage(octets).map(
          ({ severity, code, message, pe, offset }): Finding => ({
            severity,
            message: `${pe === undefined ? '' : `${pe}: `}${message} (${code})`,
            ...present({ offset }),
          }),
        ),
      ],
    };
  },
};

/** Components of the header in the order of their tags. */
function headerFields(upp: Bytes, at: number): Field[] {
  const summary = uppSummary(upp);
  const values: ReadonlyMap<number, readonly [name: string, value?: string]> = new Map([
    [0x80, ['major-version', summary.version.split('.')[0]!]],
    [0x81, ['minor-version', summary.version.split('.')[1]!]],
    [0x82, ['profileType', summary.profileType ?? '']],
    [0x83, ['iccid', summary.iccid]],
    [0xa5, ['eUICC-Mandatory-services', summary.mandatoryServices.join(', ')]],
    [0xa6, ['eUICC-Mandatory-GFSTEList', summary.mandatoryTemplates.join(', ')]],
    [0x84, ['pol']],
    [0xa7, ['connectivityParameters']],
    [0xa8, ['eUICC-Mandatory-AIDs']],
    [0xa9, ['iotOptions']],
  ]);
  const header = readTlv(upp, at);
  const fields: Field[] = [];
  for (let offset = at + header.raw.length - header.value.length; offset < at + header.raw.length; ) {
    const { tag, raw } = readTlv(upp, offset);
    const [name, value] = values.get(tag) ?? [tagName(tag)];
    fields.push({
      name,
      tag: tagName(tag),
      offset,
      length: raw.length,
      ...present({ value }),
    });
    offset += raw.length;
  }
  return fields;
}
