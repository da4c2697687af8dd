import { randomBytes } from 'node:crypto';
import { inspectArtefact } from '../../cli/inspect/inspect.ts';
import { parseRange } from '../../cli/server/range.ts';
import { type Bytes, utf8 } from '../../shared/codec/bytes.ts';
import { readSpki } from '../../shared/crypto/ec-key-forms.ts';
import { Fault } from '../../shared/errors.ts';
import { parseJson } from '../../shared/gsma/json.ts';
import { decodeBatchManifest } from '../../shared/ifpp-draft1/batch-manifest.ts';
import { decodeBppBatch } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { decodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { scanBppRequest } from '../../shared/ifpp-draft1/bpp-request-scan.ts';
import { decodeEuiccDataBatch } from '../../shared/ifpp-draft1/euicc-data-batch.ts';
import { decodeLoadPackage } from '../../shared/ifpp-draft1/load-package.ts';
import { decodeProfileLoadingReport } from '../../shared/ifpp-draft1/profile-loading-report.ts';
import { scanProfileLoadingReport } from '../../shared/ifpp-draft1/profile-loading-report-scan.ts';
import { ecPrivateKeyFromDer } from '../../shared/keys/ec-private-key.ts';
import { decodeBlockJwe } from '../../shared/keys/intake-jwe.ts';
import { parseKeyUri } from '../../shared/keys/uri.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { decodeCrl } from '../../shared/pki/crl.ts';
import { verifyCertificationRequest } from '../../shared/pki/csr.ts';
import { decodePackage } from '../../shared/profile/package/profile-element.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { rowBlocks } from '../../shared/profile/rows/row-file.ts';
import { decodeBoundProfilePackage } from '../../shared/rsp/bound-profile-package.ts';
import { decodeEuiccInfo2 } from '../../shared/rsp/euicc-info2.ts';
import { decodeOtherSignedNotification } from '../../shared/rsp/other-signed-notification.ts';
import { decodeProfileInstallationResult } from '../../shared/rsp/profile-installation-result.ts';
import { decodeStoreMetadata } from '../../shared/rsp/store-metadata.ts';
import { TransferSigner } from '../../shared/vault/transfer.ts';
import { oneOfEach } from '../cli/support/artefacts.ts';
import type { Target } from './target.ts';

const text = (octets: Bytes) => Buffer.from(octets).toString('utf8');

/** Everything that reads octets of somebody else's, in this process. */
export async function parsers(): Promise<Target[]> {
  const artefacts = await oneOfEach();
  const of = (kind: string): Bytes => {
    const octets = artefacts.get(kind);
    if (octets === undefined) throw new Error(`there is no ${kind}`);
    return octets;
  };
  const parser = (kind: string, seeds: readonly Bytes[], run: Target['run']): Target => ({
    kind: `parser: ${kind}`,
    seeds,
    run,
  });
  const der: readonly (readonly [string, (octets: Bytes) => unknown])[] = [
    ['euiccDataBatch', decodeEuiccDataBatch],
    ['bppRequest', decodeBppRequest],
    ['profileLoadingReport', decodeProfileLoadingReport],
    ['bppBatch', decodeBppBatch],
    ['batchManifest', decodeBatchManifest],
    ['loadPackage', decodeLoadPackage],
    ['boundProfilePackage', decodeBoundProfilePackage],
    ['profileInstallationResult', decodeProfileInstallationResult],
    ['otherSignedNotification', decodeOtherSignedNotification],
    ['euiccInfo2', decodeEuiccInfo2],
    ['storeMetadataRequest', decodeStoreMetadata],
    ['certificate', (octets) => decodeCertificate(octets, 'eumCertificateInvalid')],
    ['crl', decodeCrl],
    ['certificationRequest', verifyCertificationRequest],
    ['publicKey', readSpki],
    ['privateKey', ecPrivateKeyFromDer],
  ];
  return [
    ...der.map(([kind, decode]) => parser(kind, [of(kind)], decode)),
    parser('bppRequest as it arrives', [of('bppRequest')], (octets) =>
      scanBppRequest(() => only(octets), octets.length, 2),
    ),
    parser('profileLoadingReport as it arrives', [of('profileLoadingReport')], (octets) =>
      scanProfileLoadingReport(only(octets), octets.length, 2),
    ),
    parser('profilePackage', [of('profilePackage'), ownTemplate()], (octets) => decodePackage(octets)),
    parser('inspect', [...artefacts.values()], (octets) => inspectArtefact(octets)),
    parser('json', [utf8(JSON.stringify({ a: [1, { b: 'c\\u0041' }], d: -1.5e3, e: null }))], (octets) =>
      parseJson(text(octets)),
    ),
    ...rowParsers(parser),
    ...textParsers(parser),
  ];
}

type Make = (kind: string, seeds: readonly Bytes[], run: Target['run']) => Target;

function rowParsers(parser: Make): Target[] {
  const rows = (format: 'csv' | 'jsonl') => async (octets: Bytes) => {
    const file = { format, orderId: 'ORD-1' };
    for await (const block of rowBlocks(file, only(octets), 2)) void block;
  };
  return [
    parser(
      'rows in CSV',
      [
        utf8(
          'iccid,imsi,msisdn\r\n8933110000000000009,001010000000001,"+4912345"\r\n8933110000000000017,1,\r\n',
        ),
      ],
      rows('csv'),
    ),
    parser(
      'rows in JSON Lines',
      [utf8('{"iccid":"8933110000000000009","imsi":"001010000000001"}\n{"iccid":"1","imsi":"2"}\n')],
      rows('jsonl'),
    ),
  ];
}

async function* only(octets: Bytes): AsyncGenerator<Bytes> {
  yield octets;
}

function textParsers(parser: Make): Target[] {
  const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = {
    alg: 'RSA-OAEP-256',
    enc: 'A256GCM',
    cty: 'csv',
    kid: 'k',
    order: 'O',
    block: 0,
    blocks: 1,
  };
  const jwe = [base64url(header), 'AAAA', 'AAAAAAAAAAAAAAAA', 'AA', 'AAAAAAAAAAAAAAAAAAAAAA'].join('.');
  const signer = new TransferSigner(randomBytes(32));
  const ref = { name: 'parts/1', version: '00000001', size: 5, sha256: '00'.repeat(32) };
  const token = signer.sign({ operation: 'download', ref, expiresAtSeconds: 4e9, holder: { party: 'P' } });
  const uris = [
    'softkey:path=/var/keys/a%20b.key',
    'pkcs11:token=op;object=dppb;type=private?pin-source=file:/pin',
    'awskms:key-id=1234abcd-12ab-34cd-56ef-1234567890ab;region=eu-central-1',
    'pem:/keys/a.pem',
  ];
  return [
    parser('encrypted block of rows', [utf8(jwe)], (octets) => decodeBlockJwe(text(octets))),
    parser('key URI', uris.map(utf8), (octets) => configured(() => parseKeyUri(text(octets)))),
    parser('Range', ['bytes=0-499', 'bytes=-5', 'bytes=9-'].map(utf8), (octets) =>
      parseRange(text(octets), 1_000),
    ),
    parser('transfer token', [utf8(token)], (octets) => signer.verify(text(octets), new Date(0))),
  ];
}

/** Of a configuration, which is nobody's message to us: a typed fault that says so is how it is refused. */
function configured(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault && error.code === 'configuration') return 'refused';
    throw error;
  }
}
