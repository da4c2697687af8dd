import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { luhnDigit } from '../../../shared/codec/iccid.ts';
import { Refusal } from '../../../shared/errors.ts';
import type { ParameterValue } from '../../../shared/profile/package/parameter.ts';
import { compilePersonaliser, type Personaliser } from '../../../shared/service/es2f/personalisation.ts';
import { tryProfile } from '../../../shared/service/es2f/profile-making.ts';
import { rowTrial } from '../../../shared/service/es2f/row-trial.ts';
import { ownTemplate } from '../../profile/package/support/packages.ts';
import { randomNumbers } from '../../support/random-numbers.ts';

const random = randomNumbers(77);
const digits = (length: number) => Array.from({ length }, () => random(10)).join('');
const oneOf = <T>(...choices: readonly T[]): T => choices[random(choices.length)]!;

/** The owner has a network, and what is derived from the IMSI has the length that EF.AD says. */
const personaliserOf = (columns: readonly string[]): Personaliser =>
  compilePersonaliser(
    ownTemplate(),
    { format: 'jsonl', keys: 'generate', deriveIsim: true },
    columns,
    (iccid) => ({
      iccid,
      serviceProviderName: 'Operator',
      profileName: 'Profile',
      profileClass: 'operational',
      profileOwner: { mccMnc: '26201' },
    }),
    randomBytes,
  );

const VALUES: Readonly<Record<string, () => ParameterValue>> = {
  iccid() {
    const body = `8988211${digits(11)}`;
    const last = oneOf('', String(luhnDigit(body)), String((luhnDigit(body) + 1) % 10), '00', 'A');
    return random(4) === 0 ? body + last : body;
  },
  imsi: () =>
    random(4) === 0
      ? oneOf(
          '',
          '26201',
          `26202${digits(10)}`,
          `26201${digits(11)}`,
          `26201${digits(9)}x`,
          '310260123456789',
        )
      : `26201${digits(oneOf(10, 10, 10, 9))}`,
  spn: () => oneOf('Operator', 'Operator', 'Another', 'x'.repeat(17)),
  msisdn: () => oneOf('+491721', '+491722', '+49 17'),
  fplmn: () => oneOf<ParameterValue>('26202', ['26202', '26203'], ['2620']),
};

function outcomeOf(work: () => void): string {
  try {
    work();
    return 'good';
  } catch (error) {
    if (error instanceof Refusal) return `${error.code} ${error.subjectIdentifier} ${error.message}`;
    throw error;
  }
}

it.each([
  ['of which every value is looked at or free', ['iccid', 'imsi']],
  ['with columns of few values', ['imsi', 'spn', 'iccid']],
  ['with structured values', ['iccid', 'imsi', 'msisdn', 'fplmn']],
])('rows %s are refused as making each would refuse them', (_, columns) => {
  const personaliser = personaliserOf(columns);
  const trial = rowTrial(personaliserOf(columns), columns);
  const outcomes = new Set<string>();
  for (let number = 1; number <= 120; number++) {
    const values = Object.fromEntries(columns.map((name) => [name, VALUES[name]!()]));
    const wanted = outcomeOf(() => tryProfile(personaliser, number, personaliser.complete(values)));
    expect(outcomeOf(() => trial({ number, values }))).toBe(wanted);
    outcomes.add(wanted.replace(/row \d+|row:\d+/g, 'row'));
  }
  // good rows, and refusals of both columns and of the owner's network
  expect(outcomes.size).toBeGreaterThan(4);
});

it('the first row of a kind alone has its profile made', () => {
  const columns = ['iccid', 'imsi'];
  const personaliser = personaliserOf(columns);
  let made = 0;
  const { maker } = personaliser;
  const trial = rowTrial(
    {
      ...personaliser,
      metadata(iccid) {
        made += 1;
        return personaliser.metadata(iccid);
      },
      maker,
    },
    columns,
  );
  for (let number = 1; number <= 50; number++)
    trial({ number, values: { iccid: `8988211${digits(11)}`, imsi: `262010${digits(9)}` } });
  expect(made).toBe(1);
});

it('rows with secrets are made each', () => {
  const columns = ['iccid', 'imsi', 'k'];
  const personaliser = personaliserOf(columns);
  const trial = rowTrial(personaliser, columns);
  const row = (k: string) => ({ iccid: `8988211${digits(11)}`, imsi: `26201${digits(10)}`, k });
  trial({ number: 1, values: row('ab'.repeat(15).concat('cd')) });
  expect(outcomeOf(() => trial({ number: 2, values: row('aa'.repeat(16)) }))).toMatch(
    /^personalisationInvalid row:2:k/,
  );
});
