import { describe, expect, it } from 'vitest';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import { PARAMETERS } from '../../../shared/profile/package/parameters.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { EVERY_VALUE, OPERATIONAL, ownTemplate, SCP_KEYS, without } from './support/packages.ts';

const VALUES = { ...without(EVERY_VALUE, 'adm2'), ...SCP_KEYS };
const template = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: Object.keys(VALUES) });
const upp = personalise(template, VALUES);

/** Another valid value for each parameter. */
const OTHER: Readonly<Record<string, string>> = {
  iccid: '8988211000000530090',
  imsi: '262011234567892',
  acc: '0001',
  msisdn: '+4917279119184',
  smsc: '491722270333',
  spn: 'Ein Offner',
  gid1: 'AC',
  gid2: 'CDEE',
  fplmn: '26202',
  ehplmn: '26201',
  plmnwact: '26201:c081;310410:8000',
  oplmnwact: '20802:ffff',
  hplmnwact: '26201:4001',
  suci: 'a0020001',
  suciOnCard: 'a0020001',
  routingIndicator: '173',
  impi: '262011234567892@ims.example',
  impu: 'sip:262011234567891@ims.example',
  domain: 'ims.example.org',
  mncLength: '3',
  algorithm: 'tuak',
  numberOfKeccak: '4',
};

describe('the audit reads every parameter back from the octets', () => {
  it('finds nothing where all was written, with the template or without', () => {
    expect(auditPersonalisation(upp, VALUES)).toEqual([]);
    expect(auditPersonalisation(upp, VALUES, template)).toEqual([]);
  });

  const names = Object.keys(VALUES);
  it.each(names)('%s: a value that is not in the package is found', (name) => {
    const wanted = { ...VALUES, [name]: OTHER[name] ?? changed(String(VALUES[name])) };
    if (name === 'suci' || name === 'suciOnCard') {
      wanted[name] = { schemes: [{ id: 0, keyIndex: 0 }], keys: [{ id: 1, key: Buffer.alloc(32) }] };
    }
    const findings = auditPersonalisation(upp, wanted);
    expect(findings).toEqual([{ code: 'differs', parameter: name }]);
  });

  it('leaves no parameter untried', () => {
    const tried = new Set([...names, 'adm2', 'op']);
    expect(PARAMETERS.filter(({ name }) => !tried.has(name))).toEqual([]);
  });

  it('OP is compared by the OPc that follows from it and the stored K', () => {
    const op = 'cdc202d5123e20f62b6d676ac72cb318';
    const values = { ...without(VALUES, 'opc'), op };
    expect(auditPersonalisation(upp, values)).toEqual([]);
    const other = { ...values, op: 'cdc202d5123e20f62b6d676ac72cb319' };
    expect(auditPersonalisation(upp, other)).toEqual([{ code: 'differs', parameter: 'op' }]);
  });

  it('the derived access class is compared too', () => {
    const row = { iccid: '8988211000000530082', imsi: '262011234567891' };
    expect(auditPersonalisation(upp, row)).toContainEqual({ code: 'differs', parameter: 'acc' });
  });
});

it('the audit lists secrets that nobody set, without their values', () => {
  const row = without(OPERATIONAL, 'scp80.01.dek');
  const made = personalise(
    compileTemplate(ownTemplate(), { profileClass: 'test', parameters: Object.keys(row) }),
    row,
  );
  expect(auditPersonalisation(made, row)).toEqual([
    { code: 'notSet', parameter: 'key 3 of version 01 in A000000151000000' },
    { code: 'notSet', parameter: 'PIN 01 of PE 3' },
    { code: 'notSet', parameter: 'PIN 81 of PE 7' },
    { code: 'notSet', parameter: 'PIN 81 of PE 12' },
    { code: 'notSet', parameter: 'PUK 01 of PE 2' },
    { code: 'notSet', parameter: 'PUK 81 of PE 2' },
  ]);
});

it('the audit reads no package of another shape with the places of the template', () => {
  expect(() => auditPersonalisation(upp.subarray(0, 116), VALUES, template)).toThrowError(
    expect.objectContaining({ code: 'profileInvalid' }),
  );
});

/** The last digit or octet another one. */
function changed(text: string): string {
  return text.slice(0, -1) + (text.endsWith('1') ? '2' : '1');
}
