import { describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import { luhnDigit } from '../../../shared/codec/iccid.ts';
import { Refusal } from '../../../shared/errors.ts';
import { accessControlClass } from '../../../shared/profile/package/ef/imsi.ts';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import { parameterNamed } from '../../../shared/profile/package/parameters.ts';
import {
  type CompiledTemplate,
  compileTemplate,
  personalise,
} from '../../../shared/profile/package/personalise.ts';
import { decodePackage } from '../../../shared/profile/package/profile-element.ts';
import { ProfileMaker } from '../../../shared/profile/package/profile-maker.ts';
import { OUTSIDE, Stencil } from '../../../shared/profile/package/stencil.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import {
  EVERY_VALUE,
  OPERATIONAL,
  ownTemplate,
  SCP_KEYS,
  TS48,
  TS48_ABSENT,
  TS48_PRESENT,
  ts48,
  without,
} from './support/packages.ts';

const random = randomNumbers(41);
const digits = (length: number) => Array.from({ length }, () => random(10)).join('');
const octets = (length: number) => toHex(Buffer.from(Array.from({ length }, () => random(256))));

/** What goes into the akaParameter beside its keys changes more than octets in a place of their own. */
const OPTIONS = [
  'algorithm',
  'algorithmOptions',
  'rotationConstants',
  'xoringConstants',
  'authCounterMax',
  'numberOfKeccak',
  'sqnOptions',
  'sqnDelta',
  'sqnAgeLimit',
  'sqnInit',
  'mncLength',
];

function row(names: readonly string[]): ProfileValues {
  const body = `8988211${digits(11)}`;
  const imsi = `26201${digits(10)}`;
  const own: ProfileValues = {
    iccid: body + luhnDigit(body),
    imsi,
    acc: octets(2),
    msisdn: `+49${digits(4 + random(9))}`,
    smsc: `+49${digits(10)}`,
    spn: `Operator ${digits(random(6))}`,
    gid1: octets(1),
    gid2: octets(2),
    fplmn: `262${digits(2)};310${digits(3)}`,
    routingIndicator: digits(1 + random(4)),
    impi: `${imsi}@ims.example`,
    impu: `sip:${imsi}@ims.example;tel:+49${digits(6)}`,
    domain: `ims.${digits(3)}.example`,
    op: octets(16),
    'ef:usim/ef-psloci': octets(3),
  };
  const value = (name: string) => {
    if (Object.hasOwn(own, name)) return own[name]!;
    const like = String(EVERY_VALUE[name] ?? SCP_KEYS[name] ?? OPERATIONAL[name]);
    if (/^(?:pin|adm)/.test(name)) return digits(4 + random(5));
    if (/^puk/.test(name)) return digits(8);
    return /^(?:k|opc|scp)/.test(name) ? octets(like.length / 2) : EVERY_VALUE[name]!;
  };
  return Object.fromEntries(names.map((name) => [name, value(name)]));
}

const OWN = [
  ...Object.keys(without(EVERY_VALUE, 'adm2', 'suci', 'suciOnCard', 'opc', ...OPTIONS)),
  'op',
  ...Object.keys(SCP_KEYS),
  'ef:usim/ef-psloci',
];
const BASIC = ['iccid', 'imsi', 'k', 'opc', 'adm1', 'msisdn'];

const TEMPLATES: readonly [string, () => CompiledTemplate][] = [
  [
    'our own template, every parameter that is octets in a place of its own',
    () => compileTemplate(ownTemplate(), { profileClass: 'test', parameters: OWN }),
  ],
  [
    'our own template, with what follows from the IMSI',
    () =>
      compileTemplate(ownTemplate(), {
        profileClass: 'operational',
        parameters: [...Object.keys(without(OPERATIONAL, 'opc')), 'mncLength'].filter(
          (n) => n !== 'mncLength',
        ),
        constants: { op: octets(16), mncLength: '2' },
        deriveIsim: true,
      }),
  ],
  ...(TS48_PRESENT
    ? TS48.map((name): [string, () => CompiledTemplate] => [
        name,
        () => compileTemplate(ts48(name), { profileClass: 'test', parameters: BASIC }),
      ])
    : []),
];

/** The audited profile from which a stencil is learnt, and the stencil. */
function learnt(template: CompiledTemplate): Stencil {
  const values = row(template.parameters);
  return Stencil.of(template, values, personalise(template, values))!;
}

describe('a stencil makes the profile that its template makes', () => {
  it.each(TEMPLATES)('%s', (_, compile) => {
    const template = compile();
    const maker = new ProfileMaker(template);
    for (let n = 0; n < 60; n++) {
      const values = row(template.parameters);
      const { upp, placed, differing } = maker.make(values);
      expect(toHex(upp)).toBe(toHex(personalise(template, values)));
      expect(differing()).toBeUndefined();
      const whole = template.places.in(decodePackage(upp));
      expect(placed.header).toEqual(whole.header);
      expect(placed.image(['usim'], 'ef-imsi')).toEqual(whole.image(['usim'], 'ef-imsi'));
    }
    expect(learnt(template)).toBeDefined();
  });
  it.skipIf(TS48_PRESENT)(`TS.48 templates (${TS48_ABSENT})`, () => {});
});

it('a stencil has room for values of its lengths only; others get one of their own', () => {
  // a file whose size the template does not give takes that of its content
  const name = 'ef:usim/ef-psloci';
  const template = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: ['iccid', name] });
  const valuesOf = (length: number) => ({ ...row(['iccid']), [name]: octets(length) });
  const two = valuesOf(2);
  const stencil = Stencil.of(template, two, personalise(template, two))!;
  expect(stencil.fill(valuesOf(2))).toBeDefined();
  expect(stencil.fill(valuesOf(3))).toBeUndefined();
  const maker = new ProfileMaker(template);
  for (let n = 0; n < 40; n++) {
    const values = valuesOf(1 + random(14));
    const made = maker.make(values);
    expect(toHex(made.upp)).toBe(toHex(personalise(template, values)));
    expect(made.differing()).toBeUndefined();
  }
});

it.each([
  ['algorithm', 'milenage'],
  ['mncLength', '3'],
  ['ef:telecom/ef-arr#2', '800103'],
])(
  '%s is more than octets in a place of its own: there is no stencil, and the profiles are right',
  (name, value) => {
    const template = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: ['iccid', name] });
    const maker = new ProfileMaker(template);
    for (let n = 0; n < 3; n++) {
      const values = { ...row(['iccid']), [name]: value };
      const upp = personalise(template, values);
      expect(Stencil.of(template, values, upp)).toBeUndefined();
      const made = maker.make(values);
      expect(toHex(made.upp)).toBe(toHex(upp));
      expect(made.differing()).toBeUndefined();
    }
  },
);

describe('a wrong octet anywhere in a profile that a stencil made is found', () => {
  it.each(TEMPLATES.slice(0, 2))('%s', (_, compile) => {
    const stencil = learnt(compile());
    const made = stencil.fill(row(compile().parameters))!;
    expect(stencil.differing(made)).toBeUndefined();
    const right = Buffer.from(made.upp);
    const missed: number[] = [];
    for (let at = 0; at < right.length; at++) {
      made.upp[at] = right[at]! ^ (1 << random(8));
      if (stencil.differing(made) === undefined) missed.push(at);
      made.upp[at] = right[at]!;
    }
    expect(missed).toEqual([]);
  });
});

it('octets that were put in a wrong place do not say their value', () => {
  const template = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: BASIC });
  const stencil = learnt(template);
  const values = row(BASIC);
  const made = stencil.fill(values)!;
  // as if the encoder had made octets of another value
  const other = stencil.fill({ ...values, imsi: `26201${digits(10)}` })!;
  expect(stencil.differing({ ...other, values })).toBe('imsi');
  expect(stencil.differing({ ...made, upp: Buffer.concat([made.upp, Buffer.of(0)]) })).toBe(OUTSIDE);
});

describe('a place says its value where the decoder reads it there, whichever octet is another', () => {
  const template = compileTemplate(ownTemplate(), {
    profileClass: 'test',
    parameters: OWN.filter((name) => name !== 'acc'),
  });
  const values = row(template.parameters);
  const all: ProfileValues = { ...values, acc: accessControlClass(String(values.imsi)) };
  const upp = Buffer.from(personalise(template, values));
  const isSo = (question: () => boolean) => {
    try {
      return question();
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  };
  const places = [...template.bound, ...template.following].flatMap((parameter) =>
    (parameter.slots ?? []).map((slot) => ({ parameter, slot })),
  );
  it.each(places)('$parameter.name in $slot.target', ({ parameter, slot }) => {
    const value = all[parameter.name]!;
    for (const octets of slot.find(decodePackage(upp))) {
      expect(slot.says(octets, value, all)).toBe(true);
      for (let at = 0; at < octets.length; at++) {
        const right = octets[at]!;
        octets[at] = right ^ (1 << random(8));
        const read = isSo(() => parameter.holds(decodePackage(upp), value));
        expect(
          isSo(() => slot.says(octets, value, all)),
          `octet ${at}`,
        ).toBe(read);
        octets[at] = right;
      }
    }
  });
});

it('keeps nothing of the profile that it was learnt from', () => {
  const template = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: OWN });
  const values = row(OWN);
  const stencil = Stencil.of(template, values, personalise(template, values))!;
  const { upp } = stencil.fill(row(OWN))!;
  for (const name of ['k', ...Object.keys(SCP_KEYS)])
    expect(Buffer.from(upp).includes(Buffer.from(String(values[name]), 'hex'))).toBe(false);
});

it('refuses what the long way refuses', () => {
  const parameters = Object.keys(OPERATIONAL);
  const template = compileTemplate(ownTemplate(), { profileClass: 'operational', parameters });
  const maker = new ProfileMaker(template);
  maker.make(OPERATIONAL);
  const wrong: readonly ProfileValues[] = [
    { k: '000102030405060708090a0b0c0d0e0f' },
    { k: '11'.repeat(16) },
    { k: '11' },
    { imsi: 'abc' },
    { adm1: '1' },
    { iccid: '8988211' },
    { more: '1' },
  ];
  for (const values of wrong) {
    const refusal = onlyRefusal(() => maker.make({ ...OPERATIONAL, ...values }));
    const long = onlyRefusal(() => personalise(template, { ...OPERATIONAL, ...values }));
    expect([refusal.code, refusal.message]).toEqual([long.code, long.message]);
  }
});

it('tries rows one after the other as if each were the first', () => {
  const parameters = Object.keys(OPERATIONAL);
  const options = { profileClass: 'operational', parameters, deriveIsim: true } as const;
  const template = compileTemplate(ownTemplate(), { ...options, constants: { mncLength: '2' } });
  const maker = new ProfileMaker(template);
  maker.make(OPERATIONAL);
  for (let n = 0; n < 30; n++) {
    // each time some are those of the row before
    const values = { ...OPERATIONAL, ...Object.fromEntries(Object.entries(row(parameters)).slice(0, n % 5)) };
    const { placed } = maker.tried(values);
    const whole = template.places.in(decodePackage(personalise(template, values), template.base));
    expect(placed.header).toEqual(whole.header);
    expect(placed.image(['usim'], 'ef-imsi')).toEqual(whole.image(['usim'], 'ef-imsi'));
    for (const wrong of [{ adm1: '1' }, { k: '11' }, { imsi: 'abc' }])
      expect(() => maker.tried({ ...values, ...wrong })).toThrow(Refusal);
  }
});

function onlyRefusal(act: () => unknown): Refusal {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return expect.fail('nothing was refused');
}

it('a parameter that changes more than its slots say is found with the first profile of a stencil', () => {
  const compiled = compileTemplate(ownTemplate(), { profileClass: 'test', parameters: ['iccid', 'pin1'] });
  const acc = parameterNamed('acc').bind(compiled.base);
  const [iccid, pin1] = compiled.bound;
  const twice = {
    ...pin1!,
    // writes EF.ACC as well, of which its slots say nothing
    write: (draft: Parameters<typeof acc.write>[0], value: Parameters<typeof acc.write>[1]) => {
      pin1!.write(draft, value);
      acc.write(draft, String(value).slice(0, 4));
    },
  };
  const template: CompiledTemplate = { ...compiled, bound: [iccid!, twice] };
  const maker = new ProfileMaker(template);
  maker.make({ iccid: '8988211000000530082', pin1: '4711' });
  const second = maker.make({ iccid: '8988211000000530090', pin1: '4712' });
  expect(() => second.differing()).toThrow('another profile than its template');
  // and with the first one of each pack that is made by what another pack has learnt
  const other = maker.next();
  for (const next of [other, other.next()])
    expect(() => next.make({ iccid: '8988211000000530108', pin1: '4713' }).differing()).toThrow(
      'another profile than its template',
    );
});
