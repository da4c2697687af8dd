import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { luhnDigit } from '../../shared/codec/iccid.ts';
import type { OrderInput } from '../../shared/service/api/es2f.ts';
import { WARNINGS } from '../../shared/warnings.ts';
import { encodeEuiccDataBatch } from '../../sim/ifpp-draft1/euicc-data-batch.ts';
import { encodeProfileLoadingReport } from '../../sim/index.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { refusalOf } from '../support/refusal.ts';
import { blocksOf, intakeKeyOf, secretRows, withIntakeKey } from '../support/row-sources.ts';
import { TEMPLATE } from './scenario.ts';

/** What is accepted and deserves a look is said, each under its stable code of shared/warnings.ts. */
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({});
  await withIntakeKey(deployment);
  const role = 'deviceMaker';
  await deployment.runtime.services.parties.add(
    'ab'.repeat(32),
    { identifier: DEVICE_MAKER.identifier, role },
    'test',
  );
});
afterAll(() => deployment?.close());

const codes = (warnings: readonly { code: string }[] | undefined) =>
  new Set((warnings ?? []).map(({ code }) => code));

let made = 0;
async function order(more: Partial<OrderInput>) {
  const orderId = more.orderId ?? `WARN-${made++}`;
  const { orders } = deployment.runtime.services;
  const answer = await orders.prepareProfiles(OPERATOR, deployment.order(orderId, 2, TEMPLATE, more));
  const { warnings } = await orders.getOrderStatus(OPERATOR, { orderId });
  expect(warnings).toEqual(answer.warnings);
  return answer;
}

describe('an order', () => {
  it('is silent of a device manufacturer that is registered, and warns of one that is not', async () => {
    expect(codes((await order({})).warnings)).not.toContain('partyUnknown');
    const { warnings } = await order({ requesterDms: [DEVICE_MAKER.identifier, '2.999.5O'] });
    expect(warnings?.filter(({ code }) => code === 'partyUnknown')).toEqual([
      { code: 'partyUnknown', message: 'no device manufacturer is registered as 2.999.5O' },
    ]);
  });

  it('takes an iccidStart without its Luhn digit, whatever its last digit is: 19 digits make 20, and it says so', async () => {
    const body = '893311000000000004';
    const start = body + luhnDigit(body);
    const { iccids, warnings } = await order({ personalisation: { iccidStart: start, keys: 'template' } });
    expect(iccids).toEqual([start + luhnDigit(start), expect.stringMatching(/^[0-9]{20}$/)]);
    expect(codes(warnings)).toContain('iccidCheckDigitAdded');
    const short = await order({ personalisation: { iccidStart: body, keys: 'template' } });
    expect(short.iccids?.[0]).toBe(start);
    expect(codes(short.warnings)).not.toContain('iccidCheckDigitAdded');
    const full = { iccidStart: start + luhnDigit(start), keys: 'template' } as const;
    expect(await refusalOf(order({ personalisation: full }))).toMatchObject({ code: 'iccidInvalid' });
  });

  it('warns of rows whose kid is of no intake key here', async () => {
    const key = await intakeKeyOf(deployment.runtime);
    const metadata = { serviceProviderName: 'O', profileName: 'P', profileClass: 'operational' };
    for (const [kid, expected] of [
      [undefined, false],
      [String(key.kid), false],
      ['another', true],
    ] as const) {
      const orderId = `KID-${made++}`;
      const header = () => (kid === undefined ? {} : { kid });
      const blocks = await blocksOf(key, secretRows(2, 70_000 + made * 10), {
        orderId,
        rowsPerBlock: 2,
        header,
      });
      const rows = Buffer.from(blocks.join('\n'));
      const { warnings } = await order({ orderId, rows, personalisation: { format: 'jwe' }, metadata });
      expect(codes(warnings).has('intakeKeyUnknown'), String(kid)).toBe(expected);
    }
  });
});

it('a batch of eUICC data warns where it is empty, and of device manufacturers that are not registered', async () => {
  const { ingest } = deployment.runtime.services;
  const deviceManufacturers = ['2.999.59', DEVICE_MAKER.identifier];
  const { ca, ciPkId } = deployment.eum;
  const batch = encodeEuiccDataBatch({
    batchId: Buffer.of(0x0e),
    ciPkId,
    curve: '1.2.840.10045.3.1.7',
    eumChain: [ca.certificate],
    euiccInfo2: deployment.eum.personalise().euiccInfo2,
    entries: [],
    deviceManufacturers,
  });
  const answer = await ingest.registerEuiccData(EUM, batch);
  expect(answer.warnings).toEqual([
    { code: 'nothingInside', message: 'the batch has no entries' },
    { code: 'partyUnknown', message: 'no device manufacturer is registered as 2.999.59' },
  ]);
  expect(await ingest.registerEuiccData(EUM, batch)).toEqual(answer);
});

it('a report without items warns', async () => {
  const report = encodeProfileLoadingReport({ reportId: Buffer.of(9), items: [] });
  const { reports } = deployment.runtime.services;
  const answer = await reports.sendProfileLoadingReport(DEVICE_MAKER, report);
  expect(answer.warnings).toEqual([{ code: 'nothingInside', message: 'the report has no items' }]);
  expect(await reports.sendProfileLoadingReport(DEVICE_MAKER, report)).toEqual(answer);
});

it('docs/pre-sgp42.md has the table of all codes', () => {
  const text = readFileSync(new URL('../../docs/pre-sgp42.md', import.meta.url), 'utf8');
  for (const [code, meaning] of Object.entries(WARNINGS))
    expect(text).toContain(`| \`${code}\` | ${meaning} |`);
});
