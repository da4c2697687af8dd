import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { conformEuicc } from '../../conform/euicc/euicc.ts';
import { EUICC_RULES } from '../../conform/euicc/rules.ts';
import { type Bytes, concat, fromHex } from '../../shared/codec/bytes.ts';
import { generateKey, rawToDer, sign } from '../../sim/curve.ts';
import { signInstallationResult } from '../../sim/euicc/results.ts';
import { encodeBppBatch, SimCi, SimEum, SoftEuicc } from '../../sim/index.ts';
import { Fields, readTlv, tlv } from '../../sim/tlv.ts';
import { Folder } from '../cli/support/binding-bench.ts';
import { runCli } from '../cli/support/cli.ts';
import { buildBpp, buildMetadata, buildUpp } from '../sim/bpp-builder.ts';

const ICCIDS = ['8988000000000000004', '8988000000000000012'];
const ci = SimCi.create();
const euicc = SimEum.create({ ci }).personalise({ keys: 2 });
const dpPbKey = generateKey('p256');
const dpPb = ci.issueDpPb(dpPbKey, { oid: '2.999.10' });
const folder = new Folder();

afterAll(() => folder.remove());

const bppBatch = encodeBppBatch({
  requestId: Buffer.of(1),
  chains: [{ ciPkId: ci.keyId, certificates: [dpPb] }],
  items: ICCIDS.map((iccid, at) => {
    const transactionId = Buffer.alloc(16, at + 1);
    const { key, keyId } = euicc.oneTimeKeys[at]!;
    const profile = { metadata: buildMetadata({ iccid }), upp: buildUpp({ iccid }) };
    const bpp = buildBpp({ eid: euicc.eid, otPk: key.point, dpPbKey, transactionId, ...profile });
    return { itemId: at + 1, eid: euicc.eid, bound: { transactionId, keyId, iccid, chain: 0, bpp } };
  }),
});

const pir = signInstallationResult(
  {
    transactionId: Buffer.alloc(16, 1),
    notification: { seqNumber: 1, event: 'install', address: 'smdpf.example.com', iccid: ICCIDS[0] },
    smdpOid: '2.999.10',
    finalResult: { isdpAid: fromHex('a0000005591010ffffffff8900001000') },
  },
  euicc.key,
);

const failed = async (input: Parameters<typeof conformEuicc>[0]) =>
  (await conformEuicc({ euiccCert: euicc.euiccCert, ...input }))
    .filter(({ result }) => result !== 'passed')
    .map(({ id }) => id);

const drive = (transmit: (card: SoftEuicc, apdu: Bytes) => Bytes) => {
  const card = SoftEuicc.create(euicc);
  const reader = { reset: () => card.reset(), transmit: (apdu: Bytes) => transmit(card, apdu) };
  return failed({ pir, smdpOid: '2.999.10', card: { reader, eid: euicc.eid, bppBatch } });
};

it('the soft eUICC passes every check', async () => {
  expect(await drive((card, apdu) => card.transmit(apdu))).toEqual([]);
});

it('a card behind a program and a card file are driven by the command', async () => {
  const file = folder.file('card.json');
  SoftEuicc.create(euicc, { file });
  const batch = folder.write('bpps.der', bppBatch);
  const result = await runCli('conform', 'euicc', '--card', file, '--bpp-batch', batch, '--json');
  expect(result.json<{ checks: { id: string }[] }>().checks.map(({ id }) => id)).toEqual(
    Object.keys(EUICC_RULES),
  );
  expect(result.code, result.stdout).toBe(0);
  const program = folder.file('card.mjs');
  writeFileSync(
    program,
    `process.stdin.on('data', (lines) => { for (const _ of String(lines).trim().split('\\n')) console.log('6985'); });`,
  );
  const cert = folder.write('cert.der', euicc.euiccCert);
  const command = ['--command', `'${process.execPath}' '${program}'`, '--euicc-cert', cert];
  const silent = await runCli('conform', 'euicc', ...command, '--bpp-batch', batch);
  expect(silent.code).toBe(1);
  expect(silent.stdout).toMatch(/euicc\.load\.installs[\s\S]*seen +status word 6985/);
});

describe('an eUICC with one fault', () => {
  const { value } = readTlv(pir);
  const data = new Fields(value).take(0xbf27);

  it.each<[string, string, Bytes]>([
    ['a status word behind the result', 'euicc.pir.der', concat(pir, fromHex('9000'))],
    [
      'a DER signature',
      'euicc.pir.signature-form',
      tlv(0xbf37, data.raw, tlv(0x5f37, rawToDer(sign(euicc.key, data.raw)))),
    ],
    [
      'a signature without BF27',
      'euicc.pir.signature',
      tlv(0xbf37, data.raw, tlv(0x5f37, sign(euicc.key, data.value))),
    ],
    [
      'no smdpOid',
      'euicc.pir.data',
      tlv(0xbf37, tlv(0xbf27, tlv(0x80, Buffer.of(1))), tlv(0x5f37, new Uint8Array(64))),
    ],
  ])('%s: %s is named', async (_what, rule, wrong) => {
    expect(await failed({ pir: wrong, smdpOid: '2.999.10' })).toContain(rule);
  });

  it('another OID: euicc.pir.smdp-oid is named', async () => {
    expect(await failed({ pir, smdpOid: '2.999.11' })).toContain('euicc.pir.smdp-oid');
  });

  it('a card that takes whatever it gets: the wrong BPPs are named', async () => {
    const rules = await drive((_card, apdu) =>
      apdu[2] === 0x91 ? concat(pir, fromHex('9000')) : fromHex('9000'),
    );
    expect(rules).toEqual(
      expect.arrayContaining(['euicc.load.bad-signature', 'euicc.load.bad-mac', 'euicc.load.used-key']),
    );
  });

  it('a card that installs nothing: euicc.load.installs is named', async () => {
    expect(await drive(() => fromHex('6a80'))).toContain('euicc.load.installs');
  });
});
