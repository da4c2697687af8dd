import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { encodeBppBatch } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { encodeLoadPackage } from '../../shared/ifpp-draft1/load-package.ts';
import {
  decodeProfileLoadingReport,
  decodeReportItem,
} from '../../shared/ifpp-draft1/profile-loading-report.ts';
import { decodeCrl } from '../../shared/pki/crl.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { parseCertificate, subjectKeyIdentifier } from '../../sim/certificate.ts';
import { Folder, iccidOf } from './support/binding-bench.ts';
import { type CliResult, type ErrorDocument, runCli, spawnCli } from './support/cli.ts';

const folder = new Folder();
afterAll(() => folder.remove());
const at = (...parts: string[]) => join(folder.path, ...parts);

const upp = ownTemplate();
const uppFile = folder.write('profile.der', upp);
const iccid = iccidOf(upp);
const metadata = folder.write(
  'metadata.json',
  JSON.stringify({
    iccid,
    serviceProviderName: 'SP',
    profileName: 'P',
    notifications: [{ events: ['install', 'delete'], address: 'smdpf.example.com' }],
  }),
);

interface Card {
  readonly eid: string;
  readonly fpaLocked: boolean;
  readonly oneTimeKeys: readonly { readonly keyId: string; readonly otPk: string }[];
  readonly profiles: readonly { readonly iccid: string; readonly enabled: boolean }[];
  readonly notifications: readonly number[];
}

async function sim(...args: string[]): Promise<CliResult> {
  const result = await runCli('sim', ...args, '--json');
  expect(result.code, result.stdout).toBe(0);
  return result;
}

async function refused(...args: string[]): Promise<ErrorDocument['error']> {
  const result = await runCli('sim', ...args, '--json');
  expect(result.code).toBeGreaterThan(0);
  return result.json<ErrorDocument>().error;
}

let cards: string[];
const card = (index: number) => at('production', 'cards', cards[index]!);
const show = async (index: number) => (await sim('euicc', 'show', '--card', card(index))).json<Card>();

interface Bound {
  readonly eid: string;
  readonly keyId: string;
  readonly transactionId: string;
  readonly file: string;
}

/** Binds the profile to the next one-time key of a card. */
async function bind(index: number, name: string): Promise<Bound> {
  const { eid, oneTimeKeys } = await show(index);
  const { keyId, otPk } = oneTimeKeys[0]!;
  const file = at(name);
  const options = { upp: uppFile, metadata, eid, otpk: otPk, out: file };
  const bound = await runCli(
    'bind',
    ...Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]),
    ...['--dppb-cert', at('pki', 'CERT_DPpb.der'), '--dppb-key', at('pki', 'SK_DPpb.pem'), '--json'],
  );
  expect(bound.code, bound.stdout).toBe(0);
  return { eid, keyId, transactionId: bound.json<{ transactionId: string }>().transactionId, file };
}

/** The BPPs of a server, as the device manufacturer gets them. */
function batchOf(bound: readonly Bound[]): Buffer {
  const dpPb = readFileSync(at('pki', 'CERT_DPpb.der'));
  const ciPkId = subjectKeyIdentifier(parseCertificate(readFileSync(at('pki', 'CERT_CI.der'))));
  return Buffer.from(
    encodeBppBatch({
      requestId: '0a',
      chains: [{ ciPkId, certificates: [dpPb] }],
      items: bound.map(({ eid, keyId, transactionId, file }, itemId) => ({
        itemId,
        eid,
        outcome: { kind: 'bound', transactionId, keyId, iccid, chain: 0, bpp: readFileSync(file) },
      })),
    }),
  );
}

beforeAll(async () => {
  await sim('ci', 'create', '--out', at('pki'));
  await sim('eum', 'create', '--ci', at('pki'), '--out', at('eum'));
  await sim(
    'eum',
    'personalise',
    '--eum',
    at('eum'),
    '--count',
    '8',
    '--keys',
    '2',
    '--out',
    at('production'),
  );
  const key = ['--generate', at('pki', 'SK_DPpb.pem'), '--out', at('pki', 'CERT_DPpb.der')];
  await sim('ci', 'issue-dppb', '--ci', at('pki'), ...key);
  cards = readdirSync(at('production', 'cards')).sort();
});

describe('smdpf sim ci and eum', () => {
  it('keep private keys and cards from other users', () => {
    for (const file of [at('pki', 'SK_CI.pem'), at('pki', 'SK_DPpb.pem'), at('eum', 'SK_EUM.pem'), card(0)])
      expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('never make an EID twice, and never replace a CI', async () => {
    const more = await sim('eum', 'personalise', '--eum', at('eum'), '--out', at('more'));
    expect(cards).toHaveLength(8);
    expect(cards).not.toContain(`${more.json<{ eids: string[] }>().eids[0]}.json`);
    expect(await refused('ci', 'create', '--out', at('pki'))).toMatchObject({ code: 'usage' });
  });

  it('write a data batch with the public part of each card', async () => {
    const result = await runCli('inspect', at('production', 'euicc-data.der'), '--json');
    const [artefact] = result.json<{ artefacts: { kind: string; findings: { message: string }[] }[] }>()
      .artefacts;
    expect(artefact).toMatchObject({ kind: 'euiccDataBatch', findings: [{ message: '8 eUICCs' }] });
  });

  it('issue CERT.DPpb for a request or a public key, and revocation lists', async () => {
    const spki = folder.write('spki.der', Buffer.alloc(0));
    expect(await refused('ci', 'issue-dppb', '--ci', at('pki'), '--out', at('x.der'))).toMatchObject({
      code: 'usage',
    });
    expect(
      await refused('ci', 'issue-dppb', '--ci', at('pki'), '--spki', spki, '--out', at('x.der')),
    ).toMatchObject({ code: 'usage' });
    await sim('ci', 'crl', '--ci', at('pki'), '--revoke', '0A0B', '--number', '7', '--out', at('list.crl'));
    const crl = decodeCrl(readFileSync(at('list.crl')));
    expect([...crl.revoked.keys()]).toEqual(['0a0b']);
    expect(crl.cRLNumber).toBe(7n);
  });
});

describe('smdpf sim euicc', () => {
  it('loads what smdpf bind wrote, and gives the profile back octet for octet, as processes', async () => {
    const bound = await bind(0, 'a.bpp');
    const load = ['sim', 'euicc', 'load', '--card', card(0), '--bpp', bound.file, '--pir', at('a.pir')];
    const result = await spawnCli([
      ...load,
      '--dppb-cert',
      at('pki', 'CERT_DPpb.der'),
      '--key-id',
      bound.keyId,
      '--json',
    ]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.json()).toMatchObject({ installed: 1, failed: 0, results: [{ result: 'success' }] });

    await sim('euicc', 'extract', '--card', card(0), '--iccid', iccid, '--out', at('a.upp'));
    expect(readFileSync(at('a.upp')).equals(Buffer.from(upp))).toBe(true);
    await sim('euicc', 'show', '--card', card(0), '--cert-out', at('a.cert'));
    const pir = await spawnCli(['verify-pir', '--pir', at('a.pir'), '--euicc-cert', at('a.cert'), '--json']);
    expect(pir.json()).toMatchObject({
      signature: 'holds',
      result: 'success',
      transactionId: bound.transactionId,
    });
  });

  it('gates LPA Services by the unused keys, and writes notifications', async () => {
    expect(await refused('euicc', 'enable', '--card', card(0), '--iccid', iccid)).toMatchObject({
      code: 'counterpart',
    });
    await sim('euicc', 'delete-keys', '--card', card(0));
    await sim('euicc', 'enable', '--card', card(0), '--iccid', iccid);
    expect((await show(0)).profiles).toMatchObject([{ iccid, enabled: true }]);
    await sim('euicc', 'disable', '--card', card(0), '--iccid', iccid);
    const out = ['--out', at('notes')];
    await sim('euicc', 'delete', '--card', card(0), '--iccid', iccid);
    const listed = await sim('euicc', 'notifications', '--card', card(0), ...out);
    expect(listed.json<{ pending: unknown[] }>().pending).toHaveLength(2);
    const kinds: string[] = [];
    for (const name of readdirSync(at('notes')).sort()) {
      const inspected = await runCli('inspect', at('notes', name), '--json');
      kinds.push(inspected.json<{ artefacts: { kind: string }[] }>().artefacts[0]!.kind);
    }
    expect(kinds).toEqual(['profileInstallationResult', 'otherSignedNotification']);
  });

  it('names the error of a package that is not for it, and exits with 1', async () => {
    const bound = await bind(1, 'b.bpp');
    const wrongKey = (await show(1)).oneTimeKeys[1]!.keyId;
    const load = ['sim', 'euicc', 'load', '--card', card(1), '--bpp', bound.file, '--json'];
    const result = await runCli(...load, '--dppb-cert', at('pki', 'CERT_DPpb.der'), '--key-id', wrongKey);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({
      failed: 1,
      results: [
        { bppCommandId: 'initialiseSecureChannel', errorReason: 'invalidSignature', temporary: false },
      ],
    });
  });

  it.each([
    { fault: 'remoteOpId', from: '820101', to: '820102', reason: 'unsupportedRemoteOperationType' },
    { fault: 'key type of the CRT', from: '800188', to: '800180', reason: 'unsupportedCrtValues' },
    { fault: 'length of an 86', from: '868203f8', to: '868203fc', reason: 'scp03tStructureError' },
  ])('leaves it to the eUICC to judge a package: $fault', async ({ fault, from, to, reason }) => {
    const bound = await bind(6, `${fault}.bpp`);
    const bpp = toHex(readFileSync(bound.file));
    expect(bpp).toContain(from);
    const wrong = folder.write('wrong.bpp', fromHex(bpp.replace(from, to)));
    const load = ['sim', 'euicc', 'load', '--card', card(6), '--bpp', wrong, '--json'];
    const result = await runCli(...load, '--dppb-cert', at('pki', 'CERT_DPpb.der'), '--key-id', bound.keyId);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({ failed: 1, results: [{ errorReason: reason }] });
  });

  it('loses power in the middle, and takes the same package again or gives it up with error 11', async () => {
    const bound = await bind(7, 'cut.bpp');
    const cut = ['--bpp', bound.file, '--dppb-cert', at('pki', 'CERT_DPpb.der'), '--key-id', bound.keyId];
    const load = ['sim', 'euicc', 'load', '--card', card(7), ...cut, '--json'];
    expect((await runCli(...load, '--power-cut-after', '8')).json()).toMatchObject({
      results: [{ result: 'noAnswer' }],
    });
    const saved = readFileSync(card(7));
    expect((await runCli(...load)).json()).toMatchObject({ installed: 1 });
    writeFileSync(card(7), saved);
    expect((await runCli(...load, '--give-up-interrupted')).json()).toMatchObject({
      results: [{ errorReason: 'installFailedDueToInterruption', temporary: true }],
    });
  });

  it('loads with a load package of its own, and answers 6985 once the FPA is locked (GENS13)', async () => {
    const bound = await bind(2, 'c.bpp');
    const loadPackage = folder.write(
      'c.load',
      encodeLoadPackage({
        transactionId: bound.transactionId,
        keyId: bound.keyId,
        chain: {
          ciPkId: subjectKeyIdentifier(parseCertificate(readFileSync(at('pki', 'CERT_CI.der')))),
          certificates: [readFileSync(at('pki', 'CERT_DPpb.der'))],
        },
      }),
    );
    const load = ['euicc', 'load', '--card', card(2), '--bpp', bound.file, '--load-package', loadPackage];
    await sim('euicc', 'lock', '--card', card(2));
    const locked = await runCli('sim', ...load, '--json');
    expect(locked.code).toBe(1);
    expect(locked.json()).toMatchObject({ results: [{ result: 'statusWord', statusWord: '6985' }] });
    expect((await show(2)).fpaLocked).toBe(true);
  });
});

describe('smdpf sim factory', () => {
  it('goes on where a line lost power, and reports each package with its end', async () => {
    const bound = [await bind(3, 'd.bpp'), await bind(4, 'e.bpp'), await bind(5, 'f.bpp')];
    const absent = { ...bound[2]!, eid: '89049032123451234512345678901235', transactionId: '0c' };
    const batch = folder.write('batch.der', batchOf([...bound.slice(0, 2), absent]));
    const line = ['sim', 'factory', 'load', '--batch', batch, '--cards', at('production', 'cards')];
    const journal = [
      '--journal',
      at('line.jsonl'),
      '--report',
      at('report.der'),
      '--report-id',
      '0d',
      '--json',
    ];

    const cut = await runCli(...line, ...journal, '--unplug-after', '20');
    expect(cut.code).toBe(1);
    expect(cut.json<ErrorDocument>().error).toMatchObject({ code: 'counterpart' });
    expect(cut.json<ErrorDocument>().error.hint).toContain('journal');

    const finished = await runCli(...line, ...journal);
    expect(finished.code).toBe(1);
    expect(finished.json()).toMatchObject({
      packages: 3,
      installed: 2,
      counts: { success: 2, unreachable: 1 },
    });
    const { reportId, items } = decodeProfileLoadingReport(readFileSync(at('report.der')));
    expect(reportId).toBe('0d');
    expect(items.map((item) => decodeReportItem(item).kind)).toEqual([
      'euiccResult',
      'euiccResult',
      'fpaError',
    ]);

    const again = await runCli(...line, ...journal);
    expect(again.json()).toMatchObject({ doneBefore: 2, counts: { success: 2, unreachable: 1 } });
  });

  it('loads a batch into one card alone', async () => {
    const bound = await bind(5, 'g.bpp');
    const batch = folder.write('one.der', batchOf([bound]));
    const loaded = await sim('euicc', 'load', '--card', card(5), '--bpp-batch', batch);
    expect(loaded.json()).toMatchObject({ eid: bound.eid, installed: 1 });
    const none = await refused('euicc', 'load', '--card', card(4), '--bpp-batch', batch);
    expect(none).toMatchObject({ code: 'usage' });
  });
});

describe('smdpf sim refuses', () => {
  it.each([
    ['a folder that is no CI', ['eum', 'create', '--ci', 'nowhere', '--out', 'x']],
    ['a file that is no card', ['euicc', 'show', '--card', metadata]],
    ['an IIN of other length', ['eum', 'create', '--ci', at('pki'), '--out', 'x', '--iin', '123']],
    [
      'a server that is not there',
      ['eum', 'register', '--batch', at('production', 'euicc-data.der'), '--url', 'http://127.0.0.1:1'],
    ],
    [
      'a URL that is none',
      ['eum', 'register', '--batch', at('production', 'euicc-data.der'), '--url', 'server'],
    ],
    [
      'two sources of EIDs',
      ['device-maker', 'request', '--order', 'O', '--url', 'http://127.0.0.1:1', '--out', 'x'],
    ],
  ])('%s, as a mistake of the caller with the way out', async (_, args) => {
    const error = await refused(...args);
    expect(error).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(error.hint.length).toBeGreaterThan(5);
  });

  it('without quoting a card file, which holds keys', async () => {
    const secret = toHex(randomBytes(32));
    const broken = folder.write('broken.json', `{"keyPem": "${secret}`);
    const { stdout, stderr } = await runCli('sim', 'euicc', 'show', '--card', broken);
    expect(stdout + stderr).not.toContain(secret);
  });
});
