import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../shared/errors.ts';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import { packageContents } from '../../../shared/profile/package/contents.ts';
import { eligibilityNeeds } from '../../../shared/profile/package/eligibility-needs.ts';
import type { ParameterValue } from '../../../shared/profile/package/parameter.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { decodePackage, encodePackage } from '../../../shared/profile/package/profile-element.ts';
import { uppSummary } from '../../../shared/profile/package/summary.ts';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import { count } from '../../support/counts.ts';
import { effort } from '../../support/effort.ts';
import { EVERY_VALUE, ownTemplate, SCP_KEYS, without } from './support/packages.ts';

const OWN = ownTemplate();
const VALUES = {
  ...without(EVERY_VALUE, 'adm2'),
  ...SCP_KEYS,
  'ef:7FD0/6F7E': '01',
  'ef:mf/ef-arr#2': '02',
};

/** Runs everything that takes a package; only refusals may come out. */
function exercise(upp: Uint8Array): void {
  const runs = [
    () => expect(Buffer.from(encodePackage(decodePackage(upp)))).toEqual(Buffer.from(upp)),
    () => uppSummary(upp),
    () => packageContents(upp),
    () => eligibilityNeeds(upp),
    () => auditPersonalisation(upp, VALUES),
    () =>
      personalise(compileTemplate(upp, { profileClass: 'test', parameters: Object.keys(VALUES) }), VALUES),
  ];
  for (const run of runs) {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  validatePackage(upp);
}

const CUT_STEP = effort({ short: 33, long: 11 });
const CHANGED = effort({ short: 120, long: 800 });
const PIECES = effort({ short: 100, long: 500 });
const HOSTILE_VALUES = effort({ short: 300, long: 2_000 });

describe('hostile packages raise refusals only', () => {
  it('cut off anywhere', () => {
    for (let length = 0; length < OWN.length; length += CUT_STEP) {
      exercise(OWN.subarray(0, length));
      count('cuts', 1);
    }
  });

  it('with octets changed', () => {
    const change = fc.record({ at: fc.nat(OWN.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const upp = Buffer.from(OWN);
        for (const { at, to } of changes) upp[at] = to;
        exercise(upp);
      }),
      { numRuns: CHANGED },
    );
    count('mutations', CHANGED);
  });

  it('with a piece removed or repeated', () => {
    fc.assert(
      fc.property(fc.nat(OWN.length - 1), fc.nat(64), fc.boolean(), (at, length, repeat) => {
        const piece = OWN.subarray(at, at + length);
        exercise(
          Buffer.concat([OWN.subarray(0, at), ...(repeat ? [piece, piece] : []), OWN.subarray(at + length)]),
        );
      }),
      { numRuns: PIECES },
    );
    count('mutations', PIECES);
  });

  it('of random octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), exercise), { numRuns: 500 });
  });
});

it('hostile values raise refusals only', () => {
  const template = compileTemplate(OWN, { profileClass: 'test', parameters: Object.keys(VALUES) });
  const value = fc.oneof(
    fc.constantFrom('toString', '__proto__', 'constructor', ' ', '\u0000'),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.string({ maxLength: 8 }), { maxLength: 4 }),
    // what JSON lines may hold
    fc.jsonValue(),
    fc.record({ schemes: fc.jsonValue(), keys: fc.jsonValue() }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(VALUES)), value, (name, hostile) => {
      try {
        personalise(template, { ...VALUES, [name]: hostile as ParameterValue });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }),
    { numRuns: HOSTILE_VALUES },
  );
  count('mutations', HOSTILE_VALUES);
});
