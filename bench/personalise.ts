import { createCipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { luhnDigit } from '../shared/codec/iccid.ts';
import { auditPersonalisation } from '../shared/profile/package/audit.ts';
import { compileTemplate, personalise } from '../shared/profile/package/personalise.ts';
import { ProfileMaker } from '../shared/profile/package/profile-maker.ts';
import { ownTemplate } from '../shared/profile/package/template/own-profile.ts';

/**
 * How fast profiles are made from one template on one core, the long way and as an order makes them, beside the floor of
 * encrypting as many octets with AES-128-CBC.
 *
 *   node bench/personalise.ts [--seconds 3] [--template UPP.der] [--json]
 *
 * With --template another package than our own is personalised, as a test profile with ICCID, IMSI, K and OPc.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    template: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);

const constants = {
  spn: 'Operator',
  smsc: '+491722270333',
  op: randomBytes(16),
  routingIndicator: '17',
  suci: { schemes: [{ id: 1, keyIndex: 1 }], keys: [{ id: 1, key: randomBytes(32) }] },
};
const fullRow = (n: number) => {
  const body = `8988211${String(n).padStart(11, '0')}`;
  const digits = (length: number) => String(n).padStart(length, '0');
  return {
    iccid: `${body}${luhnDigit(body)}`,
    imsi: `26201${digits(10)}`,
    msisdn: `+49172${digits(8)}`,
    k: randomBytes(16),
    pin1: '4711',
    puk1: digits(8),
    puk2: digits(8),
    adm1: digits(8),
    'scp80.01.enc': randomBytes(16),
    'scp80.01.mac': randomBytes(16),
    'scp80.01.dek': randomBytes(16),
  };
};
/** What every package with a USIM has a place for. */
const plainRow = (n: number) => {
  const { iccid, imsi, k } = fullRow(n);
  return { iccid, imsi, k, opc: randomBytes(16) };
};
const given = options.template;
const row = given === undefined ? fullRow : plainRow;
const template = compileTemplate(given === undefined ? ownTemplate() : readFileSync(given), {
  profileClass: given === undefined ? 'operational' : 'test',
  parameters: Object.keys(row(0)),
  ...(given === undefined ? { constants, deriveIsim: true } : {}),
});

function rate(work: (n: number) => void): number {
  const end = performance.now() + seconds * 1000;
  const start = performance.now();
  let n = 0;
  for (; performance.now() < end; n++) work(n);
  return n / ((performance.now() - start) / 1000);
}

const sample = personalise(template, row(1));
const padded = Buffer.alloc(Math.ceil(sample.length / 16) * 16);
const floor = rate(() => {
  createCipheriv('aes-128-cbc', randomBytes(16), randomBytes(16)).setAutoPadding(false).update(padded);
});
const made = rate((n) => personalise(template, row(n)));
const audited = rate((n) => {
  const values = row(n);
  const findings = auditPersonalisation(personalise(template, values), values, template);
  if (findings.some(({ code }) => code === 'differs')) throw new Error('a profile differs from its row');
});

const maker = new ProfileMaker(template);
const asInOrders = rate((n) => {
  if (maker.make(row(n)).differing() !== undefined) throw new Error('a profile differs from its row');
});

if (options.json) {
  console.log(JSON.stringify({ octets: sample.length, floor, made, audited, asInOrders }));
} else {
  const line = (what: string, value: number) =>
    console.log(
      `${what.padEnd(30)} ${Math.round(value).toString().padStart(8)}/s  ${(value / floor).toFixed(3)} of the floor`,
    );
  console.log(`${sample.length} octets a profile, ${seconds} s each`);
  line('AES-128-CBC of as many octets', floor);
  line('the long way', made);
  line('the long way, and read back', audited);
  line('by a stencil, and read back', asInOrders);
}
