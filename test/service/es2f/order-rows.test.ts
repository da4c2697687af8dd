import { generateKeyPairSync } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeIccid, luhnDigit, luhnHolds } from '../../../shared/codec/iccid.ts';
import { Refusal } from '../../../shared/errors.ts';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import type { OrderInput, PersonalisationRows } from '../../../shared/service/api/es2f.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { storedPacks } from '../../support/packs.ts';
import {
  blocksOf,
  csvOf,
  intakeKeyOf,
  jsonLinesOf,
  secretRows,
  type TestRow,
  withIntakeKey,
} from '../../support/row-sources.ts';
import { receiveUpload } from '../../support/uploads.ts';
import { TEMPLATE } from '../scenario.ts';
import { openProfile } from './open-pack.ts';

const output = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const outputKey = { ...output.publicKey.export({ format: 'jwk' }) };
const OPERATIONAL = { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' };

let deployment: Deployment;
let intakeKey: Readonly<Record<string, unknown>>;
let made = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ config: { packSize: 3, inlineOrder: 20 } });
  await withIntakeKey(deployment);
  intakeKey = await intakeKeyOf(deployment.runtime);
});

afterAll(() => deployment?.close());

const nextOrder = () => `ROWS-${made++}`;

function rowOrder(
  orderId: string,
  quantity: number,
  rows: Uint8Array,
  personalisation: PersonalisationRows,
  more: Partial<OrderInput> = {},
): OrderInput {
  return deployment.order(orderId, quantity, TEMPLATE, {
    personalisation,
    rows,
    metadata: OPERATIONAL,
    ...more,
  });
}

const order = (input: OrderInput) => deployment.runtime.services.orders.prepareProfiles(OPERATOR, input);

async function blockOrder(
  orderId: string,
  rows: readonly TestRow[],
  rowsPerBlock: number,
  cty: 'csv' | 'jsonl',
) {
  const blocks = await blocksOf(intakeKey, rows, { orderId, rowsPerBlock, cty });
  return rowOrder(orderId, rows.length, Buffer.from(blocks.join('\n')), { format: 'jwe' });
}

async function refusalOf(input: OrderInput): Promise<Refusal> {
  try {
    await order(input);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('the order was taken');
}

/** Nothing of the order is there: no record, no ICCID. */
async function expectNothingStored(orderId: string, rows: readonly TestRow[]): Promise<void> {
  const { ledger } = deployment.runtime.context;
  expect(await ledger.get(ledgerKeys.order(orderId))).toBeUndefined();
  expect((await ledger.query(`order#${orderId}`)).items).toEqual([]);
  expect(await storedPacks(ledger, orderId)).toEqual([]);
  for (const { iccid } of rows) {
    if (iccid === undefined || !/^[0-9]{18}$/.test(iccid)) continue;
    const owner = await ledger.get(ledgerKeys.iccid(completeIccid(iccid)));
    expect(owner?.attributes.orderId).not.toBe(orderId);
  }
}

describe('rows that are encrypted to the server', () => {
  for (const cty of ['csv', 'jsonl'] as const) {
    it(`become profiles that hold every value: ${cty}`, async () => {
      const orderId = nextOrder();
      const rows = secretRows(7, made * 1000);
      const answer = await order(await blockOrder(orderId, rows, 2, cty));
      expect(answer).toMatchObject({ state: 'Open', prepared: 7 });
      expect(answer.iccids).toEqual(rows.map(({ iccid }) => completeIccid(iccid!)));
      for (const [position, row] of rows.entries()) {
        const { iccid, upp } = await openProfile(deployment.runtime, orderId, position);
        expect(iccid).toBe(completeIccid(row.iccid!));
        const findings = auditPersonalisation(upp, row);
        expect(findings.filter(({ code }) => code === 'differs')).toEqual([]);
      }
    });
  }

  it('a block is a pack', async () => {
    const orderId = nextOrder();
    await order(await blockOrder(orderId, secretRows(7, made * 1000), 5, 'csv'));
    const packs = await storedPacks(deployment.runtime.context.ledger, orderId);
    expect(packs.map(({ attributes }) => (attributes.iccids as string[]).length)).toEqual([5, 2]);
  });

  it('warn of the codes that are the same in all profiles', async () => {
    const answer = await order(await blockOrder(nextOrder(), secretRows(1, made * 1000), 1, 'csv'));
    expect(answer.warnings?.filter(({ message }) => message.startsWith('PIN 01'))).toHaveLength(1);
  });

  const CHANGES: readonly [string, (blocks: string[]) => string[], string][] = [
    ['a missing block', (blocks) => blocks.filter((_, i) => i !== 1), 'block:1'],
    ['a missing last block', (blocks) => blocks.slice(0, -1), 'block:2'],
    ['a block twice', (blocks) => [blocks[0]!, ...blocks], 'block:1'],
    ['blocks in another order', ([a, b, c]) => [b!, a!, c!], 'block:0'],
  ];
  it.each(CHANGES)('%s is refused', async (_, change, subject) => {
    const orderId = nextOrder();
    const rows = secretRows(6, made * 1000);
    const blocks = await blocksOf(intakeKey, rows, { orderId, rowsPerBlock: 2 });
    const file = Buffer.from(change(blocks).join('\n'));
    const refusal = await refusalOf(rowOrder(orderId, 6, file, { format: 'jwe' }));
    expect(refusal).toMatchObject({ code: 'orderInvalid', subjectIdentifier: subject });
    await expectNothingStored(orderId, rows);
  });

  const HEADERS: readonly [string, Readonly<Record<string, unknown>>][] = [
    ['another order', { order: 'ANOTHER' }],
    ['another number of blocks', { blocks: 9 }],
    ['a member that nobody knows', { more: 1 }],
    ['a content type that nobody knows', { cty: 'xml' }],
    ['no block number', { block: 'first' }],
    ['an algorithm that is not the one of the key', { alg: 'RSA-OAEP' }],
    ['an algorithm that no intake key has', { alg: 'RSA-OAEP-512' }],
  ];
  it.each(HEADERS)('a protected header with %s is refused', async (_, members) => {
    const orderId = nextOrder();
    const rows = secretRows(4, made * 1000);
    const options = { orderId, rowsPerBlock: 2, header: (block: number) => (block === 1 ? members : {}) };
    const file = Buffer.from((await blocksOf(intakeKey, rows, options)).join('\n'));
    const refusal = await refusalOf(rowOrder(orderId, 4, file, { format: 'jwe' }));
    expect(['orderInvalid', 'protocolFormat']).toContain(refusal.code);
    await expectNothingStored(orderId, rows);
  });

  it('a block that was changed anywhere does not open', async () => {
    const orderId = nextOrder();
    const rows = secretRows(2, made * 1000);
    const [block] = await blocksOf(intakeKey, rows, { orderId, rowsPerBlock: 2 });
    const parts = block!.split('.');
    for (const part of [1, 2, 3, 4]) {
      const octets = Buffer.from(parts[part]!, 'base64url');
      octets[0]! ^= 1;
      const changed = parts.with(part, octets.toString('base64url')).join('.');
      const refusal = await refusalOf(rowOrder(orderId, 2, Buffer.from(changed), { format: 'jwe' }));
      expect(refusal.code, `part ${part}`).toBe('protocolFormat');
    }
  });
});

describe('rows in clear', () => {
  it.each([
    ['csv', csvOf],
    ['jsonl', jsonLinesOf],
  ] as const)('%s with generated secrets: output rows and packs agree', async (format, encode) => {
    const orderId = nextOrder();
    const rows = secretRows(8, made * 1000).map(({ iccid, imsi }) => ({ iccid: iccid!, imsi: imsi! }));
    const answer = await order(
      rowOrder(orderId, 8, encode(rows), { format, keys: 'generate', deriveIsim: true }, { outputKey }),
    );
    expect(answer).toMatchObject({ state: 'Open', prepared: 8 });
    const packs = Math.ceil(8 / 3);
    const keys = new Set<string>();
    for (let pack = 0; pack < packs; pack++) {
      const { jwe } = await deployment.runtime.services.orders.getOrderOutput(OPERATOR, { orderId, pack });
      const { plaintext, protectedHeader } = await compactDecrypt(jwe, output.privateKey);
      expect(protectedHeader).toMatchObject({ order: orderId, pack, packs });
      const lines = Buffer.from(plaintext).toString().trimEnd().split('\n');
      for (const [place, line] of lines.entries()) {
        const values = JSON.parse(line) as Record<string, string>;
        const { iccid, upp } = await openProfile(deployment.runtime, orderId, pack * 3 + place);
        expect(values.iccid).toBe(iccid);
        expect(values.imsi).toBe(rows[pack * 3 + place]!.imsi);
        expect(auditPersonalisation(upp, values).filter(({ code }) => code === 'differs')).toEqual([]);
        keys.add(values.k!);
      }
    }
    expect(keys.size).toBe(8);
  });

  it('of a large order are read as a job, from an upload', async () => {
    const orderId = nextOrder();
    const rows = secretRows(50, made * 1000).map(({ iccid, imsi }) => ({ iccid: iccid!, imsi: imsi! }));
    const { services } = deployment.runtime;
    const file = csvOf(rows);
    const upload = await receiveUpload(deployment.runtime, OPERATOR, 'rows', file);
    const input = {
      ...rowOrder(orderId, 50, file, { format: 'csv', keys: 'generate' }, { outputKey }),
      rows: upload,
    };
    expect(await order(input)).toMatchObject({ state: 'Preparing', quantity: 50 });
    await expect.poll(async () => (await order(input)).state).toBe('Open');
    const status = await services.orders.getOrderStatus(OPERATOR, { orderId });
    expect(status.counts).toEqual({ Available: 50 });
    // the same order with its rows inline is the same order
    expect(await order({ ...input, rows: file })).toMatchObject({ state: 'Open' });
  });

  it('with 18, 19 or 20 digits of an ICCID: what was completed to 20 is counted in the warnings', async () => {
    const orderId = nextOrder();
    const body = (n: number) => `8988777000000000${n}`;
    const wrong = (luhnDigit(body(12)) + 1) % 10;
    const long = `${body(13)}0`;
    const given = [body(10), completeIccid(body(11)), `${body(12)}${wrong}`, `${long}${luhnDigit(long)}`];
    const rows = secretRows(4, made * 1000).map(({ imsi }, i) => ({ iccid: given[i]!, imsi: imsi! }));
    const input = rowOrder(orderId, 4, csvOf(rows), { format: 'csv', keys: 'generate' }, { outputKey });
    const { iccids, warnings } = await order(input);
    expect(given.map(({ length }) => length)).toEqual([18, 19, 19, 20]);
    expect(iccids?.map(({ length }) => length)).toEqual([19, 19, 20, 20]);
    expect(iccids!.every(luhnHolds)).toBe(true);
    expect(warnings).toContainEqual({
      code: 'iccidCheckDigitAdded',
      message:
        'iccid: of the first 3 rows 1 have 19 digits without their Luhn digit and get it as a 20th; ' +
        '1 have 19 with it and stay as they are',
    });
  });

  it('of a large order that turn out bad reject it: row and column, no profile, no ICCID kept', async () => {
    const orderId = nextOrder();
    const rows = secretRows(40, made * 1000).map(({ iccid, imsi }) => ({ iccid: iccid!, imsi: imsi! }));
    rows[33]!.imsi = '00101x';
    const input = rowOrder(orderId, 40, csvOf(rows), { format: 'csv', keys: 'generate' }, { outputKey });
    expect(await order(input)).toMatchObject({ state: 'Preparing' });
    const status = () => deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId });
    await expect.poll(async () => (await status()).state).toBe('Rejected');
    const { reason, items, prepared } = await status();
    expect(reason).toMatchObject({ code: 'personalisationInvalid' });
    expect(reason?.message).toMatch(/^row 34, column imsi: /);
    expect({ items, prepared }).toEqual({ items: [], prepared: 0 });
    const { ledger } = deployment.runtime.context;
    expect(await ledger.get(ledgerKeys.iccid(completeIccid(rows[0]!.iccid)))).toBeUndefined();
  });
});

describe('bad rows are refused with row, column and code, and nothing is stored', () => {
  type Change = (rows: Record<string, string>[]) => void;
  const set =
    (row: number, column: string, value: string): Change =>
    (rows) => {
      rows[row]![column] = value;
    };
  const BAD: readonly [string, Change, string, string][] = [
    ['an ICCID with a letter', set(1, 'iccid', '89882990000000000A'), 'iccidInvalid', 'row:2:iccid'],
    ['an ICCID too short', set(2, 'iccid', '8988299'), 'iccidInvalid', 'row:3:iccid'],
    [
      'an ICCID with a wrong Luhn digit',
      set(0, 'iccid', '89882990000000000010'),
      'iccidInvalid',
      'row:1:iccid',
    ],
    [
      'another algorithm than the first',
      (rows) => {
        for (const row of rows) row.algorithm = 'milenage';
        Object.assign(rows[2]!, { algorithm: 'tuak', k: `${'ab'.repeat(31)}cd`, opc: 'ab'.repeat(32) });
      },
      'personalisationInvalid',
      'row:3:algorithm',
    ],
    [
      'another length of K than the first',
      (rows) => {
        for (const row of rows) Object.assign(row, { algorithm: 'tuak', opc: 'ab'.repeat(32) });
        Object.assign(rows[2]!, { k: `${'ab'.repeat(31)}cd` });
      },
      'personalisationInvalid',
      'row:3:k',
    ],
    ['an ICCID twice', (rows) => set(3, 'iccid', rows[1]!.iccid!)(rows), 'iccidInUse', 'row:4:iccid'],
    ['an IMSI twice', (rows) => set(4, 'imsi', rows[0]!.imsi!)(rows), 'personalisationInvalid', 'row:5:imsi'],
    [
      'a K twice',
      (rows) => set(2, 'k', rows[1]!.k!.toUpperCase())(rows),
      'personalisationInvalid',
      'row:3:k',
    ],
    ['an IMSI too long', set(3, 'imsi', '0010100000000001'), 'personalisationInvalid', 'row:4:imsi'],
    ['an empty IMSI', set(3, 'imsi', ''), 'personalisationInvalid', 'row:4:imsi'],
    ['a K too short', set(1, 'k', 'ab'.repeat(15)), 'personalisationInvalid', 'row:2:k'],
    ['a K of TUAK for MILENAGE', set(1, 'k', 'ab'.repeat(32)), 'personalisationInvalid', 'row:2:k'],
    ['a K of one octet repeated', set(1, 'k', 'aa'.repeat(16)), 'personalisationInvalid', 'row:2:k'],
    [
      'the K of the specifications',
      set(1, 'k', '000102030405060708090a0b0c0d0e0f'),
      'personalisationInvalid',
      'row:2:k',
    ],
    ['an OPc with an odd digit', set(5, 'opc', 'a'.repeat(31)), 'personalisationInvalid', 'row:6:opc'],
    ['an OPc too long', set(5, 'opc', 'ab'.repeat(32)), 'personalisationInvalid', 'row:6:opc'],
    ['an ADM key too long', set(2, 'adm1', '123456789'), 'personalisationInvalid', 'row:3:adm1'],
    ['an ADM key with a letter', set(2, 'adm1', '1234567A'), 'personalisationInvalid', 'row:3:adm1'],
    ['a PUK too short', set(0, 'puk1', '1234'), 'personalisationInvalid', 'row:1:puk1'],
    ['a second PUK too long', set(0, 'puk2', '123456789'), 'personalisationInvalid', 'row:1:puk2'],
    ['an OTA key too short', set(4, 'scp80.01.enc', 'abcd'), 'personalisationInvalid', 'row:5:scp80.01.enc'],
    [
      'an OTA key that is no hexadecimal',
      set(4, 'scp80.01.mac', 'zz'.repeat(16)),
      'personalisationInvalid',
      'row:5:scp80.01.mac',
    ],
    ['an SPN that overflows its file', set(1, 'spn', 'x'.repeat(17)), 'personalisationInvalid', 'row:2:spn'],
    [
      'a file that overflows',
      set(1, 'ef:opt-usim/ef-li', 'ab'.repeat(64)),
      'personalisationInvalid',
      'row:2:ef:opt-usim/ef-li',
    ],
    ['an MSISDN with a letter', set(1, 'msisdn', '+49x'), 'personalisationInvalid', 'row:2:msisdn'],
    ['an SMSC too long', set(1, 'smsc', `+${'1'.repeat(21)}`), 'personalisationInvalid', 'row:2:smsc'],
    [
      'a routing indicator too long',
      set(1, 'routingIndicator', '12345'),
      'personalisationInvalid',
      'row:2:routingIndicator',
    ],
    ['SUCI parameters that cannot be read', set(1, 'suci', 'a0ff'), 'personalisationInvalid', 'row:2:suci'],
    [
      'a GID1 that overflows its file',
      set(1, 'gid1', 'ab'.repeat(9)),
      'personalisationInvalid',
      'row:2:gid1',
    ],
    ['a PIN with five letters', set(1, 'pin1', 'abcde'), 'personalisationInvalid', 'row:2:pin1'],
    ['a PIN too short', set(1, 'pin2', '123'), 'personalisationInvalid', 'row:2:pin2'],
    ['a forbidden network too short', set(1, 'fplmn', '26'), 'personalisationInvalid', 'row:2:fplmn'],
    [
      'more forbidden networks than the file holds',
      set(5, 'fplmn', '26201;26202;26203;26204;26205'),
      'personalisationInvalid',
      'row:6:fplmn',
    ],
    ['an access control class too long', set(3, 'acc', '000100'), 'personalisationInvalid', 'row:4:acc'],
    ['an unknown algorithm', set(2, 'algorithm', 'comp128'), 'personalisationInvalid', 'row:3:algorithm'],
    [
      'algorithm options of two octets',
      set(2, 'algorithmOptions', '0102'),
      'personalisationInvalid',
      'row:3:algorithmOptions',
    ],
    [
      'a SQN age limit of five octets',
      set(2, 'sqnAgeLimit', '0000100000'),
      'personalisationInvalid',
      'row:3:sqnAgeLimit',
    ],
    [
      'a rotation above 127',
      set(5, 'rotationConstants', '8000204060'),
      'personalisationInvalid',
      'row:6:rotationConstants',
    ],
    ['an IMPI with a blank', set(0, 'impi', 'a b@c'), 'personalisationInvalid', 'row:1:impi'],
    [
      'a domain that overflows its file',
      set(4, 'domain', 'a'.repeat(200)),
      'personalisationInvalid',
      'row:5:domain',
    ],
    [
      'a public identity too many',
      set(4, 'impu', 'sip:a;sip:b;sip:c;sip:d'),
      'personalisationInvalid',
      'row:5:impu',
    ],
    [
      'a record that overflows',
      set(3, 'ef:mf/ef-arr#1', '00'.repeat(34)),
      'personalisationInvalid',
      'row:4:ef:mf/ef-arr#1',
    ],
    [
      'an SPN of nothing that can be written',
      set(1, 'spn', 'ЖЖЖЖЖЖЖЖ'),
      'personalisationInvalid',
      'row:2:spn',
    ],
  ];
  it('the rows here are at least forty', () => expect(BAD.length).toBeGreaterThanOrEqual(40));

  /** A good value of each column that only some rows above have. */
  const GOOD: Readonly<Record<string, string>> = {
    spn: 'Operator',
    'ef:opt-usim/ef-li': '656e',
    msisdn: '+49172000000',
    smsc: '+491722270333',
    routingIndicator: '17',
    suci: 'a0020000',
    gid1: '01',
    pin1: '4711',
    pin2: '4712',
    fplmn: '26201',
    acc: '0001',
    algorithm: 'milenage',
    algorithmOptions: '01',
    sqnAgeLimit: '000010000000',
    rotationConstants: '4000204060',
    impi: 'a@example.com',
    impu: 'sip:a@example.com',
    domain: 'example.com',
    'ef:mf/ef-arr#1': '80',
  };
  it.each(BAD)('%s', async (_, change, code, subject) => {
    const orderId = nextOrder();
    const rows = secretRows(6, made * 1000).map((row) => ({ ...row }) as Record<string, string>);
    const column = subject.split(':').slice(2).join(':');
    if (GOOD[column] !== undefined) for (const row of rows) row[column] = GOOD[column];
    change(rows);
    const refusal = await refusalOf(await blockOrder(orderId, rows, 3, 'csv'));
    expect(`${refusal.code} ${refusal.subjectIdentifier}`).toBe(`${code} ${subject}`);
    expect(refusal.message.startsWith(`row ${subject.split(':')[1]}, column ${column}`)).toBe(true);
    await expectNothingStored(orderId, rows);
  });

  const OWNED = { ...OPERATIONAL, profileOwner: { mccMnc: '00101', gid1: 'AB' } };
  it.each([
    ['an IMSI of another network than the owner’s', set(3, 'imsi', '262010000000001'), 'row:4:imsi'],
    ['the same in the first row', set(0, 'imsi', '262010000000001'), 'row:1:imsi'],
    ['a GID1 that is not the owner’s', set(4, 'gid1', 'AC'), 'row:5:gid1'],
    ['an IMSI that is too short to have a network', set(2, 'imsi', '0010'), 'row:3:imsi'],
  ] as const)('%s', async (_, change, subject) => {
    const orderId = nextOrder();
    const rows = secretRows(6, made * 1000).map((row) => ({ ...row, gid1: 'ab' }) as Record<string, string>);
    const good = await blockOrder(`${orderId}-good`, rows, 3, 'csv');
    expect(await order({ ...good, metadata: OWNED })).toMatchObject({ state: 'Open' });
    for (const row of rows) row.iccid = String(BigInt(row.iccid!) + 500n);
    change(rows);
    const refusal = await refusalOf({ ...(await blockOrder(orderId, rows, 3, 'csv')), metadata: OWNED });
    expect(refusal.subjectIdentifier).toBe(subject);
    expect(refusal.code).toBe(subject === 'row:3:imsi' ? 'personalisationInvalid' : 'metadataInvalid');
    await expectNothingStored(orderId, rows);
  });

  it('a rule whose IMSIs run over into another network', async () => {
    const orderId = nextOrder();
    const input = deployment.order(orderId, 3, TEMPLATE, {
      personalisation: { iccidStart: '898829988000000000', imsiStart: '001019999999998', keys: 'generate' },
      metadata: { ...OPERATIONAL, profileOwner: { mccMnc: '00101' } },
      outputKey,
    });
    const refusal = await refusalOf(input);
    expect(refusal).toMatchObject({ code: 'metadataInvalid', subjectIdentifier: 'row:3:imsi' });
    await expectNothingStored(orderId, []);
    expect(await order({ ...input, quantity: 2 })).toMatchObject({ state: 'Open' });
    await expect(
      deployment.runtime.services.orders.prepareProfiles(OPERATOR, {
        ...input,
        orderId: nextOrder(),
        quantity: 1,
        metadata: { ...OPERATIONAL, profileOwner: { mccMnc: '26201' } },
      }),
    ).rejects.toMatchObject({ code: 'metadataInvalid', subjectIdentifier: 'row:1:imsi' });
  });

  it('an ICCID of another order', async () => {
    const first = secretRows(2, made * 1000);
    await order(await blockOrder(nextOrder(), first, 2, 'csv'));
    const rows = [...secretRows(2, made * 1000 + 500), { ...secretRows(1)[0]!, iccid: first[1]!.iccid! }];
    const orderId = nextOrder();
    const refusal = await refusalOf(await blockOrder(orderId, rows, 3, 'csv'));
    expect(refusal).toMatchObject({ code: 'iccidInUse', subjectIdentifier: 'row:3:iccid' });
    await expectNothingStored(orderId, rows);
  });

  it.each(['k', 'opc', 'adm1', 'puk1', 'scp80.01.enc', 'ef:opt-usim/ef-li'])(
    '%s outside a JWE',
    async (column) => {
      const orderId = nextOrder();
      const rows = secretRows(2, made * 1000).map(({ iccid, imsi }) => ({
        iccid: iccid!,
        imsi: imsi!,
        [column]: 'ab'.repeat(16),
      }));
      for (const [format, encode] of [
        ['csv', csvOf],
        ['jsonl', jsonLinesOf],
      ] as const) {
        const input = rowOrder(orderId, 2, encode(rows), { format, keys: 'generate' }, { outputKey });
        const refusal = await refusalOf(input);
        expect(refusal).toMatchObject({ code: 'personalisationInvalid', subjectIdentifier: column });
      }
      await expectNothingStored(orderId, rows);
    },
  );

  const FILES: readonly [string, string, string, string | undefined][] = [
    ['a column that is no parameter', 'iccid,imsi,colour\n8988299,1,red', 'personalisationInvalid', 'colour'],
    ['no column iccid', 'imsi\n001010000000001', 'personalisationInvalid', 'iccid'],
    ['a column twice', 'iccid,imsi,imsi\n1,2,3', 'personalisationInvalid', undefined],
    [
      'a row with a value too few',
      'iccid,imsi\n898829900000000001,001010000000001\n898829900000000002',
      'personalisationInvalid',
      'row:2',
    ],
    ['a quote that does not end', 'iccid,imsi\n898829900000000001,"0010', 'personalisationInvalid', 'row:1'],
    ['fewer rows than profiles', 'iccid,imsi\n898829900000000001,001010000000001', 'orderInvalid', undefined],
    ['no rows', 'iccid,imsi\n', 'orderInvalid', undefined],
  ];
  it.each(FILES)('a file with %s', async (_, text, code, subject) => {
    const orderId = nextOrder();
    const input = rowOrder(orderId, 2, Buffer.from(text), { format: 'csv', keys: 'generate' }, { outputKey });
    const refusal = await refusalOf(input);
    expect([refusal.code, refusal.subjectIdentifier]).toEqual([code, subject]);
    await expectNothingStored(orderId, []);
  });

  it('more rows than profiles', async () => {
    const orderId = nextOrder();
    const rows = secretRows(3, made * 1000);
    const refusal = await refusalOf({ ...(await blockOrder(orderId, rows, 2, 'csv')), quantity: 2 });
    expect(refusal).toMatchObject({ code: 'orderInvalid', subjectIdentifier: 'row:3' });
  });
});
