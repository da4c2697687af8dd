import { randomBytes } from 'node:crypto';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { batchManifestTbs, encodeBatchManifest } from '../../../shared/ifpp-draft1/batch-manifest.ts';
import { encodeBppBatch } from '../../../shared/ifpp-draft1/bpp-batch.ts';
import { encodeBppRequest } from '../../../shared/ifpp-draft1/bpp-request.ts';
import { encodeOneTimeKeyTbs } from '../../../shared/ifpp-draft1/euicc-data-batch.ts';
import { encodeLoadPackage } from '../../../shared/ifpp-draft1/load-package.ts';
import { encodeManifestPage, manifestPageContent } from '../../../shared/ifpp-draft1/manifest-page.ts';
import { encodeManifestRoot, manifestRootTbs } from '../../../shared/ifpp-draft1/manifest-root.ts';
import { keyBackends } from '../../../shared/keys/backends.ts';
import { dpPbCertificationRequest } from '../../../shared/keys/certification-request.ts';
import { KeyRegistry } from '../../../shared/keys/registry.ts';
import { sealSoftkey } from '../../../shared/keys/softkey-file.ts';
import { encodeStoreMetadata } from '../../../shared/rsp/store-metadata.ts';
import { parseCertificate } from '../../../sim/certificate.ts';
import { type EcKey, encodePrivateKeyPem, encodeSpki, generateKey } from '../../../sim/curve.ts';
import { encodeProfileLoadingReport } from '../../../sim/ifpp-draft1.ts';
import { fullMetadata } from '../../rsp/full-metadata.ts';
import { buildUpp } from '../../sim/bpp-builder.ts';
import { Bench, ICCID } from '../../sim/installer.ts';
import { Folder } from './binding-bench.ts';

/** One artefact of each kind that `smdpf inspect` knows, by its kind; most are made by the counterparts. */
export async function oneOfEach(): Promise<ReadonlyMap<string, Bytes>> {
  const bench = new Bench({ keys: 3 });
  const { eid, euiccCert, euiccInfo2 } = bench.personalised;
  const keyId = toHex(bench.key().keyId);
  const transactionId = randomBytes(16);
  // so long that it takes two 88 elements
  const metadata = encodeStoreMetadata({ ...fullMetadata, icon: randomBytes(1000) });
  const bpp = bench.bpp(transactionId, { metadata });
  const pir = bench.load({}, 1);
  const [deletion] = bench.euicc.deleteProfile(ICCID, 'fpa');
  const at = new Date('2026-11-22T15:00:00Z');
  const chain = { ciPkId: bench.ci.keyId, certificates: bench.chain.certificates };
  const signature = randomBytes(64);
  const requestId = '0a0b';
  const item = { itemId: 1, eid, keyId, iccid: ICCID, additional: true };
  const euiccData = bench.eum.euiccDataBatch([bench.personalised], {
    deviceManufacturers: ['2.999.50'],
    dataKey: generateKey('p256'),
  });
  const serials = [parseCertificate(bench.chain.certificates[0]!).serialNumber, '0102'];

  return new Map<string, Bytes>([
    ['boundProfilePackage', bpp],
    ['profileInstallationResult', pir],
    ['storeMetadataRequest', encodeStoreMetadata(fullMetadata)],
    ['euiccInfo2', euiccInfo2],
    ['euiccDataBatch', euiccData],
    ['oneTimeKeyTbs', encodeOneTimeKeyTbs(eid, { keyId, otPk: Buffer.alloc(65, 4) }, Buffer.alloc(32, 5))],
    ['bppRequest', encodeBppRequest({ requestId, orderId: 'ORD-1', euiccData, items: [item] })],
    [
      'bppBatch',
      encodeBppBatch({
        requestId,
        chains: [chain],
        items: [
          {
            itemId: 1,
            eid,
            outcome: {
              kind: 'bound',
              transactionId: toHex(transactionId),
              keyId,
              iccid: ICCID,
              chain: 0,
              bpp,
            },
          },
          {
            itemId: 2,
            eid,
            outcome: { kind: 'failed', subjectCode: '8.2.5', reasonCode: '4.3', message: 'not eligible' },
          },
        ],
      }),
    ],
    [
      'profileLoadingReport',
      encodeProfileLoadingReport({
        reportId: Uint8Array.of(1),
        items: [
          { euiccResult: pir, at },
          {
            fpaError: {
              transactionId,
              eid,
              cause: 'badStatusWord',
              statusWord: Uint8Array.of(0x69, 0x85),
              at,
            },
          },
          { otherSigned: deletion!, at },
        ],
      }),
    ],
    [
      'batchManifest',
      encodeBatchManifest(
        batchManifestTbs({
          requestId,
          chains: [chain],
          parts: [
            {
              name: 'part-0',
              size: 5000,
              sha256: randomBytes(32),
              index: [{ eid, transactionId: toHex(transactionId), offset: 0, length: 5000 }],
            },
          ],
        }),
        signature,
      ),
    ],
    [
      'manifestRoot',
      encodeManifestRoot(
        manifestRootTbs({
          requestId,
          chains: [chain],
          items: 500,
          parts: 2,
          pages: 2,
          root: randomBytes(32),
        }),
        signature,
      ),
    ],
    [
      'manifestPage',
      encodeManifestPage(
        manifestPageContent({
          requestId,
          page: 1,
          firstPart: 1,
          parts: [{ name: 'part-1', size: 5000, sha256: randomBytes(32), index: [] }],
        }),
        [randomBytes(32)],
      ),
    ],
    ['loadPackage', encodeLoadPackage({ transactionId: toHex(transactionId), keyId, chain })],
    ['profilePackage', buildUpp({ iccid: ICCID })],
    [
      'softkey',
      await sealSoftkey({ role: 'wrapping', algorithm: 'aes-256', secret: randomBytes(32) }, randomBytes(32)),
    ],
    ['otherSignedNotification', deletion!],
    ['certificate', euiccCert],
    ['crl', bench.ci.issueCrl({ revoked: serials, number: 7 })],
    ['certificationRequest', await requestFor(bench.dpPbKey)],
    ['publicKey', encodeSpki(bench.dpPbKey)],
    ['privateKey', pkcs8Of(bench.dpPbKey)],
  ]);
}

async function requestFor(key: EcKey): Promise<Bytes> {
  const folder = new Folder();
  const registry = new KeyRegistry(keyBackends({ nodeEnv: 'test', env: {} }));
  try {
    const signing = await registry.openSigningKey(
      `pem:${folder.write('key.pem', encodePrivateKeyPem(key))}`,
      'binding',
    );
    return await dpPbCertificationRequest(signing, {
      organizationName: 'Example',
      commonName: 'SM-DPf',
      smdpOid: '2.999.10',
      column: 'v2',
    });
  } finally {
    await registry.close();
    folder.remove();
  }
}

function pkcs8Of(key: EcKey): Bytes {
  return Buffer.from(encodePrivateKeyPem(key).replace(/-----[^-]+-----|\s/g, ''), 'base64');
}
