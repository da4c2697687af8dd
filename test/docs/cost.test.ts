import { expect, it } from 'vitest';
import { COUNTED, COUNTED_PROFILES, type CountedPhase } from '../../bench/scale/counted.ts';
import { estimate, LAMBDA_GB, LAMBDA_SECONDS, PRICES, TRANSITIONS_PER_PROFILE } from '../aws/prices.ts';
import { expectTable, table } from './tables.ts';

const PHASES = [COUNTED.prepare, COUNTED.register, COUNTED.bind];

/** Of one profile, in all phases together. */
const total = (of: (phase: CountedPhase) => number) => PHASES.reduce((sum, phase) => sum + of(phase), 0);

const each = (of: (phase: CountedPhase) => number, digits: number) =>
  PHASES.map((phase) => (of(phase) === 0 ? '–' : of(phase).toFixed(digits)));

it('docs/cost.md has what is counted for one profile, of which the model of scale is made as well', () => {
  const writes = PHASES.map(({ vaultWrites }) => vaultWrites.toFixed(3)).join(', ');
  expectTable(
    'cost.md',
    'counted',
    table(
      ['', 'preparing', 'registering its eUICC', 'binding', ''],
      [
        [
          'ledger write units',
          ...each((one) => one.ledgerWriteUnits, 2),
          '1 per KB begun, 2 in a transaction',
        ],
        ['PPK write units', ...each((one) => one.ppkWriteUnits, 2), 'twelve keys in an item'],
        ['read units', ...each((one) => one.readUnits, 2), 'consistent, 4 KB'],
        ['requests to S3', ...each((one) => one.vault, 3), `of them writes: ${writes}`],
        ['KMS Sign', ...each((one) => one.signs, 3), 'one more for the manifest'],
      ],
    ),
  );
});

it('docs/cost.md has what that costs for a million profiles', () => {
  const writeUnits = total((one) => one.ledgerWriteUnits + one.ppkWriteUnits);
  const readUnits = total((one) => one.readUnits);
  const signs = total((one) => one.signs);
  const [s3Writes, s3Reads] = [total((one) => one.vaultWrites), total((one) => one.vault - one.vaultWrites)];
  const thousands = (perProfile: number) => `${Math.round(perProfile * 1_000)},000`;
  const dollars = {
    keys: signs * PRICES.kmsSign,
    writes: writeUnits * PRICES.ledgerWriteUnit,
    reads: readUnits * PRICES.ledgerReadUnit,
    s3: s3Writes * PRICES.s3Write + s3Reads * PRICES.s3Read,
    lambda: LAMBDA_SECONDS * LAMBDA_GB * PRICES.lambdaGbSecond,
    steps: TRANSITIONS_PER_PROFILE * PRICES.stateTransition,
  };
  const million = (perProfile: number) => (1e6 * perProfile).toFixed(2);
  const sum = Object.values(dollars).reduce((so, far) => so + far, 0);
  const bills = PHASES.map((phase) => ({ ...phase, calls: new Map<string, number>() }));
  const billed = bills.map((bill) => ({
    ...bill,
    ledgerWriteUnits: bill.ledgerWriteUnits * COUNTED_PROFILES,
    ppkWriteUnits: bill.ppkWriteUnits * COUNTED_PROFILES,
    readUnits: bill.readUnits * COUNTED_PROFILES,
    vault: bill.vault * COUNTED_PROFILES,
    vaultWrites: bill.vaultWrites * COUNTED_PROFILES,
  }));
  expect(estimate(billed, signs * COUNTED_PROFILES, COUNTED_PROFILES)).toBeCloseTo(1e6 * sum, 6);
  expectTable(
    'cost.md',
    'a million',
    table(
      ['', 'price', 'dollars'],
      [
        [`K: KMS, ${signs.toFixed(3)} M ECC signatures`, '$0.15 per 10,000', million(dollars.keys)],
        [
          `W: DynamoDB, ${writeUnits.toFixed(2)} M write units`,
          '$0.625 per million',
          million(dollars.writes),
        ],
        [`R: DynamoDB, ${readUnits.toFixed(2)} M read units`, '$0.125 per million', million(dollars.reads)],
        [
          `P, G: S3, ${thousands(s3Writes)} writes and ${thousands(s3Reads)} reads`,
          '$0.005, $0.0004 per 1,000',
          million(dollars.s3),
        ],
        ['L: Lambda, arm64', '$0.0000133334 per GB-second', million(dollars.lambda)],
        [
          'T: Step Functions, six transitions for each 250 profiles',
          '$0.025 per 1,000',
          million(dollars.steps),
        ],
        ['**together**', '', `**${million(sum)}**`],
      ],
    ),
  );
});
