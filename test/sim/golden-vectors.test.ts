import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../conform/conformity.ts';
import { conformEum } from '../../conform/eum/eum.ts';
import { conformMaker } from '../../conform/maker/maker.ts';
import { type Bytes, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { P256 } from '../../shared/crypto/curves.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import {
  batchManifestTbs,
  decodeBatchManifest,
  encodeBatchManifest,
} from '../../shared/ifpp-draft1/batch-manifest.ts';
import { decodeBppBatch, encodeBppBatch } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { decodeBppRequest, encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import {
  decodeEuiccDataBatch,
  decodeEuiccEntry,
  decodeOneTimeKeyTbs,
  encodeOneTimeKeyTbs,
} from '../../shared/ifpp-draft1/euicc-data-batch.ts';
import { inclusionProof, leafHash, treeRoot } from '../../shared/ifpp-draft1/hash-tree.ts';
import { decodeLoadPackage, encodeLoadPackage } from '../../shared/ifpp-draft1/load-package.ts';
import {
  decodeManifestPage,
  encodeManifestPage,
  manifestPageContent,
  requirePageOf,
} from '../../shared/ifpp-draft1/manifest-page.ts';
import {
  decodeManifestRoot,
  encodeManifestRoot,
  manifestRootTbs,
} from '../../shared/ifpp-draft1/manifest-root.ts';
import {
  decodeProfileLoadingReport,
  encodeProfileLoadingReport,
} from '../../shared/ifpp-draft1/profile-loading-report.ts';
import given from '../../shared/ifpp-draft1/vectors/given.json' with { type: 'json' };
import { encodeSpki, verify } from '../../sim/curve.ts';
import {
  type GoldenVector,
  goldenFile,
  goldenPages,
  goldenVectors,
  type KeyName,
  keyNamed,
} from '../../sim/golden-vectors.ts';
import { DEFAULT_FEATURES, Factory, SoftEuicc } from '../../sim/index.ts';
import { Folder } from '../cli/support/binding-bench.ts';

const FOLDER = join(import.meta.dirname, '../../shared/ifpp-draft1/vectors');
const NOW = new Date('2026-07-01T12:00:00Z');
const vectors = goldenVectors();
const octetsOf = (type: string): Bytes => fromHex(vectors.find((vector) => vector.type === type)!.hex);
const failed = (checks: readonly Check[]) => checks.filter(({ result }) => result === 'failed');

describe('golden vectors', () => {
  it('are in their files as the generator makes them, octet by octet', () => {
    const files = vectors.map(goldenFile);
    expect(readdirSync(FOLDER).sort()).toEqual([...files.map(([name]) => name), 'given.json'].sort());
    for (const [name, content] of files)
      expect([name, readFileSync(join(FOLDER, name), 'utf8')]).toEqual([name, content]);
  });

  it('are there for FF60 to FF68', () => {
    const tags = Array.from({ length: 9 }, (_, i) => `FF6${i}`);
    expect(vectors.map(({ tag }) => tag)).toEqual(tags);
  });

  it.each(vectors.flatMap(({ type, signed }) => signed.map((one) => ({ type, ...one }))))(
    'the $field of $type holds by the code of the server and by that of sim/',
    ({ key, toBeSigned, signature }) => {
      const own = keyNamed(key as KeyName);
      expect(verify(own, fromHex(toBeSigned), fromHex(signature))).toBe(true);
      expect(P256.signatureHolds(fromSpki(encodeSpki(own)), fromHex(toBeSigned), fromHex(signature))).toBe(
        true,
      );
    },
  );
});

describe("the server's codec", () => {
  it('takes what is signed out of FF60, FF64 and FF65', () => {
    const batch = decodeEuiccDataBatch(octetsOf('EuiccDataBatch'));
    const { signed } = vectorOf('EuiccDataBatch');
    expect(toHex(batch.signed)).toBe(signed.at(-1)!.toBeSigned);
    const tbs = batch.entries.flatMap((element) => {
      const entry = decodeEuiccEntry(element);
      const { euiccInfo2Hash } = decodeOneTimeKeyTbs(octetsOf('OneTimeKeyTbs'));
      return entry.oneTimeKeys.map((key) => toHex(encodeOneTimeKeyTbs(entry.eid, key, euiccInfo2Hash)));
    });
    expect(tbs).toEqual(signed.slice(0, -1).map(({ toBeSigned }) => toBeSigned));
    expect(tbs[0]).toBe(vectorOf('OneTimeKeyTbs').hex);
    const manifest = decodeBatchManifest(octetsOf('BatchManifest'));
    expect(toHex(manifest.signed)).toBe(vectorOf('BatchManifest').signed[0]!.toBeSigned);
  });

  it('proves each page of FF68 under the root of FF67, and makes the same root and proofs of their leaves', () => {
    const root = decodeManifestRoot(octetsOf('ManifestRoot'));
    expect(toHex(root.signed)).toBe(vectorOf('ManifestRoot').signed[0]!.toBeSigned);
    const pages = goldenPages().map(decodeManifestPage);
    const leaves = pages.map(({ content }) => leafHash(content));
    expect(toHex(treeRoot(leaves))).toBe(toHex(root.root));
    for (const [place, page] of pages.entries()) {
      requirePageOf(root, page, place);
      expect(inclusionProof(leaves, place).map(toHex)).toEqual(page.proof.map(toHex));
    }
    expect(toHex(goldenPages()[1]!)).toBe(vectorOf('ManifestPage').hex);
  });

  it.each<[string, (octets: Bytes) => Bytes]>([
    ['BppRequest', (octets) => encodeBppRequest(decodeBppRequest(octets))],
    ['BppBatch', (octets) => encodeBppBatch(decodeBppBatch(octets))],
    [
      'BatchManifest',
      (octets) => {
        const manifest = decodeBatchManifest(octets);
        return encodeBatchManifest(batchManifestTbs(manifest), manifest.signature);
      },
    ],
    [
      'ManifestRoot',
      (octets) => {
        const root = decodeManifestRoot(octets);
        return encodeManifestRoot(manifestRootTbs(root), root.signature);
      },
    ],
    [
      'ManifestPage',
      (octets) => {
        const page = decodeManifestPage(octets);
        return encodeManifestPage(manifestPageContent(page), page.proof);
      },
    ],
    ['LoadPackage', (octets) => encodeLoadPackage(decodeLoadPackage(octets))],
    [
      'ProfileLoadingReport',
      (octets) => {
        const { reportId, items } = decodeProfileLoadingReport(octets);
        return encodeProfileLoadingReport(reportId, items);
      },
    ],
  ])('writes %s again as it was', (type, again) => {
    expect(toHex(again(octetsOf(type)))).toBe(vectorOf(type).hex);
  });
});

describe("sim/'s own code", () => {
  it('finds nothing wrong in FF60, FF61 and FF63', () => {
    const cis = [fromHex(given.certificates.CI)];
    const batch = octetsOf('EuiccDataBatch');
    expect(failed(conformEum({ batch, cis, dataKey: keyNamed('EUM data key'), now: NOW }))).toEqual([]);
    const input = { request: octetsOf('BppRequest'), report: octetsOf('ProfileLoadingReport') };
    const rules = failed(
      conformMaker({ ...input, bppBatch: octetsOf('BppBatch'), euiccData: batch, now: NOW }),
    );
    // the error is of a second transaction, which this batch does not have
    expect(rules.map(({ id }) => id)).toEqual(['maker.report.transaction']);
  });

  it('installs the BPP of FF62 in eUICC 1', async () => {
    const folder = new Folder();
    try {
      const [eid] = given.eids;
      const card = SoftEuicc.create({
        eid: eid!,
        key: keyNamed('eUICC 1'),
        euiccCert: fromHex(given.certificates['eUICC 1']),
        eumCert: fromHex(given.certificates.EUM),
        euiccInfo2: fromHex(given.euiccInfo2),
        features: DEFAULT_FEATURES,
        trustedCis: [fromHex(given.certificates.CI)],
        oneTimeKeys: [{ keyId: Buffer.of(1), key: keyNamed('one-time key 1'), proof: new Uint8Array(64) }],
      });
      const line = new Factory({ journalFile: folder.file('line.jsonl'), reader: () => card });
      await line.load(octetsOf('BppBatch'));
      expect(card.installedIccids).toEqual([given.iccid]);
    } finally {
      folder.remove();
    }
  });
});

const vectorOf = (type: string): GoldenVector => vectors.find((vector) => vector.type === type)!;
