import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeCertificate } from '../../../shared/pki/certificate.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { tieRecord } from '../../../shared/service/records/order.ts';
import { planRemoval } from '../../../shared/service/supply/supply.ts';
import { type PersonalisedEuicc, SimCi, SimEum } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { boundOf, outcomesOf, prepare, registered as production, Request } from '../scenario.ts';

const DAY = 86_400_000;
const MAKERS = { deviceManufacturers: [DEVICE_MAKER.identifier] };
let deployment: Deployment;
/** Milliseconds by which the server's clock was moved. */
let ahead: number;

beforeEach(async () => {
  ahead = 0;
  deployment = await Deployment.create({ memory: true, now: () => Date.now() + ahead });
  await prepare(deployment, 'ORD-1', 8);
});
afterEach(() => deployment.close());

const trust = () => deployment.runtime.trust;
const administration = () => deployment.runtime.trustAdministration;
const inDays = (days: number) => new Date(Date.now() + days * DAY);
const serial = (der: Uint8Array) => decodeCertificate(der).serialNumber;

/** An EUM that may sign revocation lists, with an eUICC of it that is registered. */
async function registered(validity: { eum?: Date; euicc?: Date } = {}) {
  const notAfter = validity.eum === undefined ? {} : { notAfter: validity.eum };
  const ca = deployment.ci.issueEum({
    organization: 'Second EUM',
    iin: '89033023',
    cRLSign: true,
    ...notAfter,
  });
  const eumKeyId = await administration().allowEum(ca.certificate, { party: EUM.identifier }, 'test');
  const eum = new SimEum({ ca, ci: deployment.ci.certificate });
  const made = eum.personalise({ keys: 2 });
  const euicc: PersonalisedEuicc =
    validity.euicc === undefined
      ? made
      : { ...made, euiccCert: ca.issueEuicc(made.eid, made.key, { notAfter: validity.euicc }) };
  const batch = eum.euiccDataBatch([euicc], MAKERS);
  const { rejected } = await deployment.runtime.services.ingest.registerEuiccData(EUM, batch);
  expect(rejected).toEqual([]);
  return { ca, eumKeyId, euicc };
}

/** Bound, and not fetched since. */
async function bound({ eid }: PersonalisedEuicc): Promise<Request> {
  const request = new Request('ORD-1', [{ eid }]);
  expect(outcomesOf(await request.send(deployment.runtime))).toEqual(['bound']);
  return request;
}

const fetched = async (request: Request) => outcomesOf(await request.fetch(deployment.runtime));

/** A change of trust that is no concern of anything bound here. */
async function moveEpoch(): Promise<void> {
  const { epoch } = await trust().current();
  const { certificate } = SimCi.create({ cn: 'Another CI' });
  await administration().addCi(certificate, { forSigning: true, forVerification: true }, 'test');
  expect((await trust().current()).epoch).not.toBe(epoch);
}

describe('time alone withholds nothing that was bound while valid', () => {
  const EXPIRING: Readonly<Record<string, () => Promise<PersonalisedEuicc>>> = {
    'the certificate of the eUICC': async () => (await registered({ euicc: inDays(1) })).euicc,
    'the certificate of its EUM': async () => (await registered({ eum: inDays(1) })).euicc,
    'the revocation list of the CI': async () => {
      const list = deployment.ci.issueCrl({ number: 2, nextUpdate: inDays(1) });
      await administration().addCrl(list, [], 'test');
      return (await registered()).euicc;
    },
  };

  it.each(
    Object.keys(EXPIRING).flatMap((what) => [
      { what, epoch: 'has not moved' },
      { what, epoch: 'has moved' },
    ]),
  )('$what expires after the commit and the trust epoch $epoch: delivered', async ({ what, epoch }) => {
    const euicc = await EXPIRING[what]!();
    const request = await bound(euicc);
    ahead = 2 * DAY;
    if (epoch === 'has moved') await moveEpoch();
    expect(await fetched(request)).toEqual(['bound']);
    // and it is expired: nothing more is bound
    const more = new Request('ORD-1', [{ eid: euicc.eid, additional: true }]);
    expect(outcomesOf(await more.send(deployment.runtime))).not.toContain('bound');
  });
});

describe('trust that is taken away withholds what is bound, also where it has expired as well', {
  tags: ['I6', 'INO2'],
}, () => {
  type Registered = Awaited<ReturnType<typeof registered>>;
  const TAKEN_AWAY: Readonly<
    Record<string, readonly [take: (one: Registered) => Promise<unknown>, code: string]>
  > = {
    'the EUM’s list names the eUICC': [
      ({ ca, euicc }) =>
        administration().addCrl(
          ca.issueCrl({ revoked: [serial(euicc.euiccCert)] }),
          [[ca.certificate]],
          'test',
        ),
      'euiccCertificateExpired',
    ],
    'the CI’s list names the EUM': [
      ({ ca }) =>
        administration().addCrl(
          deployment.ci.issueCrl({ number: 2, revoked: [serial(ca.certificate)] }),
          [],
          'test',
        ),
      'eumCertificateExpired',
    ],
    'the EUM is off the allow-list': [
      ({ eumKeyId }) => administration().revokeEum(eumKeyId, 'test'),
      'eumNotAllowed',
    ],
    'the CI is removed': [
      () => administration().removeCi(Buffer.from(deployment.ci.keyId).toString('hex'), 'test'),
      'ciUnknown',
    ],
    'the eUICC is stopped here': [
      ({ euicc }) => administration().revokeEuicc(euicc.eid, 'test'),
      'euiccCertificateExpired',
    ],
  };

  it.each(Object.keys(TAKEN_AWAY))('%s', async (what) => {
    const [takeAway, code] = TAKEN_AWAY[what]!;
    const one = await registered({ euicc: inDays(1) });
    const request = await bound(one.euicc);
    await takeAway(one);
    expect(await fetched(request)).toEqual([code]);
    ahead = 2 * DAY;
    expect(await fetched(request)).toEqual([code]);
  });
});

describe('the dry run and the bind pass the same gate', { tags: ['DPFF09', 'I6'] }, () => {
  const dryRun = async (eid: string) => {
    const input = { orderId: 'ORD-1', eids: [eid] };
    const [verdict] = await deployment.runtime.services.eligibility.checkEligibility(OPERATOR, input);
    return verdict!.refusal?.code ?? 'bound';
  };
  const bind = async (eid: string) =>
    outcomesOf(await new Request('ORD-1', [{ eid }]).send(deployment.runtime))[0];

  it('what they refuse, they refuse alike', async () => {
    const { euicc } = await registered();
    const unknown = deployment.eum.personalise();
    const [revoked] = await production(deployment, 1);
    await administration().revokeEuicc(revoked!.eid, 'test');
    for (const { eid } of [unknown, revoked!, euicc]) expect(await dryRun(eid)).toBe(await bind(eid));
    expect([await dryRun(euicc.eid), await bind(euicc.eid)]).toEqual(['noNewBinding', 'noNewBinding']);
    await deployment.runtime.services.orders.closeOrder(OPERATOR, { orderId: 'ORD-1' });
    expect(await dryRun(euicc.eid)).toBe('orderExpired');
  });

  it('an eUICC for which a replacement is kept is to have it, beside the profile that it has', async () => {
    const { euicc } = await registered();
    await bound(euicc);
    const { context } = deployment.runtime;
    await context.ledger.transact([
      ...(await planRemoval(context, 'ORD-1', 5))!,
      {
        put: ledgerKeys.tie('ORD-1', euicc.eid, 5),
        attributes: tieRecord.to({ position: 5, drawn: false }),
        when: 'absent',
      },
    ]);
    expect(await dryRun(euicc.eid)).toBe('bound');
    const answer = await new Request('ORD-1', [{ eid: euicc.eid }]).send(deployment.runtime);
    expect(boundOf(answer)).toHaveLength(1);
    expect(await dryRun(euicc.eid)).toBe('noNewBinding');
  });
});
