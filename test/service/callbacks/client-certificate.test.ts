import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClientCertificate } from '../../../shared/service/callbacks/client-certificate.ts';
import { CallbackSigner } from '../../../shared/service/callbacks/signing-key.ts';
import type { CallbackClient } from '../../../shared/service/records/callback-keys.ts';
import { callbackClient } from '../../../shared/service/records/callback-keys.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { encodePrivateKeyPem, generateKey, publicKeyOfCsr, SimCi } from '../../../sim/index.ts';
import { waitingAuditLines } from '../../support/audit.ts';
import { Deployment } from '../../support/deployment.ts';
import { sharedSoftkey } from '../../support/softkeys.ts';

const DAY_MS = 86_400_000;

let deployment: Deployment;
let ahead = 0;
const lines: object[] = [];
const ca = SimCi.create();

beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    config: { notifier: 'none:' },
    now: () => Date.now() + ahead,
    log: (line) => lines.push(line),
  });
});
afterAll(() => deployment.close());

const client = () => deployment.runtime.services.callbacks.client;
/** What a process that posts callbacks shows. */
const shown = () => new ClientCertificate(deployment.runtime.context).current();
const leafOf = ({ certificates }: CallbackClient) => new X509Certificate(certificates[0]!);

it('where nobody gave a client certificate, all processes show the same self-signed one', async () => {
  const all = await Promise.all([shown(), shown(), shown()]);
  expect(new Set(all.map(({ cert }) => cert)).size).toBe(1);
  const leaf = new X509Certificate(all[0]!.cert);
  expect(leaf.checkPrivateKey(createPrivateKey(all[0]!.key))).toBe(true);
  expect(leaf.verify(leaf.publicKey)).toBe(true);
  expect(leaf.ca).toBe(false);
});

it('the client key is in the ledger under the wrapping key alone', async () => {
  const { key } = await shown();
  const secret = createPrivateKey(key).export({ format: 'jwk' }).d!;
  const { items } = await deployment.runtime.context.ledger.query('callback-keys');
  const stored = items.flatMap(({ attributes }) =>
    Object.values(attributes).filter((one) => one instanceof Uint8Array),
  );
  expect(stored.length).toBeGreaterThan(2);
  for (const octets of stored) {
    expect(Buffer.from(octets).includes(Buffer.from(secret, 'base64url'))).toBe(false);
  }
});

it('a request waits, the same each time, until the certificate of its key is installed', async () => {
  const before = await shown();
  const request = await client().request();
  expect(Buffer.from(await client().request())).toEqual(Buffer.from(request));
  expect(await client().waiting()).toBeDefined();
  expect(await shown(), 'the old one is in use meanwhile').toEqual(before);
  const stranger = generateKey('p256');
  await expect(client().install([ca.issueTls(stranger, { cn: 'x' })], 'test')).rejects.toThrow(
    'the certificate is not of the key that waits',
  );
  await expect(client().install([Buffer.from('no certificate')], 'test')).rejects.toThrow(
    'no X.509 certificate',
  );
  const certificate = ca.issueTls(publicKeyOfCsr(Buffer.from(request)), { cn: 'smdpf' });
  const installed = await client().install([certificate, ca.certificate], 'test');
  expect(leafOf(installed).verify(new X509Certificate(ca.certificate).publicKey)).toBe(true);
  expect(await client().waiting()).toBeUndefined();
  const { cert, key } = await shown();
  expect(cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))).toBe(true);
  // a CA may issue another one for the same key
  await client().install([ca.issueTls(publicKeyOfCsr(Buffer.from(request)), { cn: 'again' })], 'test');
  expect(new X509Certificate((await shown()).cert).subject).toContain('again');
});

it('a key that was made elsewhere comes with its certificate, and no other key does', async () => {
  const key = generateKey('p256');
  const certificate = ca.issueTls(key, { cn: 'brought' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  await expect(client().bring(other, [certificate], 'test')).rejects.toThrow(
    'is not the key of the certificate',
  );
  await client().bring(createPrivateKey(encodePrivateKeyPem(key)), [certificate], 'test');
  expect(new X509Certificate((await shown()).cert).subject).toContain('brought');
});

it('a rotation shows another key at once, leaves a line in the audit log, and an end is told of 30 days before', async () => {
  const { runtime } = deployment;
  const before = await shown();
  const replaced = await client().replace('test');
  expect((await shown()).key).not.toBe(before.key);
  const items = await waitingAuditLines(runtime.context.ledger);
  expect(
    items.filter(({ attributes }) => attributes.event === 'callback.certificate.installed').length,
  ).toBeGreaterThan(3);
  lines.length = 0;
  await runtime.services.callbacks.tellEnding();
  expect(lines).toEqual([]);
  ahead = Date.parse(leafOf(replaced).validTo) - Date.now() - 28.5 * DAY_MS;
  await runtime.services.callbacks.tellEnding();
  expect(lines).toEqual([expect.objectContaining({ event: 'alarm.callback.certificate', daysLeft: 28 })]);
  ahead = 0;
});

it('a rotation of the wrapping key takes the keys of callbacks along', async () => {
  const { runtime, config } = deployment;
  const { context, wrappingRotation, keys } = runtime;
  await client().request();
  const signing = await new CallbackSigner(context).current();
  const before = await shown();
  const next = config.keys.wrapping.replace('wrapping.key', 'wrapping-2.key');
  await sharedSoftkey(keys, next, 'aes-256', 'wrapping');
  await context.keyAssignments.assign('wrapping', next, 'test');
  const former = (await context.keyAssignments.get('wrapping')).former[0]!.uri;
  expect(await wrappingRotation.rewrap()).toMatchObject({ waiting: 0 });
  expect(await wrappingRotation.remaining(former)).toBe(0);
  await wrappingRotation.retire(former, 'test');
  for (const name of ['signing', 'client', 'client-next'] as const) {
    const item = await context.ledger.get(ledgerKeys.callbackKey(name));
    const { wrappedKey } = item!.attributes;
    expect(Buffer.from(wrappedKey as Uint8Array).includes('wrapping-2.key'), name).toBe(true);
  }
  expect(await shown()).toEqual(before);
  const { privateKey, kid } = await new CallbackSigner(context).current();
  expect(kid).toBe(signing.kid);
  expect(privateKey.equals(signing.privateKey)).toBe(true);
  expect(callbackClient.from((await context.ledger.get(ledgerKeys.callbackKey('client')))!)).toBeDefined();
});
