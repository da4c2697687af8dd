import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { largeBatch } from '../../../bench/ingest/batch.ts';
import { DeploymentFolder } from '../../../cli/deployment/folder.ts';
import { openSandbox } from '../../../cli/deployment/sandbox.ts';
import { readTlvHeader, splitElements } from '../../../shared/codec/tlv.ts';
import { P256 } from '../../../shared/crypto/curves.ts';
import { directVerifierOf } from '../../../shared/crypto/direct-verification.ts';
import { PAYS_AFTER } from '../../../shared/crypto/much-asked-keys.ts';
import { decodeEuiccEntry } from '../../../shared/ifpp-draft1/euicc-data-batch.ts';
import { readEuiccDataStart } from '../../../shared/ifpp-draft1/euicc-data-scan.ts';
import { decodeCertificate } from '../../../shared/pki/certificate.ts';
import type { EuiccDataAnswer } from '../../../shared/service/api/esed1.ts';
import { SimEum } from '../../../sim/index.ts';

/**
 * A batch of which every sort of signature is damaged somewhere, before and after there is a table of the EUM's key, ingested by
 * OpenSSL's own functions and by node:crypto alone.
 */
const ENTRIES = PAYS_AFTER + 250;
let folder: string;
let batch: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smdpf-either-way-'));
  batch = join(folder, 'batch');
  const deployment = await DeploymentFolder.open(join(folder, 'made'));
  const runtime = await deployment.openRuntime({ lanes: 'none' });
  const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
  await runtime.close();
  const eum = new SimEum({ ca: eumCa, ci: ci.certificate, suite: 'p256' });
  const pieces: Uint8Array[] = [];
  for await (const piece of largeBatch(eum, ENTRIES, ['2.999.50'], join(folder, 'entries')))
    pieces.push(piece);
  const octets = Buffer.concat(pieces);
  damage(octets);
  await writeFile(batch, octets);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What is done to an entry in place, by how far it is in a hundred. */
const DAMAGES: Readonly<Record<number, (entry: Entry) => void>> = {
  3: ({ proof }) => flip(proof, 5),
  8: ({ proof }) => flip(proof, 63),
  13: ({ proof }) => proof.fill(0),
  18: ({ proof }) => proof.fill(0xff),
  23: ({ proof }) => proof.set(P256.order, 0),
  28: ({ proof }) => proof.set(P256.order, 32),
  33: ({ signature }) => flip(signature, signature.length - 1),
  38: ({ signature }) => flip(signature, 10),
  // DER of another form: the length of r
  43: ({ signature }) => flip(signature, 3),
  48: ({ signature }) => flip(signature, 1),
  53: ({ tbs }) => flip(tbs, 20),
  58: ({ tbs }) => flip(tbs, tbs.length - 1),
  63: ({ otPk }) => flip(otPk, 64),
  68: ({ otPk, point }) => otPk.set(point),
  // a key off the curve, under a certificate that does not hold
  73: ({ point }) => flip(point, 64),
};

interface Entry {
  readonly proof: Buffer;
  readonly otPk: Buffer;
  readonly tbs: Buffer;
  readonly signature: Buffer;
  readonly point: Buffer;
}

function damage(batch: Buffer): void {
  const { entriesAt } = readEuiccDataStart(batch, batch.length);
  const { headerLength, length } = readTlvHeader(batch.subarray(entriesAt));
  const elements = splitElements(batch.subarray(entriesAt + headerLength, entriesAt + headerLength + length));
  expect(elements).toHaveLength(ENTRIES);
  elements.forEach((element, index) => {
    const change = DAMAGES[index % 100];
    if (change === undefined) return;
    const { euiccCert, oneTimeKeys } = decodeEuiccEntry(element);
    const { tbs, signatureValue, publicKey } = decodeCertificate(euiccCert);
    const { proof, otPk } = oneTimeKeys[0]!;
    const inPlace = (octets: Uint8Array) => {
      const at = batch.indexOf(octets, element.byteOffset - batch.byteOffset);
      return batch.subarray(at, at + octets.length);
    };
    change({
      proof: inPlace(proof),
      otPk: inPlace(otPk),
      tbs: inPlace(tbs),
      signature: inPlace(signatureValue),
      point: inPlace(publicKey.point),
    });
  });
}

function flip(octets: Buffer, at: number): void {
  octets[at]! ^= 1;
}

interface Outcome {
  readonly answer: EuiccDataAnswer;
  readonly state: { readonly rows: number; readonly sha256: string };
  readonly verifies: { readonly direct: boolean; readonly table: boolean };
}

async function ingest(koffi: 'with' | 'without') {
  const own = join(folder, koffi);
  await cp(join(folder, 'made'), own, { recursive: true });
  // paths in a configuration are absolute
  const file = join(own, 'config.json');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll(join(folder, 'made'), own));
  const script = new URL('./ingest-of-file.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, own, batch, koffi], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await text(child.stdout)) as Outcome;
}

it('gives the same answers and records by OpenSSL’s functions as by node:crypto alone', {
  tags: ['DPFF10', 'GENS07', 'I6'],
}, async () => {
  const isInstalled = directVerifierOf({ ...P256, openSslName: P256.openSslName! }) !== undefined;
  const [ours, nodes] = [await ingest('with'), await ingest('without')];
  expect(ours.verifies).toEqual({ direct: isInstalled, table: isInstalled });
  expect(nodes.verifies).toEqual({ direct: false, table: false });
  const { rejected, accepted } = nodes.answer;
  const damaged = Array.from({ length: ENTRIES }, (_, i) => i).filter((i) => DAMAGES[i % 100] !== undefined);
  expect(rejected.map(({ index }) => index)).toEqual(damaged);
  expect(accepted).toBe(ENTRIES - damaged.length);
  expect(accepted).toBeGreaterThan(PAYS_AFTER);
  expect(new Set(rejected.map(({ code }) => code))).toEqual(
    new Set(['oneTimeKeyProofInvalid', 'euiccCertificateInvalid', 'oneTimeKeyInvalid', 'protocolFormat']),
  );
  expect(ours.answer).toEqual(nodes.answer);
  // an eUICC has at least its record, its certificate and the owners of two keys
  expect(nodes.state.rows).toBeGreaterThan(4 * accepted);
  expect(ours.state).toEqual(nodes.state);
});
