import { createPublicKey, generateKeyPairSync, verify as nodeVerify } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_FILE, SECOND_SIGNATURE_FILE, verifyBatch } from '../../../cli/delivery/batch-folder.ts';
import { spkisOf } from '../../../cli/delivery/delivery-keys.ts';
import { MANIFEST_FILE } from '../../../cli/delivery/pulled-manifest.ts';
import { secondSignatureHolds } from '../../../cli/delivery/second-signature.ts';
import type { Jwk } from '../../../shared/service/api/es2f.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';

let deployment: Deployment;
let folder: string;
beforeAll(async () => {
  deployment = await Deployment.create({ config: { chunkSize: 2, inlineLimit: 0 } });
  folder = await mkdtemp(join(tmpdir(), 'smdpf-test-'));
});
afterAll(async () => {
  await deployment.close();
  await rm(folder, { recursive: true, force: true });
});

const keyUri = (name: string) => `softkey:path=${join(deployment.folder, 'keys', name)}.key`;

/** A key of this name takes over. */
async function takeIntoUse(name: string): Promise<string> {
  const uri = keyUri(name);
  await deployment.runtime.keys.generate(uri, 'ml-dsa-65', 'longTerm');
  await deployment.runtime.context.keyAssignments.assign('longTerm', uri, 'test');
  return uri;
}

const serverKeys = () => deployment.runtime.services.orders.getServerKeys(DEVICE_MAKER);
const longTermKeys = async () => spkisOf((await serverKeys()).longTermKeys ?? []);

let orders = 0;
/** A job of two chunks, and its answer once more. */
async function job() {
  const orderId = `twice-${orders++}`;
  const euiccs = await registered(deployment, 3);
  await prepare(deployment, orderId, 3);
  const request = new Request(
    orderId,
    euiccs.map(({ eid }) => ({ eid })),
  );
  let answer = await request.send(deployment.runtime);
  while (answer.state !== 'Done') {
    await new Promise((resolve) => setTimeout(resolve, 10));
    answer = await request.fetch(deployment.runtime);
  }
  return { orderId, answer, again: () => request.fetch(deployment.runtime) };
}

describe('what must hold for years', () => {
  it('is signed once where there is no long-term key', async () => {
    const { answer } = await job();
    expect(answer.manifest).toBeDefined();
    expect(answer.longTermSignature).toBeUndefined();
    expect(await serverKeys()).not.toHaveProperty('longTermKeys');
  });

  it('is signed twice once there is one, a manifest that was made before included', async () => {
    const before = await job();
    await takeIntoUse('first');
    const { manifest, longTermSignature } = await before.again();
    expect(Buffer.from(manifest!).equals(Buffer.from(before.answer.manifest!))).toBe(true);
    expect(secondSignatureHolds(longTermSignature!, manifest!, await longTermKeys())).toBe(true);
  });

  it('is answered with the same octets again, although ML-DSA draws randomness', async () => {
    const { answer, again } = await job();
    await deployment.reopen();
    expect((await again()).longTermSignature).toBe(answer.longTermSignature);
  });

  it('verifies with another implementation of ML-DSA and JWS by hand', async () => {
    const { answer } = await job();
    const [head, content, signature] = answer.longTermSignature!.split('.');
    expect(content).toBe('');
    const header = JSON.parse(Buffer.from(head!, 'base64url').toString());
    const jwk = (await serverKeys()).longTermKeys!.find((one: Jwk) => one.kid === Object(header).kid)!;
    expect(header).toEqual({ alg: 'ML-DSA-65', typ: 'smdpf-long-term+jws', kid: jwk.kid });
    const message = Buffer.from(`${head}.${Buffer.from(answer.manifest!).toString('base64url')}`);
    const publicKey = Buffer.from(String(jwk.pub), 'base64url');
    const raw = Buffer.from(signature!, 'base64url');
    expect(ml_dsa65.verify(raw, message, publicKey)).toBe(true);
    expect(nodeVerify(null, message, createPublicKey({ key: jwk as never, format: 'jwk' }), raw)).toBe(true);
    message[message.length - 1]! ^= 1;
    expect(ml_dsa65.verify(raw, message, publicKey)).toBe(false);
  });

  it('is a report too: both signatures, over the same octets', async () => {
    const { orderId } = await job();
    const { report, longTermSignature } = await deployment.runtime.services.orders.getOrderReport(OPERATOR, {
      orderId,
    });
    const keys = await longTermKeys();
    expect(secondSignatureHolds(longTermSignature!, Buffer.from(report), keys)).toBe(true);
    expect(secondSignatureHolds(longTermSignature!, Buffer.from(`${report} `), keys)).toBe(false);
  });
});

describe('whoever knows a long-term key asks for both signatures, with no network', () => {
  async function pulled() {
    const { answer } = await job();
    const { vault } = deployment.runtime.context;
    await writeFile(join(folder, MANIFEST_FILE), answer.manifest!);
    await writeFile(join(folder, SECOND_SIGNATURE_FILE), answer.longTermSignature!);
    for (const [i, part] of answer.parts!.entries())
      await writeFile(
        join(folder, `part-${String(i).padStart(5, '0')}.der`),
        await vault.get(part, { offset: 0, length: part.size }),
      );
    await rm(join(folder, BATCH_FILE), { force: true });
    return spkisOf((await serverKeys()).deliveryKeys);
  }

  it('and one that is altered, missing or by another key is found', async () => {
    const delivery = await pulled();
    const longTerm = await longTermKeys();
    const verdict = (keys: readonly Uint8Array[]) => verifyBatch(folder, keys);
    expect(await verdict([...delivery, ...longTerm])).toMatchObject({
      signature: 'holds',
      longTermSignature: 'holds',
      problems: [],
    });
    expect(await verdict(delivery)).not.toHaveProperty('longTermSignature');

    const foreign = generateKeyPairSync('ml-dsa-65').publicKey.export({ format: 'der', type: 'spki' });
    expect(await verdict([...delivery, foreign])).toMatchObject({ longTermSignature: 'fails' });

    const file = join(folder, SECOND_SIGNATURE_FILE);
    const jws = await readFile(file, 'utf8');
    const [head, , signature] = jws.split('.');
    const octets = Buffer.from(signature!, 'base64url');
    octets[1000]! ^= 1;
    for (const altered of [
      `${head}..${octets.toString('base64url')}`,
      `${head}..`,
      `${head}.${Buffer.from('x').toString('base64url')}.${signature}`,
      jws.replace(head!, Buffer.from('{"alg":"none"}').toString('base64url')),
      '',
    ]) {
      await writeFile(file, altered);
      expect(await verdict([...delivery, ...longTerm])).toMatchObject({
        longTermSignature: 'fails',
        problems: [{ problem: expect.stringMatching(/no second signature/) }],
      });
    }
    await rm(file);
    expect(await verdict([...delivery, ...longTerm])).toMatchObject({ longTermSignature: 'fails' });
  });
});

describe('a long-term key', () => {
  it('is rotated, and what the one before signed still verifies until that is retired', async () => {
    const { answer, again } = await job();
    const before = (await deployment.runtime.context.keyAssignments.get('longTerm')).uri;
    await takeIntoUse('second');
    expect(await longTermKeys()).toHaveLength(2);
    expect((await again()).longTermSignature).toBe(answer.longTermSignature);

    await deployment.runtime.context.keyAssignments.retire('longTerm', before, 'test');
    const keys = await longTermKeys();
    expect(keys).toHaveLength(1);
    const anew = await again();
    expect(anew.longTermSignature).not.toBe(answer.longTermSignature);
    expect(secondSignatureHolds(anew.longTermSignature!, anew.manifest!, keys)).toBe(true);
    expect(secondSignatureHolds(answer.longTermSignature!, anew.manifest!, keys)).toBe(false);
  });

  it('is listed and asked after with the others', async () => {
    const listed = (await deployment.runtime.keyInventory.list()).filter(({ role }) => role === 'longTerm');
    expect(listed.map(({ state }) => state)).toEqual(['active', 'retired']);
    expect(listed[0]).toMatchObject({ description: { algorithm: 'ml-dsa-65' } });
    expect(await deployment.runtime.keyInventory.check()).toEqual([]);
  });

  it('signs nothing else: a binding or delivery key it is not', async () => {
    const uri = (await deployment.runtime.context.keyAssignments.get('longTerm')).uri;
    await expect(deployment.runtime.context.keyRing.delivery(uri)).rejects.toThrow(/longTerm/);
    await expect(deployment.runtime.context.keyRing.binding(uri)).rejects.toThrow(/longTerm/);
  });
});
