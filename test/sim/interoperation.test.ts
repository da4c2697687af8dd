import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { batchManifestTbs, encodeBatchManifest } from '../../shared/ifpp-draft1/batch-manifest.ts';
import { type BppItem, encodeBppBatch, encodeBppItem } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { decodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { decodeEuiccDataBatch, decodeEuiccEntry } from '../../shared/ifpp-draft1/euicc-data-batch.ts';
import { encodeLoadPackage } from '../../shared/ifpp-draft1/load-package.ts';
import {
  decodeProfileLoadingReport,
  decodeReportItem,
} from '../../shared/ifpp-draft1/profile-loading-report.ts';
import { decodeEuiccInfo2 } from '../../shared/rsp/euicc-info2.ts';
import { decodeOtherSignedNotification } from '../../shared/rsp/other-signed-notification.ts';
import { decodeProfileInstallationResult } from '../../shared/rsp/profile-installation-result.ts';
import { generateKey, sign } from '../../sim/curve.ts';
import * as ours from '../../sim/ifpp-draft1.ts';
import { Bench, ICCID } from './installer.ts';

// Two codecs that know nothing of each other: what one side writes the other must read, field for field.

const bench = new Bench({ keys: 2 });
const { eid, euiccCert } = bench.personalised;
const { keyId } = bench.key();

describe('what the counterparts write, the server reads', () => {
  it('EuiccDataBatch and EuiccInfo2', () => {
    const dataKey = generateKey('p256');
    const der = bench.eum.euiccDataBatch([bench.personalised], {
      deviceManufacturers: ['2.999.50'],
      dataKey,
    });
    const batch = decodeEuiccDataBatch(der);
    expect(batch.deviceManufacturers).toEqual(['2.999.50']);
    expect(toHex(batch.ciPkId)).toBe(toHex(bench.ci.keyId));
    const [entry] = batch.entries.map((element) => decodeEuiccEntry(element));
    expect(entry).toMatchObject({ eid, euiccCert });
    expect(entry?.oneTimeKeys.map((key) => toHex(key.otPk))).toEqual(
      [0, 1].map((index) => toHex(bench.key(index).otPk)),
    );
    expect(decodeEuiccInfo2(batch.euiccInfo2).profileVersion).toBe('3.3.1');
  });

  it('BppRequest', () => {
    const items = [{ itemId: 1, eid, keyId, iccid: ICCID, additional: true }];
    const der = ours.encodeBppRequest({ requestId: Uint8Array.of(7), orderId: 'ORD-1', items });
    expect(decodeBppRequest(der)).toMatchObject({
      requestId: '07',
      orderId: 'ORD-1',
      items: [{ ...items[0], keyId: toHex(keyId) }],
    });
  });

  it('ProfileLoadingReport', () => {
    const transactionId = randomBytes(16);
    const at = new Date('2026-11-22T15:00:00Z');
    const fpaError = {
      transactionId,
      eid,
      cause: 'badStatusWord',
      statusWord: Uint8Array.of(0x69, 0x85),
      at,
    } as const;
    const pir = bench.load();
    const report = decodeProfileLoadingReport(
      ours.encodeProfileLoadingReport({
        reportId: Uint8Array.of(1),
        items: [{ fpaError }, { euiccResult: pir, at }],
      }),
    );
    const [first, second] = report.items.map((element) => decodeReportItem(element));
    expect(first).toMatchObject({
      kind: 'fpaError',
      transactionId: toHex(transactionId),
      eid,
      statusWord: '6985',
    });
    expect(second).toMatchObject({ kind: 'euiccResult' });
  });

  it('Profile Installation Results, good and bad, and OtherSignedNotification', () => {
    const fresh = new Bench();
    const refused = decodeProfileInstallationResult(fresh.load({ dpPbKey: generateKey('p256') }));
    expect(refused.finalResult).toEqual({
      errorResult: { bppCommandId: 'initialiseSecureChannel', errorReason: 2 },
    });
    const installed = decodeProfileInstallationResult(fresh.load());
    expect(installed).toMatchObject({
      smdpOid: '2.999.10',
      notificationMetadata: { iccid: ICCID, seqNumber: 2 },
    });
    const [deletion] = fresh.euicc.deleteProfile(ICCID);
    expect(decodeOtherSignedNotification(deletion!).notificationMetadata).toMatchObject({
      profileManagementOperation: 'delete',
      iccid: ICCID,
      seqNumber: 3,
    });
  });
});

describe('what the server writes, the counterparts read', { tags: ['ESBPP01'] }, () => {
  const bound = {
    kind: 'bound',
    transactionId: '11'.repeat(16),
    keyId: '22',
    iccid: ICCID,
    chain: 0,
  } as const;
  const items: BppItem[] = [
    {
      itemId: 7,
      eid,
      outcome: { kind: 'failed', subjectCode: '8.2.5', reasonCode: '4.3', message: undefined },
    },
    { itemId: 8, eid, outcome: { ...bound, bpp: Buffer.from('bf3600', 'hex') } },
  ];
  const chains = [bench.chain];

  it('LoadPackage', () => {
    const loadPackage = { transactionId: '33'.repeat(16), keyId: toHex(keyId), chain: bench.chain };
    const read = ours.decodeLoadPackage(encodeLoadPackage(loadPackage));
    expect(toHex(read.transactionId)).toBe(loadPackage.transactionId);
    expect(toHex(read.keyId)).toBe(loadPackage.keyId);
    expect(toHex(read.chain.certificates[0]!)).toBe(toHex(bench.chain.certificates[0]!));
  });

  it('BppBatch', () => {
    const batch = ours.decodeBppBatch(encodeBppBatch({ requestId: '07', chains, items }));
    expect(batch.items[0]).toEqual({ itemId: 7, eid, failed: { subjectCode: '8.2.5', reasonCode: '4.3' } });
    expect(batch.items[1]).toMatchObject({ itemId: 8, bound: { iccid: ICCID, chain: 0 } });
  });

  it('BatchManifest with its parts, which make the same BppBatch as one piece', () => {
    const deliveryKey = generateKey('p256');
    const parts = items.map((item, index) => ({ name: `part-${index}`, octets: encodeBppItem(item) }));
    const tbs = batchManifestTbs({
      requestId: '07',
      chains,
      parts: parts.map(({ name, octets }) => ({
        name,
        size: octets.length,
        sha256: createHash('sha256').update(octets).digest(),
        index: [{ eid, transactionId: bound.transactionId, offset: 0, length: octets.length }],
      })),
    });
    const manifest = encodeBatchManifest(tbs, sign(deliveryKey, tbs));
    const part = (name: string) => parts.find((candidate) => candidate.name === name)!.octets;
    const assembled = ours.assembleBppBatch(manifest, part, deliveryKey);
    expect(toHex(assembled)).toBe(toHex(encodeBppBatch({ requestId: '07', chains, items })));
    expect(() => ours.assembleBppBatch(manifest, () => part('part-0'))).toThrow(/part-1/);
    expect(() => ours.assembleBppBatch(manifest, part, generateKey('p256'))).toThrow(/delivery key/);
  });
});
