import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import { Destinations } from '../../../shared/net/destinations.ts';
import { httpFetch } from '../../../shared/net/http-fetch.ts';
import { decodeCertificate } from '../../../shared/pki/certificate.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { boundToEuicc, boundUnderEum } from '../../../shared/service/trust/bound-profiles.ts';
import { CrlFetcher } from '../../../shared/service/trust/crl-fetcher.ts';
import { decodeBppBatch, type PersonalisedEuicc, SimEum } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { refusalOf } from '../../support/refusal.ts';
import { bppBatchFor } from './bpp-batch-for.ts';

const MAKERS = { deviceManufacturers: [DEVICE_MAKER.identifier] };
let deployment: Deployment;
let alarms: { event: string; about: Readonly<Record<string, unknown>> }[];
let requests: number;

beforeEach(async () => {
  alarms = [];
  requests = 0;
  deployment = await Deployment.create({
    memory: true,
    log: ({ event, ...about }) => {
      if (event.startsWith('alarm.')) alarms.push({ event, about });
    },
  });
  await deployment.runtime.services.orders.prepareProfiles(
    OPERATOR,
    deployment.order('ORD-1', 8, ownTemplate()),
  );
});
afterEach(() => deployment.close());

const trust = () => deployment.runtime.trust;
const administration = () => deployment.runtime.trustAdministration;
const serial = (der: Uint8Array) => decodeCertificate(der).serialNumber;

/** Another EUM below the same CI, allowed for the same party. */
async function secondEum(options: { cRLSign?: boolean } = {}): Promise<SimEum> {
  const ca = deployment.ci.issueEum({ organization: 'Second EUM', iin: '89033023', ...options });
  await administration().allowEum(ca.certificate, { party: EUM.identifier }, 'test');
  return new SimEum({ ca, ci: deployment.ci.certificate });
}

async function register(eum: SimEum, keys = 1): Promise<PersonalisedEuicc> {
  const euicc = eum.personalise({ keys });
  const batch = eum.euiccDataBatch([euicc], MAKERS);
  expect(await deployment.runtime.services.ingest.registerEuiccData(EUM, batch)).toMatchObject({
    accepted: 1,
  });
  return euicc;
}

/** "bound", or the codes of the refusal, for each eUICC. */
async function request(...euiccs: readonly PersonalisedEuicc[]): Promise<string[]> {
  const { items } = await bppBatchFor(deployment, `0${++requests}`, euiccs);
  return items.map((item) =>
    item.failed === undefined ? 'bound' : `${item.failed.subjectCode}/${item.failed.reasonCode}`,
  );
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('an EUM revoked between ingest and bind', () => {
  it('by its CI’s list: the bind refuses with 8.1.2/6.3, other EUMs go on, the alarm is raised', async () => {
    const other = await secondEum();
    const [euicc, unaffected] = [await register(deployment.eum, 2), await register(other)];
    expect(await request(euicc)).toEqual(['bound']);
    const list = deployment.ci.issueCrl({ number: 2, revoked: [serial(deployment.eum.ca.certificate)] });
    expect(await administration().addCrl(list, [], 'test')).toMatchObject({
      isNew: true,
      revokedEums: [toHex(deployment.eum.ca.keyId)],
    });
    expect(await request(euicc, unaffected)).toEqual(['8.1.2/6.3', 'bound']);
    expect(alarms.map(({ event }) => event)).toEqual(['alarm.eum.revoked', 'alarm.eum.refused']);
    expect(alarms[1]!.about).toMatchObject({ code: 'eumCertificateExpired' });
  });

  it('by the administrator: the bind refuses with 8.1.2/3.8', async () => {
    const other = await secondEum();
    const [euicc, unaffected] = [await register(deployment.eum), await register(other)];
    await administration().revokeEum(toHex(deployment.eum.ca.keyId), 'test');
    expect(await request(euicc, unaffected)).toEqual(['8.1.2/3.8', 'bound']);
    expect(alarms.map(({ event }) => event)).toContain('alarm.eum.refused');
    expect(await refusalOf(administration().revokeEum(toHex(deployment.eum.ca.keyId), 'test'))).toMatchObject(
      {
        code: 'eumNotAllowed',
      },
    );
  });

  it('its bound profiles are listed, and those of others are not', async () => {
    const other = await secondEum();
    const [euicc, unaffected] = [await register(deployment.eum), await register(other)];
    await request(euicc, unaffected);
    const { context } = deployment.runtime;
    const found = await all(boundUnderEum(context, toHex(deployment.eum.ca.keyId)));
    expect(found).toEqual([
      expect.objectContaining({
        orderId: 'ORD-1',
        eid: euicc.eid,
        party: DEVICE_MAKER.identifier,
        requestId: '01',
      }),
    ]);
    expect(await all(boundToEuicc(context, euicc.eid))).toEqual(found);
    expect(await all(boundUnderEum(context, '00'.repeat(20)))).toEqual([]);
  });
});

describe('a revoked eUICC', { tags: ['INO2', 'I6'] }, () => {
  it('by the list of its EUM: 8.1.3/6.3, and others of the EUM go on', async () => {
    const eum = await secondEum({ cRLSign: true });
    const [euicc, unaffected] = [await register(eum), await register(eum)];
    const list = eum.ca.issueCrl({ revoked: [serial(euicc.euiccCert)] });
    expect(await administration().addCrl(list, [], 'test')).toMatchObject({ isNew: true, revoked: 1 });
    expect(await request(euicc, unaffected)).toEqual(['8.1.3/6.3', 'bound']);
  });

  it('by the administrator: at once, and for keys that come later too', async () => {
    const [euicc, unaffected] = [await register(deployment.eum), await register(deployment.eum)];
    await administration().revokeEuicc(euicc.eid, 'test');
    await administration().revokeEuicc(euicc.eid, 'test');
    expect(await request(euicc, unaffected)).toEqual(['8.1.3/6.3', 'bound']);
    const more = { ...euicc, oneTimeKeys: deployment.eum.personalise().oneTimeKeys };
    const answer = await deployment.runtime.services.ingest.registerEuiccData(
      EUM,
      deployment.eum.euiccDataBatch([more], MAKERS),
    );
    expect(answer).toMatchObject({ accepted: 0, rejectedCount: 1 });
  });

  it('revoked after its commit is withheld at delivery', async () => {
    const euicc = await register(deployment.eum);
    expect(await request(euicc)).toEqual(['bound']);
    await administration().revokeEuicc(euicc.eid, 'test');
    const { bppBatch } = await deployment.runtime.services.delivery.getBppBatch(DEVICE_MAKER, {
      requestId: '01',
    });
    expect(decodeBppBatch(bppBatch!).items).toMatchObject([
      { failed: { subjectCode: '8.1.3', reasonCode: '6.3' } },
    ]);
  });
});

describe('revocation lists', { tags: ['INO2', 'INO5', 'CERT-REVOCATION'] }, () => {
  it('of an EUM that nobody knows, or that may not sign lists, are refused', async () => {
    const stranger = deployment.ci.issueEum({ cRLSign: true, organization: 'Stranger' });
    const list = stranger.issueCrl();
    expect(await refusalOf(administration().addCrl(list, [], 'test'))).toMatchObject({ code: 'crlInvalid' });
    expect(await administration().addCrl(list, [[stranger.certificate]], 'test')).toMatchObject({
      isNew: true,
    });
    const refused = await refusalOf(administration().addCrl(deployment.eum.ca.issueCrl(), [], 'test'));
    expect(refused).toMatchObject({ code: 'crlInvalid' });
  });

  it('go forward only, and the same one again changes nothing', async () => {
    const second = deployment.ci.issueCrl({ number: 2 });
    expect(await administration().addCrl(second, [], 'test')).toMatchObject({ isNew: true });
    const { epoch } = await trust().current();
    expect(await administration().addCrl(second, [], 'test')).toMatchObject({ isNew: false });
    const older = deployment.ci.issueCrl({ number: 1, revoked: ['01'] });
    expect(await refusalOf(administration().addCrl(older, [], 'test'))).toMatchObject({ code: 'crlInvalid' });
    const { crls, epoch: after } = await trust().list();
    expect(crls).toMatchObject([{ number: 2n, revoked: 0, expired: false }]);
    expect(after).toBe(epoch);
  });

  it('that are expired refuse the bind by default, raise the alarm, and are accepted only by policy', async () => {
    const euicc = await register(deployment.eum, 2);
    const past = {
      thisUpdate: new Date(Date.now() - 7_200_000),
      nextUpdate: new Date(Date.now() - 3_600_000),
    };
    await administration().addCrl(deployment.ci.issueCrl({ number: 2, ...past }), [], 'test');
    expect(await request(euicc)).toEqual(['8.11.1/6.3']);
    expect(alarms.map(({ event }) => event)).toContain('alarm.crl.expired');
    await administration().setPolicy({ missing: 'refuse', expired: 'accept' }, 'test');
    expect(await request(euicc)).toEqual(['bound']);
  });
});

describe('fetching revocation lists from the distribution points', () => {
  it('takes a newer list, and tells a point that fails', async () => {
    const list = deployment.ci.issueCrl({ number: 2 });
    const fetcher = new CrlFetcher(deployment.runtime, async () => list);
    expect(await fetcher.round()).toEqual([{ point: deployment.ci.crlUrl, outcome: 'taken' }]);
    expect(await fetcher.round()).toEqual([{ point: deployment.ci.crlUrl, outcome: 'held' }]);
    const older = new CrlFetcher(
      deployment.runtime,
      async () => deployment.ci.issueCrl({ number: 1, revoked: ['01'] }),
      ({ event, ...about }) => alarms.push({ event, about }),
    );
    expect(await older.round()).toMatchObject([{ outcome: 'failed' }]);
    expect(alarms).toMatchObject([
      { event: 'alarm.crl.fetchFailed', about: { point: deployment.ci.crlUrl } },
    ]);
  });

  it('is limited in size and time, and follows nobody elsewhere', async () => {
    const server = createServer((incoming, response) => {
      if (incoming.url === '/large') response.end(Buffer.alloc(2_000));
      else if (incoming.url === '/elsewhere') response.writeHead(302, { location: '/large' }).end();
      else if (incoming.url === '/missing') response.writeHead(404).end();
      else if (incoming.url === '/right') response.end('right');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const fetch = httpFetch({ timeoutMs: 300, maxOctets: 1_000 }, new Destinations(['127.0.0.1']));
    try {
      expect(Buffer.from(await fetch(`http://127.0.0.1:${port}/right`)).toString()).toBe('right');
      for (const path of ['large', 'elsewhere', 'missing', 'silent'])
        await expect(fetch(`http://127.0.0.1:${port}/${path}`), path).rejects.toThrow(/server|octets/);
      await expect(fetch('file:///etc/hostname')).rejects.toThrow(/only http and https/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
