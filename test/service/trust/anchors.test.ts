import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import { P256, toSpki } from '../../../shared/crypto/curves.ts';
import { scanAll } from '../../../shared/ledger/scan.ts';
import { decodeCertificate } from '../../../shared/pki/certificate.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { euiccRecord } from '../../../shared/service/records/euicc.ts';
import { ledgerKeys, partitions } from '../../../shared/service/records/keys.ts';
import { eumRecord } from '../../../shared/service/records/trust.ts';
import { sha256 } from '../../../shared/service/trust/trust-items.ts';
import { decodeBppBatch, generateKey, type PersonalisedEuicc, SimCi, SimEum } from '../../../sim/index.ts';
import { reproveKeys } from '../../../sim/misuse.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { explicitOf, writeExplicit, writePoint, writeSpki } from '../../support/ec-key-forms.ts';
import { refusalOf } from '../../support/refusal.ts';
import { bppBatchFor } from './bpp-batch-for.ts';

const BOTH = { forSigning: true, forVerification: true };
const MAKERS = { deviceManufacturers: [DEVICE_MAKER.identifier] };
const NAMES = ['Old Test CI', 'Test CI'] as const;

let deployment: Deployment;
let cis: readonly SimCi[];
let eums: readonly SimEum[];
let requests = 0;

const trust = () => deployment.runtime.trust;
const administration = () => deployment.runtime.trustAdministration;

/** Two certificates of one CI key under two names, as the NIST test CI of SGP.26 has, and an EUM under either. */
beforeEach(async () => {
  deployment = await Deployment.create({ memory: true });
  const { key } = SimCi.create();
  cis = NAMES.map((cn) => SimCi.create({ cn, key }));
  eums = cis.map((ci, i) => {
    const ca = ci.issueEum({ organization: `EUM ${i}`, iin: `8903302${i + 4}` });
    return new SimEum({ ca, ci: ci.certificate });
  });
  for (const [i, ci] of cis.entries()) {
    await administration().addCi(ci.certificate, BOTH, 'test');
    await administration().addCrl(ci.issueCrl({ number: 5 - i }), [], 'test');
    await administration().allowEum(eums[i]!.ca.certificate, { party: EUM.identifier }, 'test');
    await installDpPb(ci);
  }
  const order = deployment.order('ORD-1', 8, ownTemplate());
  await deployment.runtime.services.orders.prepareProfiles(OPERATOR, order);
});
afterEach(() => deployment.close());

async function installDpPb(ci: SimCi): Promise<void> {
  const { keyUri } = (await trust().list()).dpPbs[0]!;
  const { publicKey } = await deployment.runtime.keys.openSigningKey(keyUri, 'binding');
  const certificate = ci.issueDpPb({ spki: publicKey }, { oid: '2.999.10' });
  await administration().installDpPb({ keyUri, ciPkId: ci.keyId, certificates: [certificate] }, 'test');
}

async function register(eum: SimEum): Promise<PersonalisedEuicc> {
  const euicc = eum.personalise({ keys: 2 });
  const batch = eum.euiccDataBatch([euicc], MAKERS);
  const answer = await deployment.runtime.services.ingest.registerEuiccData(EUM, batch);
  expect(answer).toMatchObject({ accepted: 1 });
  return euicc;
}

/** For each eUICC the name of the CI whose chain its BPP is under, or the codes of its refusal. */
async function request(...euiccs: readonly PersonalisedEuicc[]): Promise<string[]> {
  const { chains, items } = await bppBatchFor(deployment, `0${++requests}`, euiccs);
  return items.map(({ bound, failed }) => {
    if (bound === undefined) return `${failed!.subjectCode}/${failed!.reasonCode}`;
    const { issuer } = decodeCertificate(chains[bound.chain]!.certificates[0]!);
    return issuer.attributes.find(({ value }) => value.endsWith('Test CI'))!.value;
  });
}

describe('one CI key under two names', () => {
  it('serves the eUICCs of EUMs under both at once, each by the chain under its own name', async () => {
    const euiccs = [await register(eums[0]!), await register(eums[1]!)];
    expect(await request(...euiccs)).toEqual(NAMES);
    expect((await trust().list()).problems).toEqual([]);
  });

  it.each([0, 1])('goes on under the other name where certificate %i is removed', async (index) => {
    const other = 1 - index;
    const euiccs = [await register(eums[0]!), await register(eums[1]!)];
    const { left } = await administration().removeCi(sha256(cis[index]!.certificate), 'test');
    expect(left).toMatchObject([{ subject: expect.stringContaining(`CN=${NAMES[other]}`) }]);
    const answers = await request(...euiccs);
    expect(answers[index]).toBe('8.1.2/6.1');
    expect(answers[other]).toBe(NAMES[other]);
  });

  it('is trusted no more where it is removed by its key', async () => {
    const euiccs = [await register(eums[0]!), await register(eums[1]!)];
    const { removed, left } = await administration().removeCi(toHex(cis[0]!.keyId), 'test');
    expect([removed.length, left.length]).toEqual([2, 0]);
    expect(await request(...euiccs)).toEqual(['8.11.1/3.9', '8.11.1/3.9']);
  });

  it('has a revocation list of its own under each name: one revokes nothing of the other', async () => {
    const euiccs = [await register(eums[0]!), await register(eums[1]!)];
    const { serialNumber } = decodeCertificate(eums[0]!.ca.certificate);
    const list = cis[0]!.issueCrl({ number: 9, revoked: [serialNumber] });
    expect(await administration().addCrl(list, [], 'test')).toMatchObject({
      isNew: true,
      revokedEums: [toHex(eums[0]!.ca.keyId)],
    });
    expect(await request(...euiccs)).toEqual(['8.1.2/6.3', NAMES[1]]);
    const { crls } = await trust().list();
    const ofKey = crls.filter(({ issuerKeyId }) => issuerKeyId === toHex(cis[0]!.keyId));
    expect(ofKey.map(({ issuer, number }) => [issuer.split(',')[0], number])).toEqual(
      expect.arrayContaining([
        [`CN=${NAMES[0]}`, 9n],
        [`CN=${NAMES[1]}`, 4n],
      ]),
    );
  });

  it('stands beside its renewed certificate, and holds while one of the two does', async () => {
    const euicc = await register(eums[0]!);
    const expired = SimCi.create({
      cn: NAMES[0],
      key: cis[0]!.key,
      notBefore: new Date('2020-01-01'),
      notAfter: new Date('2021-01-01'),
    });
    await administration().addCi(expired.certificate, BOTH, 'test');
    expect((await trust().list()).cis).toHaveLength(4);
    expect(await request(euicc)).toEqual([NAMES[0]]);
    await administration().removeCi(sha256(cis[0]!.certificate), 'test');
    expect(await request(euicc)).toEqual(['8.1.2/6.3']);
  });
});

describe('the allow-list of EUMs', () => {
  const eum = () => eums[0]!;

  it('has an EUM by its key, with every certificate of it', async () => {
    const { key } = eum().ca;
    const renewed = cis[1]!.issueEum({ organization: 'EUM 0', iin: '89033024', key });
    await administration().allowEum(renewed.certificate, { party: EUM.identifier }, 'test');
    const listed = (await trust().list()).eums.filter(({ keyId }) => keyId === toHex(eum().ca.keyId));
    expect(listed).toMatchObject([
      { certificates: [sha256(eum().ca.certificate), sha256(renewed.certificate)] },
    ]);
    const second = new SimEum({ ca: renewed, ci: cis[1]!.certificate });
    // its EIDs begin where those of the first do
    second.personalise();
    const euiccs = [await register(eum()), await register(second)];
    expect(await request(...euiccs)).toEqual(NAMES);
  });

  it('does not let in another key with the key identifier of one that is on it', async () => {
    const stranger = cis[0]!.issueEum({ organization: 'EUM 0', iin: '89033024', identifiedAs: eum().ca.key });
    const batch = new SimEum({ ca: stranger, ci: cis[0]!.certificate });
    const refused = await refusalOf(
      deployment.runtime.services.ingest.registerEuiccData(
        EUM,
        batch.euiccDataBatch([batch.personalise()], MAKERS),
      ),
    );
    expect(refused).toMatchObject({ code: 'eumNotAllowed', subjectIdentifier: toHex(eum().ca.keyId) });
  });

  it('keeps a data key that is not mentioned again, and takes one in any form', async () => {
    const { point } = generateKey('p256');
    const canonical = toSpki({ curve: P256, point });
    const terms = { party: EUM.identifier, dataSignature: 'optional' } as const;
    const foreign = writeSpki(writeExplicit(explicitOf(P256)), writePoint(point, 'compressed'));
    await administration().allowEum(eum().ca.certificate, { ...terms, dataKey: foreign }, 'test');
    await administration().allowEum(eum().ca.certificate, { party: '2.999.41' }, 'test');
    const { ledger } = deployment.runtime.context;
    const item = (await scanAll(ledger, partitions.trust)).find(({ sort }) =>
      sort.startsWith(`eum#${toHex(eum().ca.keyId)}#`),
    );
    const { party, dataKey, dataSignature } = eumRecord.from(item!);
    expect({ party, dataKey: toHex(dataKey!), dataSignature }).toEqual({
      party: '2.999.41',
      dataKey: toHex(canonical),
      dataSignature: 'optional',
    });
    const spoofed = writeSpki(writeExplicit({ ...explicitOf(P256), base: point }), point);
    const refused = administration().allowEum(eum().ca.certificate, { ...terms, dataKey: spoofed }, 'test');
    expect(await refusalOf(refused)).toMatchObject({ code: 'securityConfiguration' });
  });
});

it('what was bound under one CI is rechecked under that one, though the eUICC has come under another since', async () => {
  const [first] = eums as [SimEum];
  const euicc = await register(first);
  expect(await request(euicc)).toEqual(['Old Test CI']);
  // the EUM has its key certified by a CI of another key, and sends more keys of the same eUICC under that
  const other = SimCi.create({ cn: 'Another Test CI' });
  await administration().addCi(other.certificate, BOTH, 'test');
  await administration().addCrl(other.issueCrl(), [], 'test');
  const ca = other.issueEum({ organization: 'EUM 0', iin: '89033024', key: first.ca.key });
  await administration().allowEum(ca.certificate, { party: EUM.identifier }, 'test');
  const second = new SimEum({ ca, ci: other.certificate });
  const donor = second.personalise();
  const more = reproveKeys({ ...euicc, euiccInfo2: donor.euiccInfo2 }, donor);
  const batch = second.euiccDataBatch([more], MAKERS);
  const answer = await deployment.runtime.services.ingest.registerEuiccData(EUM, batch);
  const { ledger } = deployment.runtime.context;
  const record = euiccRecord.from((await ledger.get(ledgerKeys.euicc(euicc.eid)))!);
  expect([answer.rejected, record.ciPkId]).toEqual([[], toHex(other.keyId)]);
  const { bppBatch } = await deployment.runtime.services.delivery.getBppBatch(DEVICE_MAKER, {
    requestId: `0${requests}`,
  });
  expect(decodeBppBatch(bppBatch!).items[0]).toHaveProperty('bound');
});
