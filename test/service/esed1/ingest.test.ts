import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { suiteByName } from '../../../shared/crypto/suite.ts';
import { decodeCertificate } from '../../../shared/pki/certificate.ts';
import type { EuiccDataAnswer } from '../../../shared/service/api/esed1.ts';
import { ingestIdOf, ingestProgress, SLICE } from '../../../shared/service/esed1/euicc-batches.ts';
import { euiccCertificateRecord, euiccRecord } from '../../../shared/service/records/euicc.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { parseCertificate } from '../../../sim/certificate.ts';
import { sign } from '../../../sim/curve.ts';
import {
  completeEid,
  encodeOneTimeKeyTbs,
  type PersonalisedEuicc,
  SimCi,
  SimEum,
} from '../../../sim/index.ts';
import { reproveKeys } from '../../../sim/misuse.ts';
import { count } from '../../support/counts.ts';
import { caller, DEVICE_MAKER, Deployment, EUM } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { refusalOf } from '../../support/refusal.ts';

const MAKERS = { deviceManufacturers: [DEVICE_MAKER.identifier] };
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterAll(() => deployment?.close());

const register = (batch: Bytes) => deployment.runtime.services.ingest.registerEuiccData(EUM, batch);

/** A batch whose entries were changed on the way from the eUICC to us. */
function batchOf(euiccs: readonly PersonalisedEuicc[], eum = deployment.eum): Bytes {
  return eum.euiccDataBatch(euiccs, MAKERS);
}

const codes = ({ rejected }: EuiccDataAnswer) => rejected.map(({ index, code }) => [index, code]);

/** The eUICC with its first one-time key changed. */
function withKey(
  euicc: PersonalisedEuicc,
  change: (point: Buffer, proof: Buffer) => void,
): PersonalisedEuicc {
  const [key] = euicc.oneTimeKeys;
  const point = Buffer.from(key!.key.point);
  const proof = Buffer.from(key!.proof);
  change(point, proof);
  return { ...euicc, oneTimeKeys: [{ ...key!, key: { ...key!.key, point }, proof }] };
}

describe('entries of eUICC data are accepted or refused one by one', {
  tags: ['DPFF10', 'GENS07', 'GENS12', 'I6'],
}, () => {
  const good = () => deployment.eum.personalise();
  const CASES: readonly [string, () => PersonalisedEuicc, string][] = [
    [
      'a point off the curve',
      () => withKey(good(), (point) => point.writeUInt8(point[64]! ^ 1, 64)),
      'oneTimeKeyInvalid',
    ],
    [
      'a point on another curve',
      () => {
        const other = SimEum.create({ ci: SimCi.create({ curve: 'brainpoolP256r1' }) }).personalise();
        return withKey(good(), (point) => point.set(other.oneTimeKeys[0]!.key.point));
      },
      'oneTimeKeyInvalid',
    ],
    [
      'the point at infinity, filled up',
      () => withKey(good(), (point) => point.fill(0)),
      'oneTimeKeyInvalid',
    ],
    [
      'coordinates of zero, as of a point of small order',
      () => withKey(good(), (point) => point.fill(0, 1)),
      'oneTimeKeyInvalid',
    ],
    [
      'a coordinate not below the field prime',
      () => withKey(good(), (point) => point.fill(0xff, 1)),
      'oneTimeKeyInvalid',
    ],
    [
      'a proof with one bit changed',
      () => withKey(good(), (_, proof) => proof.writeUInt8(proof[40]! ^ 1, 40)),
      'oneTimeKeyProofInvalid',
    ],
    ['a proof of zeros', () => withKey(good(), (_, proof) => proof.fill(0)), 'oneTimeKeyProofInvalid'],
    [
      'an EuiccInfo2 that the proof does not cover',
      () => ({
        ...good(),
        euiccInfo2: deployment.eum.personalise({ features: { freeNonVolatileMemory: 9_999_999 } }).euiccInfo2,
      }),
      'oneTimeKeyProofInvalid',
    ],
    [
      'the certificate of another eUICC',
      () => ({ ...good(), euiccCert: good().euiccCert }),
      'euiccCertificateInvalid',
    ],
    [
      'an EID with wrong check digits',
      () => ({ ...good(), eid: `${good().eid.slice(0, 30)}00` }),
      'eidMalformed',
    ],
    [
      'an EID outside the range of its EUM',
      () => deployment.eum.personalise({ eid: completeEid('890330234261000000000000001000') }),
      'eidOutsideEumRange',
    ],
  ];

  it.each(CASES)('%s', async (_, make, code) => {
    const answer = await register(batchOf([good(), make(), good()]));
    expect(codes(answer)).toEqual([[1, code]]);
    expect(answer).toMatchObject({ state: 'Done', entries: 3, accepted: 2, rejectedCount: 1 });
  });

  it('the eUICC’s own certificate key is no one-time key, proved or not', async () => {
    const euicc = good();
    const keyId = euicc.oneTimeKeys[0]!.keyId;
    const hash = createHash('sha256').update(euicc.euiccInfo2).digest();
    const proof = sign(euicc.key, encodeOneTimeKeyTbs(euicc.eid, keyId, euicc.key.point, hash));
    const batch = batchOf([{ ...euicc, oneTimeKeys: [{ keyId, key: euicc.key, proof }] }]);
    expect(codes(await register(batch))).toEqual([[0, 'oneTimeKeyInvalid']]);
  });

  const withPoint = (euicc: PersonalisedEuicc, point: Uint8Array): PersonalisedEuicc => {
    const [{ keyId, key }] = euicc.oneTimeKeys as [PersonalisedEuicc['oneTimeKeys'][number]];
    const hash = createHash('sha256').update(euicc.euiccInfo2).digest();
    const proof = sign(euicc.key, encodeOneTimeKeyTbs(euicc.eid, keyId, point, hash));
    return { ...euicc, oneTimeKeys: [{ keyId, key: { ...key, point }, proof }] };
  };

  it('the generator of the curve, or its negative, is no one-time key, proved or not', async () => {
    const { p, gx, gy } = suiteByName('p256').curve.domain;
    for (const y of [gy, p - gy]) {
      const point = [gx, y].map((number) => number.toString(16).padStart(64, '0')).join('');
      const answer = await register(batchOf([good(), withPoint(good(), Buffer.from(`04${point}`, 'hex'))]));
      expect(codes(answer)).toEqual([[1, 'oneTimeKeyInvalid']]);
    }
  });

  it('the key of another eUICC’s certificate is no one-time key, whichever of them comes first', async () => {
    const [holder, thief] = [good(), good()];
    await register(batchOf([holder]));
    expect(codes(await register(batchOf([withPoint(thief, holder.key.point)])))).toEqual([
      [0, 'oneTimeKeyInUse'],
    ]);
    const [other, last] = [good(), good()];
    expect(codes(await register(batchOf([withPoint(last, other.key.point), other])))).toEqual([
      [0, 'oneTimeKeyInUse'],
    ]);
    const [early, late] = [good(), good()];
    expect(codes(await register(batchOf([withPoint(early, late.key.point)])))).toEqual([]);
    expect(codes(await register(batchOf([late])))).toEqual([[0, 'euiccCertificateInvalid']]);
  });

  it('a refusal that is about one of several one-time keys names it', async () => {
    const euicc = deployment.eum.personalise({ keys: 3 });
    const [first, second, third] = euicc.oneTimeKeys;
    const damaged = { ...second!, proof: Buffer.alloc(64) };
    const answer = await register(batchOf([{ ...euicc, oneTimeKeys: [first!, damaged, third!] }, good()]));
    expect(answer.rejected).toMatchObject([
      { index: 0, eid: euicc.eid, keyId: toHex(second!.keyId), code: 'oneTimeKeyProofInvalid' },
    ]);
    const wrongEid = { ...good(), euiccCert: good().euiccCert };
    const [other] = (await register(batchOf([wrongEid]))).rejected;
    expect(other).not.toHaveProperty('keyId');
  });

  it('an EID that occurs twice: the first one counts', async () => {
    const euicc = good();
    const again = { ...deployment.eum.personalise({ eid: euicc.eid }) };
    expect(codes(await register(batchOf([euicc, good(), again])))).toEqual([[2, 'eidDuplicate']]);
  });

  it('an EID that is registered with a certificate of another key', async () => {
    const euicc = good();
    await register(batchOf([euicc]));
    expect(codes(await register(batchOf([deployment.eum.personalise({ eid: euicc.eid })])))).toEqual([
      [0, 'eidDuplicate'],
    ]);
  });

  describe('an EID whose certificate was renewed for the same key', () => {
    const YEAR = 365 * 24 * 3600 * 1000;
    const renewed = (euicc: PersonalisedEuicc, notAfter: number, keys: PersonalisedEuicc['oneTimeKeys']) => ({
      ...euicc,
      euiccCert: deployment.eum.ca.issueEuicc(euicc.eid, euicc.key, { notAfter: new Date(notAfter) }),
      oneTimeKeys: keys,
    });
    const stored = async ({ eid }: PersonalisedEuicc) => {
      const { ledger } = deployment.runtime.context;
      const items = [ledgerKeys.euicc(eid), ledgerKeys.euiccCertificate(eid)] as const;
      const [record, certificate] = await ledger.getMany(items);
      return {
        ...euiccRecord.from(record!),
        certificate: toHex(euiccCertificateRecord.from(certificate!).der),
      };
    };
    const moreKeysOf = (euicc: PersonalisedEuicc) =>
      reproveKeys(euicc, deployment.eum.personalise()).oneTimeKeys;

    it.each([
      ['the longer one comes last', [1, 3]],
      ['the longer one comes first', [3, 1]],
    ])('has the one that is valid longest, and the keys of both: %s', async (_, years) => {
      const euicc = good();
      const batches = years.map((year, i) =>
        renewed(euicc, Date.now() + year * YEAR, i === 0 ? euicc.oneTimeKeys : moreKeysOf(euicc)),
      );
      for (const one of batches) expect(codes(await register(batchOf([one])))).toEqual([]);
      const longest = batches[years.indexOf(3)]!;
      const { certificate, serialNumber, keys, notAfter } = await stored(euicc);
      expect(certificate).toBe(toHex(longest.euiccCert));
      expect(notAfter).toBe(parseCertificate(longest.euiccCert).notAfter.getTime());
      expect(serialNumber).toBe(decodeCertificate(longest.euiccCert).serialNumber);
      expect(keys.map(({ state }) => state)).toEqual(['free', 'free']);
    });

    it('is taken without a new key too, and again', async () => {
      const euicc = renewed(good(), Date.now() + YEAR, good().oneTimeKeys);
      const first = { ...euicc, oneTimeKeys: moreKeysOf(euicc) };
      await register(batchOf([first]));
      const second = renewed(first, Date.now() + 2 * YEAR, first.oneTimeKeys);
      for (let times = 0; times < 2; times++) expect(codes(await register(batchOf([second])))).toEqual([]);
      expect((await stored(euicc)).certificate).toBe(toHex(second.euiccCert));
    });
  });

  it('of several keys of an entry that others had the refusal names the last, wherever they stand in the ledger', async () => {
    const owners = Array.from({ length: 8 }, good);
    await register(batchOf(owners));
    for (const keys of [owners, [...owners].reverse()]) {
      const euicc = good();
      const hash = createHash('sha256').update(euicc.euiccInfo2).digest();
      const oneTimeKeys = keys.map(({ oneTimeKeys: [own] }) => {
        const { keyId, key } = own!;
        const proof = sign(euicc.key, encodeOneTimeKeyTbs(euicc.eid, keyId, key.point, hash));
        return { keyId, key, proof };
      });
      const { rejected } = await register(batchOf([{ ...euicc, oneTimeKeys }]));
      const keyId = toHex(oneTimeKeys.at(-1)!.keyId);
      expect(rejected).toMatchObject([{ index: 0, eid: euicc.eid, keyId, code: 'oneTimeKeyInUse' }]);
    }
  });

  it('a one-time key that another eUICC has had, in this batch or ever, is refused for good', {
    tags: ['GENS07', 'GENS12', 'I1'],
  }, async () => {
    const [first, second, third] = [good(), good(), good()];
    const shared = first.oneTimeKeys[0]!.key;
    const thief = (euicc: PersonalisedEuicc): PersonalisedEuicc => {
      const keyId = euicc.oneTimeKeys[0]!.keyId;
      const hash = createHash('sha256').update(euicc.euiccInfo2).digest();
      const proof = sign(euicc.key, encodeOneTimeKeyTbs(euicc.eid, keyId, shared.point, hash));
      return { ...euicc, oneTimeKeys: [{ keyId, key: shared, proof }] };
    };
    expect(codes(await register(batchOf([first, thief(second)])))).toEqual([[1, 'oneTimeKeyInUse']]);
    expect(codes(await register(batchOf([thief(third)])))).toEqual([[0, 'oneTimeKeyInUse']]);
  });

  it('an entry that is no entry spoils itself alone', async () => {
    const [one, two] = [good(), good()];
    const batch = Buffer.from(batchOf([one, two]));
    const eid = Buffer.from(two.eid, 'hex');
    const at = batch.indexOf(eid);
    batch[at - 2] = 0x81;
    const answer = await register(batch);
    expect(codes(answer)).toEqual([[1, 'protocolFormat']]);
    expect(answer.accepted).toBe(1);
  });
});

describe('a batch of eUICC data as a whole', { tags: ['DPFF10', 'GENS14', 'EUMS01', 'I4'] }, () => {
  it('is answered alike when it is sent again, and refused with another content', async () => {
    const batchId = Buffer.from('0c01', 'hex');
    const batch = deployment.eum.euiccDataBatch([deployment.eum.personalise()], { ...MAKERS, batchId });
    const answer = await register(batch);
    expect(await register(batch)).toEqual(answer);
    const other = deployment.eum.euiccDataBatch([deployment.eum.personalise()], { ...MAKERS, batchId });
    expect(await refusalOf(register(other))).toMatchObject({ code: 'requestChanged' });
  });

  it('comes from the party that speaks for its EUM', async () => {
    const { ingest } = deployment.runtime.services;
    const batch = batchOf([deployment.eum.personalise()]);
    const stranger = caller('2.999.41', 'eum');
    expect(await refusalOf(ingest.registerEuiccData(stranger, batch))).toMatchObject({
      code: 'requesterNotAllowed',
    });
  });

  it('names who may bind its eUICCs', async () => {
    const batch = deployment.eum.euiccDataBatch([deployment.eum.personalise()]);
    expect(await refusalOf(register(batch))).toMatchObject({ code: 'mandatoryElementMissing' });
  });

  it('of an EUM that is not allowed is refused', async () => {
    const eum = SimEum.create({ ci: deployment.ci });
    expect(await refusalOf(register(batchOf([eum.personalise()], eum)))).toMatchObject({
      code: 'eumNotAllowed',
    });
  });

  it('that is cut off, or longer than it says, is refused', async () => {
    const batch = batchOf([deployment.eum.personalise()]);
    for (const broken of [batch.subarray(0, -1), Buffer.concat([batch, Buffer.of(0)])])
      expect(await refusalOf(register(broken))).toMatchObject({ code: 'protocolFormat' });
  });

  it('with more refusals than an answer lists has all of them in its result object', async () => {
    const { services, context } = deployment.runtime;
    const euiccs = [...deployment.eum.production(1_100)].map((euicc) =>
      withKey(euicc, (_, proof) => proof.fill(0)),
    );
    const answer = await register(
      deployment.eum.euiccDataBatch(euiccs, { ...MAKERS, batchId: Buffer.from('0c02', 'hex') }),
    );
    expect(answer).toMatchObject({ accepted: 0, rejectedCount: 1_100 });
    expect(answer.rejected).toHaveLength(1_000);
    const transfer = await services.transfers.getTransfer(EUM, { requestId: '0c02', name: 'rejected' });
    const result = (await context.vault.head(`euicc-data-results/${ingestIdOf(EUM.identifier, '0c02')}`))!;
    expect(transfer).toMatchObject({ size: result.size, sha256: result.sha256 });
    const lines = Buffer.from(await context.vault.get(result))
      .toString('utf8')
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(1_100);
    expect(JSON.parse(lines[1_099]!)).toMatchObject({
      index: 1_099,
      eid: euiccs[1_099]!.eid,
      subjectCode: '8.1',
      reasonCode: '6.1',
    });
    const stranger = caller('2.999.41', 'eum');
    expect(
      await refusalOf(services.transfers.getTransfer(stranger, { requestId: '0c02', name: 'rejected' })),
    ).toMatchObject({ code: 'requestUnknown' });
  });
});

describe('a large batch of eUICC data', () => {
  const ENTRIES = effort({ short: 1_500, long: 3_000 });
  /** Slices that are done when the server is killed, at least. */
  const UNDERWAY = effort({ short: 1, long: 2 });

  it('killed in the middle and taken up again ends as if nothing had happened', async () => {
    const killed = await Deployment.create({ lanes: 'none' });
    const straight = await Deployment.create({ memory: true });
    try {
      const { ci, eum } = killed;
      await straight.runtime.trustAdministration.addCi(
        ci.certificate,
        { forSigning: true, forVerification: true },
        'test',
      );
      await straight.runtime.trustAdministration.addCrl(ci.issueCrl(), [], 'test');
      await straight.runtime.trustAdministration.allowEum(
        eum.ca.certificate,
        { party: EUM.identifier },
        'test',
      );

      const euiccs = [...eum.production(ENTRIES)];
      const last = ENTRIES - 1;
      for (const at of [3, 700, last]) euiccs[at] = withKey(euiccs[at]!, (_, proof) => proof.fill(0));
      euiccs[800] = euiccs[100]!;
      const batch = eum.euiccDataBatch(euiccs, MAKERS);

      const upload = await killed.runtime.context.vault.put('euicc-data/test', batch);
      // taken on unread
      const taken = await killed.runtime.services.ingest.registerEuiccData(EUM, upload);
      expect([taken.state, taken.entries]).toEqual(['Pending', undefined]);
      const [open] = (await killed.runtime.context.ledger.query('open-work')).items;
      const id = open!.sort.split('#')[1]!;
      const slices = async () => (await ingestProgress(killed.runtime.context.ledger, id)).slices;
      await killUnderway(killed, async () => (await slices()) >= UNDERWAY);
      const done = await slices();
      count('kills', 1);
      expect(done).toBeGreaterThanOrEqual(UNDERWAY);
      expect(done).toBeLessThan(ENTRIES / SLICE);

      await killed.reopen({ lanes: 'inline' });
      await killed.runtime.work.resume();
      const answer = await finished(killed, upload);
      expect(codes(answer)).toEqual([
        [3, 'oneTimeKeyProofInvalid'],
        [700, 'oneTimeKeyProofInvalid'],
        [800, 'eidDuplicate'],
        [last, 'oneTimeKeyProofInvalid'],
      ]);
      const expected = await finished(
        straight,
        await straight.runtime.context.vault.put('euicc-data/test', batch),
      );
      expect(answer).toEqual(expected);
      const keys = euiccs.map(({ eid }) => ledgerKeys.euicc(eid));
      expect(await killed.runtime.context.ledger.getMany(keys)).toEqual(
        await straight.runtime.context.ledger.getMany(keys),
      );
      expect((await killed.runtime.context.ledger.query('open-work')).items).toEqual([]);
      count('items', ENTRIES);
    } finally {
      await killed.close();
      await straight.close();
    }
  });
});

/** Runs a server in a process of its own and kills it as soon as it has got so far. */
async function killUnderway({ config }: Deployment, reached: () => Promise<boolean>): Promise<void> {
  const worker = new URL('./ingest-worker.ts', import.meta.url).pathname;
  const child = spawn('npm', ['exec', '--', 'node', worker, JSON.stringify(config)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const exited = once(child, 'exit');
  while (child.exitCode === null && !(await reached())) await delay(5);
  process.kill(-child.pid!, 'SIGKILL');
  await exited;
}

async function finished(
  { runtime }: Deployment,
  batch: Parameters<Deployment['runtime']['services']['ingest']['registerEuiccData']>[1],
): Promise<EuiccDataAnswer> {
  for (;;) {
    const answer = await runtime.services.ingest.registerEuiccData(EUM, batch);
    if (answer.state === 'Done') return answer;
    await delay(20);
  }
}
