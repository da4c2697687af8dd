import { createHash, randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { CURVES, sign } from '../../sim/curve.ts';
import { entryOf } from '../../sim/eum.ts';
import {
  encodeBppRequest,
  encodeEuiccDataBatch,
  encodeOneTimeKeyTbs,
  Factory,
  type PersonalisedEuicc,
  SoftEuicc,
} from '../../sim/index.ts';
import { sourceTree } from '../architecture/source-tree.ts';
import { Folder } from '../cli/support/binding-bench.ts';
import { LONG } from '../support/effort.ts';
import { httpsSend } from '../support/https-send.ts';
import { selfSigned } from '../support/self-signed.ts';
import { TOY_FILES } from '../support/toy-draft.ts';

// A draft is one exchangeable thing: a second one, with other tags and other paths, runs a whole flow through the same
// services, and these files are all that differ.

it('the files of a draft that had to differ are those of its tags and of its version', () => {
  expect(Object.keys(TOY_FILES)).toEqual(['tags.ts', 'version.ts']);
});

describe('nothing of the draft stands outside its folder', () => {
  const outside = sourceTree('shared', 'lambdas', 'cli', 'lib').filter(
    ({ path }) => !path.startsWith('shared/ifpp-draft1/'),
  );
  const where = (pattern: RegExp) => outside.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

  it('no tag', () => expect(where(/0xff6[0-6]/i)).toEqual([]));

  it('no path and no version', () => {
    // in quotes, so that it is used: comments and imports may name the folder
    expect(where(/['"`]\/ifpp-draft1[/'"`]|['"`]ifpp-draft\/v/)).toEqual([]);
  });

  it('inside it, tags and version stand in one place each', () => {
    const inside = sourceTree('shared/ifpp-draft1');
    const having = (pattern: RegExp) =>
      inside.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
    expect(having(/0xff6[0-6]/i)).toEqual(['shared/ifpp-draft1/tags.ts']);
    expect(having(/'\/ifpp-draft1'|'ifpp-draft\/v/)).toEqual(['shared/ifpp-draft1/version.ts']);
  });
});

const MOCKED = Object.keys(TOY_FILES).map((file) => `../../shared/ifpp-draft1/${file}`);

async function houseWithToy() {
  vi.resetModules();
  vi.doMock('../../shared/ifpp-draft1/tags.ts', () => TOY_FILES['tags.ts']);
  vi.doMock('../../shared/ifpp-draft1/version.ts', () => TOY_FILES['version.ts']);
  return {
    ...(await import('../support/deployment.ts')),
    ...(await import('./scenario.ts')),
    ...(await import('../../cli/server/server.ts')),
    ...(await import('../../shared/vault/file.ts')),
    ...(await import('../../shared/profile/package/template/own-profile.ts')),
  };
}

afterAll(() => {
  for (const path of MOCKED) vi.doUnmock(path);
  vi.resetModules();
});

/** The counterparts of sim/ speak ifpp-draft1: the two octets of the outer tag are all that differs. */
const retagged = (octets: Bytes, second: number): Bytes => {
  const copy = Uint8Array.from(octets);
  copy[1] = second;
  return copy;
};

/** Proofs are over FF74 of the toy. */
function toyEntry(euicc: PersonalisedEuicc) {
  const hash = createHash('sha256').update(euicc.euiccInfo2).digest();
  const entry = entryOf(euicc, euicc.euiccInfo2);
  const proofOf = (keyId: Bytes, otPk: Bytes) =>
    sign(euicc.key, retagged(encodeOneTimeKeyTbs(euicc.eid, keyId, otPk, hash), 0x74));
  const oneTimeKeys = entry.oneTimeKeys.map((key) => ({ ...key, proof: proofOf(key.keyId, key.otPk) }));
  return { ...entry, oneTimeKeys };
}

it.runIf(LONG)('a whole flow runs in another draft, by its paths and tags', async () => {
  const { Deployment, startServer, FileVault, ownTemplate, operational, OPERATOR, DEVICE_MAKER, EUM } =
    await houseWithToy();
  const deployment = await Deployment.create({ memory: true });
  const folder = new Folder();
  const tls = selfSigned('smdpf');
  const certificates = new Map<string, ReturnType<typeof selfSigned>>();
  const { services, context } = deployment.runtime;
  for (const { identifier, role } of [OPERATOR, DEVICE_MAKER, EUM]) {
    const own = selfSigned(identifier);
    certificates.set(identifier, own);
    await services.parties.add(own.fingerprint, { identifier, role }, 'test');
  }
  const { vault } = context;
  if (!(vault instanceof FileVault)) throw new Error('the deployment of tests has a file vault');
  const listen = { host: '127.0.0.1', port: 0 };
  const server = await startServer({
    services,
    tls,
    listen,
    field: { port: 0 },
    vault,
    log: () => undefined,
  });
  const call = async (requester: string, path: string, members: object) => {
    const header = { functionRequesterIdentifier: requester, functionCallIdentifier: path };
    const { status, json } = await httpsSend(tls, `${server.urls.parties}/toy-draft/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Admin-Protocol': 'toy-draft/v7.0.0' },
      certificate: certificates.get(requester),
      body: JSON.stringify({ header, ...members }),
    });
    expect([path, status, JSON.stringify(json())]).toEqual([
      path,
      200,
      expect.stringContaining('"Executed-Success"'),
    ]);
    return json();
  };
  const base64 = (octets: Bytes) => Buffer.from(octets).toString('base64');
  try {
    const order = deployment.order('TOY-1', 1, ownTemplate());
    await call(OPERATOR.identifier, 'es2f/prepareProfiles', {
      ...order,
      template: base64(ownTemplate()),
      ...operational('898800000000000000').order,
    });
    const euicc = deployment.eum.personalise();
    const batch = encodeEuiccDataBatch({
      batchId: randomBytes(16),
      ciPkId: deployment.eum.ciPkId,
      curve: CURVES.p256.oid,
      eumChain: [deployment.eum.ca.certificate],
      euiccInfo2: euicc.euiccInfo2,
      entries: [toyEntry(euicc)],
      deviceManufacturers: [DEVICE_MAKER.identifier],
    });
    const euiccDataBatch = base64(retagged(batch, 0x70));
    const registered = await call(EUM.identifier, 'esed1/registerEuiccData', { euiccDataBatch });
    expect(registered).toMatchObject({ accepted: 1 });
    const items = [{ itemId: 1, eid: euicc.eid }];
    const request = encodeBppRequest({ requestId: randomBytes(16), orderId: 'TOY-1', items });
    const bppRequest = base64(retagged(request, 0x71));
    const { bppBatch } = await call(DEVICE_MAKER.identifier, 'esbpp/requestBpp', { bppRequest });
    const answer = Buffer.from(String(bppBatch), 'base64');
    expect(answer.subarray(0, 2).toString('hex')).toBe('ff72');
    const card = SoftEuicc.create(euicc);
    const line = new Factory({ journalFile: folder.file('line.jsonl'), reader: () => card });
    const ours = retagged(answer, 0x62);
    await line.load(ours);
    expect(card.installedIccids).toHaveLength(1);
    const report = base64(retagged(line.report(randomBytes(16), [ours]), 0x73));
    const told = { profileLoadingReport: report };
    expect(await call(DEVICE_MAKER.identifier, 'esbpp/sendProfileLoadingReport', told)).toMatchObject({
      verified: 1,
    });
  } finally {
    await server.close();
    await deployment.close();
    folder.remove();
  }
});
