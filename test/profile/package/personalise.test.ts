import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/codec/bytes.ts';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import { child } from '../../../shared/profile/package/element.ts';
import { fileImage, findFile } from '../../../shared/profile/package/files.ts';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import { parameterNamed } from '../../../shared/profile/package/parameters.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { decodePackage, type PeName } from '../../../shared/profile/package/profile-element.ts';
import { keyList } from '../../../shared/profile/package/security-domain.ts';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import {
  EVERY_VALUE,
  OPERATIONAL,
  ownTemplate,
  SCP_KEYS,
  SUCI_WITH_KEYS,
  TS48,
  TS48_ABSENT,
  TS48_PRESENT,
  ts48,
  without,
} from './support/packages.ts';

const OWN_FILES: ProfileValues = {
  'ef:7FD0/6F7E': '01020304050607',
  'ef:usim/ef-psloci': 'aabb',
  'ef:telecom/ef-arr#2': '800103',
  'ef:telecom/ef-arr#3': '800105',
};
const TS48_FILES: ProfileValues = {
  'ef:7F10/6F44': '0011',
  'ef:usim/ef-psloci': 'aabb',
  'ef:7F10/5F3A/4F3A#2': '4142',
  'ef:2F05': '6465',
};

function made(upp: Uint8Array, values: ProfileValues): Uint8Array {
  return personalise(compileTemplate(upp, { profileClass: 'test', parameters: Object.keys(values) }), values);
}

function imageOf(upp: Uint8Array, pe: PeName, file: string): string {
  const element = decodePackage(upp).elements.find(({ name }) => name === pe)!;
  return toHex(fileImage(findFile(pe, element.fields, file)!));
}

describe('all parameters at once are read back equal', () => {
  it('in our own template', () => {
    const suci = { suci: SUCI_WITH_KEYS, suciOnCard: SUCI_WITH_KEYS };
    const values = { ...without(EVERY_VALUE, 'adm2'), ...suci, ...SCP_KEYS, ...OWN_FILES };
    const upp = made(ownTemplate(), values);
    expect(auditPersonalisation(upp, values)).toEqual([]);
    expect(validatePackage(upp).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  for (const name of TS48) {
    it.skipIf(!TS48_PRESENT)(`in ${name}${TS48_PRESENT ? '' : ` (${TS48_ABSENT})`}`, () => {
      const has5g = name.includes('v5');
      const values = {
        ...(has5g ? EVERY_VALUE : without(EVERY_VALUE, 'suci', 'suciOnCard', 'routingIndicator')),
        ...SCP_KEYS,
        'scp80.02.enc': 'd0d1d2d3d4d5d6d7d8d9dadbdcdddedf',
        'scp80.02.mac': 'd0d1d2d3d4d5d6d7d8d9dadbdcddded0',
        'scp80.02.dek': 'd0d1d2d3d4d5d6d7d8d9dadbdcddded1',
        ...TS48_FILES,
      };
      const upp = made(ts48(name), values);
      expect(auditPersonalisation(upp, values)).toEqual([]);
      expect(
        validatePackage(upp)
          .filter(({ severity }) => severity === 'error')
          .map(({ code }) => code),
      ).toEqual([]);
    });
  }
});

describe('only what is personalised changes', () => {
  it('PEs that no parameter touches are copied, others keep their identification', () => {
    const template = decodePackage(ownTemplate());
    const result = decodePackage(made(ownTemplate(), { iccid: '8988211000000530082', pin1: '4711' }));
    template.elements.forEach((element, place) => {
      const other = result.elements[place]!;
      expect(other.identification).toBe(element.identification);
      const touched = place === 0 || element.name === 'mf' || place === 3;
      expect(Buffer.compare(other.raw, element.raw) === 0, element.name).toBe(!touched);
    });
  });

  it('the descriptor of a file stays and its fill entries become one', () => {
    const upp = made(ownTemplate(), { 'ef:usim/ef-ust': '00'.repeat(17) });
    const usim = decodePackage(upp).elements.find(({ name }) => name === 'usim')!;
    const file = findFile('usim', usim.fields, 'ef-ust')!;
    expect(file.items.map(({ kind }) => kind)).toEqual(['fileDescriptor', 'fillFileContent']);
    expect(file.size).toBe(17);
  });

  it('values equal to their DEFAULT are left out of the encoding', () => {
    const upp = made(ownTemplate(), {
      rotationConstants: '4000204060',
      sqnOptions: '02',
      sqnInit: '000000000000',
      numberOfKeccak: '1',
    });
    expect(toHex(upp)).toBe(toHex(ownTemplate()));
  });

  it('one template makes any number of profiles, each as if it were the first', () => {
    const template = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: ['iccid', 'imsi'] });
    const row = (n: number) => ({ iccid: `898821100000053${n}08`, imsi: `26201123456789${n}` });
    const first = toHex(personalise(template, row(1)));
    expect(toHex(personalise(template, row(2)))).not.toBe(first);
    expect(toHex(personalise(template, row(1)))).toBe(first);
  });

  it('constants and rows come to the same package as one row', () => {
    const { k, opc, ...constants } = without(OPERATIONAL, 'iccid', 'imsi');
    const row = { iccid: OPERATIONAL.iccid!, imsi: OPERATIONAL.imsi!, k: k!, opc: opc! };
    const template = compileTemplate(ownTemplate(), {
      profileClass: 'operational',
      parameters: Object.keys(row),
      constants,
    });
    expect(toHex(personalise(template, row))).toBe(toHex(made(ownTemplate(), OPERATIONAL)));
    expect(auditPersonalisation(personalise(template, row), row, template).map(({ code }) => code)).toEqual(
      Array.from({ length: 5 }, () => 'notSet'), // the PINs and PUKs of the template
    );
  });
});

describe('values reach the files in the coding of the card', () => {
  it('the ICCID is completed, packed in the header and swapped in the EF', () => {
    const upp = made(ownTemplate(), { iccid: '898821100000053008' });
    const [header] = decodePackage(upp).elements;
    expect(toHex(child(header!.fields, 0x83)!.value)).toBe('8988211000000530082f');
    expect(imageOf(upp, 'mf', 'ef-iccid')).toBe('988812010000500380f2');
  });

  it('the access class follows the IMSI unless it is given', () => {
    expect(imageOf(made(ownTemplate(), { imsi: '001010123456063' }), 'usim', 'ef-acc')).toBe('0008');
    expect(imageOf(made(ownTemplate(), { imsi: '001010123456063', acc: '8000' }), 'usim', 'ef-acc')).toBe(
      '8000',
    );
  });

  it('the identities of the ISIM follow the IMSI where that is asked for', () => {
    const template = compileTemplate(ownTemplate(), {
      profileClass: 'test',
      parameters: ['imsi'],
      deriveIsim: true,
    });
    const upp = personalise(template, { imsi: '262011234567891' });
    expect(parameterNamed('impi').bind(decodePackage(upp)).read(decodePackage(upp))).toEqual([
      '262011234567891@ims.mnc001.mcc262.3gppnetwork.org',
    ]);
  });

  it('an optional file that the PE does not list is created from its template', () => {
    const upp = made(ownTemplate(), { 'ef:opt-usim/ef-spni': 'aabbcc' });
    expect(imageOf(upp, 'opt-usim', 'ef-spni')).toBe('aabbcc');
  });

  it('a record is exchanged and its neighbours stay', () => {
    const before = imageOf(ownTemplate(), 'mf', 'ef-arr');
    const after = imageOf(made(ownTemplate(), { 'ef:mf/ef-arr#2': '8001' }), 'mf', 'ef-arr');
    expect(after).toBe(`${before.slice(0, 66)}8001${'ff'.repeat(31)}${before.slice(132)}`);
  });

  it('a key of a security domain keeps its type and usage, a new one is AES', () => {
    const upp = made(ownTemplate(), { 'scp80.01.enc': '11'.repeat(16), 'scp03.30.mac': '22'.repeat(16) });
    const sd = decodePackage(upp).elements.find(({ name }) => name === 'securityDomain')!;
    const keys = keyList(sd.fields);
    expect(keys).toHaveLength(4);
    expect(keys[0]).toMatchObject({ keyVersionNumber: 0x01, keyIdentifier: 1 });
    expect(toHex(keys[0]!.keyComponents[0]!.keyData)).toBe('11'.repeat(16));
    expect(keys[3]).toMatchObject({ keyVersionNumber: 0x30, keyIdentifier: 2 });
    expect(toHex(keys[3]!.keyUsageQualifier)).toBe('14');
    expect(toHex(keys[3]!.keyComponents[0]!.keyType)).toBe('88');
  });

  it('octets may be given as such', () => {
    const asText = made(ownTemplate(), { k: `${'11'.repeat(15)}22` });
    const asOctets = made(ownTemplate(), { k: fromHex(`${'11'.repeat(15)}22`) });
    expect(toHex(asOctets)).toBe(toHex(asText));
  });
});
