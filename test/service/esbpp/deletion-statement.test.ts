import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactVerify, importJWK, type JWK } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signOtherNotification } from '../../../sim/euicc/results.ts';
import type { PersonalisedEuicc } from '../../../sim/index.ts';
import { runCli } from '../../cli/support/cli.ts';
import { caller, DEVICE_MAKER, Deployment } from '../../support/deployment.ts';
import { boundOf, prepare, Request, registered } from '../scenario.ts';

const OTHER = caller('2.999.51', 'deviceMaker');

let deployment: Deployment;
let folder: string;
let euiccs: PersonalisedEuicc[];
/** By EID: what the eUICC signed, and of which profile. */
const signed = new Map<string, { iccid: string; der: Uint8Array }>();

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { notifier: 'none:' } });
  folder = await mkdtemp(join(tmpdir(), 'smdpf-statement-'));
  await prepare(deployment, 'STOCK', 4);
  euiccs = await registered(deployment, 4);
  const answer = await new Request(
    'STOCK',
    euiccs.slice(0, 3).map(({ eid }) => ({ eid })),
  ).send(deployment.runtime);
  // two of three are deleted
  for (const { eid, bound } of boundOf(answer).slice(0, 2)) {
    const { key, euiccCert, eumCert } = euiccs.find((one) => one.eid === eid)!;
    const metadata = {
      seqNumber: 2,
      event: 'delete',
      address: 'smdpf.example.com',
      iccid: bound.iccid,
    } as const;
    const der = signOtherNotification(metadata, key, euiccCert, eumCert);
    await deployment.runtime.services.reports.handleNotification(der);
    signed.set(eid, { iccid: bound.iccid, der });
  }
});
afterAll(async () => {
  await deployment.close();
  await rm(folder, { recursive: true });
});

const ask = (by = DEVICE_MAKER, eids: readonly string[] = euiccs.map(({ eid }) => eid)) =>
  deployment.runtime.services.statements.getDeletionStatement(by, { eids });
const keys = async () =>
  (await deployment.runtime.services.orders.getServerKeys(DEVICE_MAKER)).deliveryKeys as JWK[];

it('a deletion statement names what eUICCs have signed to be deleted, and another JOSE library verifies it', {
  tags: ['A4-RETURN-TO-STOCK'],
}, async () => {
  const { statement, deletions, refused } = await ask();
  expect(deletions).toBe(2);
  const { payload, protectedHeader } = await compactVerify(
    statement!,
    await importJWK((await keys())[0]!, 'ES256'),
  );
  expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'smdpf-deletion-statement+jws' });
  const stated = payloadOf(Buffer.from(payload));
  expect(stated).toMatchObject({ iss: 'smdpf.example.com', deviceManufacturer: DEVICE_MAKER.identifier });
  expect(stated.deletions).toEqual(
    [...signed].map(([eid, { iccid, der }]) => ({
      eid,
      iccid,
      transactionId: expect.stringMatching(/^[0-9a-f]{32}$/),
      verifiedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      notificationSha256: createHash('sha256').update(der).digest('hex'),
    })),
  );
  // one that holds its profile, and one that never had any
  expect(refused.map(({ eid, code }) => ({ eid, code }))).toEqual([
    { eid: euiccs[2]!.eid, code: 'profileStateForbids' },
    { eid: euiccs[3]!.eid, code: 'profileStateForbids' },
  ]);
});

it('another device manufacturer learns nothing of them, and an EID counts once', async () => {
  const eids = [...signed.keys()];
  const other = await ask(OTHER, eids);
  expect(other).toMatchObject({
    deletions: 0,
    refused: [{ code: 'eidBoundElsewhere' }, { code: 'eidBoundElsewhere' }],
  });
  expect(other).not.toHaveProperty('statement');
  expect((await ask(DEVICE_MAKER, ['89049032000000000000000000000000'])).refused).toMatchObject([
    { code: 'eidUnknown' },
  ]);
  expect(await ask(DEVICE_MAKER, [...eids, ...eids])).toMatchObject({ deletions: 2, refused: [] });
});

interface Stated {
  readonly deletions: { eid: string }[];
}

const payloadOf = (octets: Buffer) => JSON.parse(octets.toString()) as Stated;

const write = async (name: string, content: string | Uint8Array) => {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
};

it('smdpf statement verify holds a statement, and notifications against it, with no server', async () => {
  const { statement } = await ask();
  const [[eid, { iccid, der }]] = [...signed] as [[string, { iccid: string; der: Uint8Array }]];
  const jws = await write('statement.jws', statement!);
  const answer = await write('answer.json', JSON.stringify({ statement, deletions: 2, refused: [] }));
  const trusted = await write('keys.json', JSON.stringify({ deliveryKeys: await keys() }));
  const notification = await write('notification.der', der);
  for (const file of [jws, answer]) {
    const { code, json } = await runCli(
      'statement',
      'verify',
      file,
      '--keys',
      trusted,
      '--notification',
      notification,
      '--json',
    );
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      signature: 'holds',
      kind: 'deletion statement',
      deletions: [{ eid, iccid }, {}],
      notifications: [{ eid, iccid }],
    });
  }
  const spki = createPublicKey({ key: (await keys())[0] as never, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
  const shown = await runCli('statement', 'verify', jws, '--keys', await write('key.pem', spki));
  expect(shown.stdout).toContain('holds, by the key');
  expect(shown.stdout).toContain(iccid);
});

it('where the server has a long-term key, a statement has a second signature, and without it does not hold', async () => {
  const uri = deployment.config.keys.delivery.replace('delivery.key', 'long-term.key');
  await deployment.runtime.keys.generate(uri, 'ml-dsa-65', 'longTerm');
  await deployment.runtime.context.keyAssignments.assign('longTerm', uri, 'test');
  const answer = await ask();
  const { deliveryKeys, longTermKeys } = await deployment.runtime.services.orders.getServerKeys(DEVICE_MAKER);
  const trusted = await write('both.json', JSON.stringify({ deliveryKeys, longTermKeys }));
  const alone = await write('alone.jws', answer.statement!);
  const second = await write('second.jws', answer.longTermSignature!);
  const whole = await write('whole.json', JSON.stringify(answer));
  const held = (...args: string[]) => runCli('statement', 'verify', ...args, '--keys', trusted, '--json');
  expect((await held(whole)).json()).toMatchObject({ signature: 'holds', secondSignature: 'holds' });
  expect((await held(alone, '--second', second)).code).toBe(0);
  const without = await held(alone);
  expect(without.code).toBe(1);
  expect(without.json()).toMatchObject({ signature: 'holds', secondSignature: 'doesNotHold' });
});

it('smdpf statement verify finds out what was changed, and what is of another', async () => {
  const { statement } = await ask();
  const trusted = await write('keys-2.json', JSON.stringify({ keys: await keys() }));
  const [head, payload, signature] = statement!.split('.');
  const changed = payloadOf(Buffer.from(payload!, 'base64url'));
  changed.deletions[0]!.eid = euiccs[2]!.eid;
  const encoded = Buffer.from(JSON.stringify(changed)).toString('base64url');
  const otherKind = Buffer.from(
    JSON.stringify({ alg: 'none', typ: 'smdpf-deletion-statement+jws' }),
  ).toString('base64url');
  const forged = [
    `${head}.${encoded}.${signature}`,
    `${otherKind}.${payload}.`,
    `${head}.${payload}.${signature!.slice(0, -4)}AAAA`,
  ];
  for (const [n, jws] of forged.entries()) {
    const { code, json } = await runCli(
      'statement',
      'verify',
      await write(`forged-${n}`, jws),
      '--keys',
      trusted,
      '--json',
    );
    expect(code, jws).toBe(1);
    expect(json()).toMatchObject({ signature: 'doesNotHold' });
  }
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const file = await write('right.jws', statement!);
  const strange = await write('stranger.json', JSON.stringify(stranger));
  expect((await runCli('statement', 'verify', file, '--keys', strange)).code).toBe(1);
  const unrelated = signOtherNotification(
    { seqNumber: 9, event: 'delete', address: 'x', iccid: '8988211000000530082' },
    euiccs[0]!.key,
    euiccs[0]!.euiccCert,
    euiccs[0]!.eumCert,
  );
  const held = await runCli(
    'statement',
    'verify',
    file,
    '--keys',
    trusted,
    '--notification',
    await write('unrelated.der', unrelated),
    '--json',
  );
  expect(held.code).toBe(1);
  expect(held.json()).toMatchObject({ notifications: [{ problem: 'it is not in the statement' }] });
  expect((await runCli('statement', 'verify', await write('text', 'no JWS'), '--keys', trusted)).code).toBe(
    2,
  );
});
