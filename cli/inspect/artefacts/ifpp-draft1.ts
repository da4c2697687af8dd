import { decodeBatchManifest } from '../../../shared/ifpp-draft1/batch-manifest.ts';
import { decodeBppBatch } from '../../../shared/ifpp-draft1/bpp-batch.ts';
import { decodeBppRequest } from '../../../shared/ifpp-draft1/bpp-request.ts';
import {
  decodeEuiccDataBatch,
  decodeEuiccEntry,
  decodeOneTimeKeyTbs,
} from '../../../shared/ifpp-draft1/euicc-data-batch.ts';
import { decodeLoadPackage } from '../../../shared/ifpp-draft1/load-package.ts';
import { decodeManifestPage } from '../../../shared/ifpp-draft1/manifest-page.ts';
import { decodeManifestRoot } from '../../../shared/ifpp-draft1/manifest-root.ts';
import {
  decodeProfileLoadingReport,
  decodeReportItem,
  FPA_CAUSES,
} from '../../../shared/ifpp-draft1/profile-loading-report.ts';
import { TAG } from '../../../shared/ifpp-draft1/tags.ts';
import { leaf, listOf, type Shape, tree, wrapped } from '../shape.ts';
import { checkAt, tlvDescriber } from '../tlv-describer.ts';
import {
  curve,
  eid,
  flag,
  iccid,
  id16,
  integer,
  named,
  octetsOf,
  oneTimeKey,
  signature,
  text,
  time,
} from '../values.ts';
import { BOUND_PROFILE_PACKAGE_SHAPE } from './bound-profile-package.ts';
import { CERTIFICATE_SHAPE } from './certificate.ts';
import { EUICC_INFO2_SHAPE } from './euicc-info2.ts';
import { OTHER_SIGNED_NOTIFICATION_SHAPE, PROFILE_INSTALLATION_RESULT_SHAPE } from './notifications.ts';

// The types of shared/ifpp-draft1/ifpp-draft1.asn, our own proposals.

const id = (name: string): Shape => leaf(name, id16);
const version: Shape = leaf('version', integer);
const certificates = (name: string): Shape =>
  listOf(
    name,
    wrapped('certificate', () => CERTIFICATE_SHAPE),
  );

const chain = (name: string): Shape =>
  tree(name, [
    [0x80, leaf('ciPkId', octetsOf(20))],
    [0xa1, certificates('certificates')],
  ]);

const EUICC_DATA_BATCH_SHAPE: Shape = tree('euiccDataBatch', [
  [0x80, version],
  [0x81, id('batchId')],
  [0x82, leaf('ciPkId', octetsOf(20))],
  [0x83, leaf('curve', curve)],
  [0xa4, certificates('eumChain')],
  [0x85, wrapped('euiccInfo2', () => EUICC_INFO2_SHAPE)],
  [
    0xa6,
    listOf(
      'entries',
      tree('euiccEntry', [
        [0x80, leaf('eid', eid)],
        [0x81, wrapped('euiccCert', () => CERTIFICATE_SHAPE)],
        [
          0xa2,
          listOf(
            'oneTimeKeys',
            tree('oneTimeKey', [
              [0x80, id('keyId')],
              [0x81, leaf('otPk', oneTimeKey)],
              [0x82, leaf('proof', signature)],
            ]),
          ),
        ],
        [0x83, wrapped('euiccInfo2', () => EUICC_INFO2_SHAPE)],
      ]),
    ),
  ],
  [0xa7, listOf('deviceManufacturers', leaf('deviceManufacturer', text))],
  [0x88, leaf('eumDataSignature', signature)],
]);

export const euiccDataBatch = tlvDescriber({
  kind: 'euiccDataBatch',
  title: 'eUICC data batch (FF60)',
  tag: TAG.euiccDataBatch,
  shape: EUICC_DATA_BATCH_SHAPE,
  check(octets) {
    const { entries } = decodeEuiccDataBatch(octets);
    for (const entry of entries)
      checkAt(entry.byteOffset - octets.byteOffset, 'FF60/A6', () => decodeEuiccEntry(entry));
    return [{ severity: 'note', message: `${entries.length} eUICCs` }];
  },
});

/** What an eUICC signs for each one-time key; it travels inside no file, but shows up where proofs are made or checked. */
export const oneTimeKeyTbs = tlvDescriber({
  kind: 'oneTimeKeyTbs',
  title: 'one-time key as its eUICC signs it (FF64)',
  tag: TAG.oneTimeKeyTbs,
  shape: tree('oneTimeKeyTbs', [
    [0x80, leaf('eid', eid)],
    [0x81, id('keyId')],
    [0x82, leaf('otPk', oneTimeKey)],
    [0x83, leaf('euiccInfo2Hash', octetsOf(32))],
  ]),
  check(octets) {
    decodeOneTimeKeyTbs(octets);
    return [];
  },
});

export const bppRequest = tlvDescriber({
  kind: 'bppRequest',
  title: 'BPP request (FF61)',
  tag: TAG.bppRequest,
  shape: tree('bppRequest', [
    [0x80, version],
    [0x81, id('requestId')],
    [0x82, leaf('orderId', text)],
    [0x83, wrapped('euiccData', () => EUICC_DATA_BATCH_SHAPE)],
    [
      0xa4,
      listOf(
        'items',
        tree('requestItem', [
          [0x80, leaf('itemId', integer)],
          [0x81, leaf('eid', eid)],
          [0x82, id('keyId')],
          [0x83, leaf('iccid', iccid)],
          [0x84, leaf('additional', flag)],
        ]),
      ),
    ],
  ]),
  check(octets) {
    const { items } = decodeBppRequest(octets);
    return [
      { severity: 'note', message: `${items.length} items` },
      ...items.flatMap(({ itemId, malformed }) =>
        malformed === undefined
          ? []
          : [{ severity: 'error' as const, message: `item ${itemId}: ${malformed.message}` }],
      ),
    ];
  },
});

export const bppBatch = tlvDescriber({
  kind: 'bppBatch',
  title: 'BPP batch (FF62)',
  tag: TAG.bppBatch,
  shape: tree('bppBatch', [
    [0x80, version],
    [0x81, id('requestId')],
    [0xa2, listOf('chains', chain('chain'))],
    [
      0xa3,
      listOf(
        'items',
        tree('bppItem', [
          [0x80, leaf('itemId', integer)],
          [0x81, leaf('eid', eid)],
          [
            0xa2,
            tree('outcome', [
              [
                0xa0,
                tree('bound', [
                  [0x80, id('transactionId')],
                  [0x81, id('keyId')],
                  [0x82, leaf('iccid', iccid)],
                  [0x83, leaf('chain', integer)],
                  [0x84, wrapped('bpp', () => BOUND_PROFILE_PACKAGE_SHAPE)],
                ]),
              ],
              [
                0xa1,
                tree('failed', [
                  [0x80, leaf('subjectCode', text)],
                  [0x81, leaf('reasonCode', text)],
                  [0x82, leaf('message', text)],
                ]),
              ],
            ]),
          ],
        ]),
      ),
    ],
  ]),
  check(octets) {
    const { items } = decodeBppBatch(octets);
    const bound = items.filter(({ outcome }) => outcome.kind === 'bound').length;
    return [{ severity: 'note', message: `${bound} bound, ${items.length - bound} failed` }];
  },
});

const PARTS_SHAPE: Shape = listOf(
  'parts',
  tree('part', [
    [0x80, leaf('name', text)],
    [0x81, leaf('size', integer)],
    [0x82, leaf('sha256', octetsOf(32))],
    [
      0xa3,
      listOf(
        'index',
        tree('entry', [
          [0x80, leaf('eid', eid)],
          [0x81, id('transactionId')],
          [0x82, leaf('offset', integer)],
          [0x83, leaf('length', integer)],
        ]),
      ),
    ],
  ]),
);

export const batchManifest = tlvDescriber({
  kind: 'batchManifest',
  title: 'Batch manifest (FF65)',
  tag: TAG.batchManifest,
  shape: tree('batchManifest', [
    [0x80, version],
    [0x81, id('requestId')],
    [0xa2, listOf('chains', chain('chain'))],
    [0xa3, PARTS_SHAPE],
    [0x84, leaf('signature', signature)],
  ]),
  check(octets) {
    const { parts } = decodeBatchManifest(octets);
    return [{ severity: 'note', message: `${parts.length} parts` }];
  },
});

export const manifestRoot = tlvDescriber({
  kind: 'manifestRoot',
  title: 'Root of a manifest with pages (FF67)',
  tag: TAG.manifestRoot,
  shape: tree('manifestRoot', [
    [0x80, version],
    [0x81, id('requestId')],
    [0xa2, listOf('chains', chain('chain'))],
    [0x83, leaf('items', integer)],
    [0x84, leaf('parts', integer)],
    [0x85, leaf('pages', integer)],
    [0x86, leaf('root', octetsOf(32))],
    [0x87, leaf('signature', signature)],
  ]),
  check(octets) {
    const { parts, pages } = decodeManifestRoot(octets);
    return [{ severity: 'note', message: `${parts} parts on ${pages} pages` }];
  },
});

export const manifestPage = tlvDescriber({
  kind: 'manifestPage',
  title: 'Page of a manifest (FF68)',
  tag: TAG.manifestPage,
  shape: tree('manifestPage', [
    [0x80, version],
    [0x81, id('requestId')],
    [0x82, leaf('page', integer)],
    [0x83, leaf('firstPart', integer)],
    [0xa4, PARTS_SHAPE],
    [0xa5, listOf('proof', leaf('hash', octetsOf(32)))],
  ]),
  check(octets) {
    const { page, parts, proof } = decodeManifestPage(octets);
    return [
      { severity: 'note', message: `page ${page}, ${parts.length} parts, a proof of ${proof.length} hashes` },
    ];
  },
});

export const loadPackage = tlvDescriber({
  kind: 'loadPackage',
  title: 'Load package (FF66)',
  tag: TAG.loadPackage,
  shape: tree('loadPackage', [
    [0x80, id('transactionId')],
    [0x81, id('keyId')],
    [0xa2, chain('chain')],
  ]),
  check(octets) {
    decodeLoadPackage(octets);
    return [];
  },
});

const result = (name: string, shape: Shape): Shape =>
  tree(name, [
    [0x80, wrapped('result', () => shape)],
    [0x81, leaf('at', time)],
  ]);

const REPORT_ITEM_SHAPES: ReadonlyMap<number, Shape> = new Map([
  [0xa0, result('euiccResult', PROFILE_INSTALLATION_RESULT_SHAPE)],
  [
    0xa1,
    tree('fpaError', [
      [0x80, id('transactionId')],
      [0x81, leaf('eid', eid)],
      [
        0x82,
        leaf(
          'cause',
          named((value) => FPA_CAUSES[value as keyof typeof FPA_CAUSES]),
        ),
      ],
      [0x83, leaf('statusWord', octetsOf(2))],
      [0x84, leaf('detail', text)],
      [0x85, leaf('at', time)],
    ]),
  ],
  [0xa2, result('otherSigned', OTHER_SIGNED_NOTIFICATION_SHAPE)],
]);

export const profileLoadingReport = tlvDescriber({
  kind: 'profileLoadingReport',
  title: 'Profile Loading Report (FF63)',
  tag: TAG.profileLoadingReport,
  shape: tree('profileLoadingReport', [
    [0x80, version],
    [0x81, id('reportId')],
    [0xa2, { name: 'items', parts: [...REPORT_ITEM_SHAPES], unordered: true }],
  ]),
  check(octets) {
    const { items } = decodeProfileLoadingReport(octets);
    for (const item of items)
      checkAt(item.byteOffset - octets.byteOffset, 'FF63/A2', () => decodeReportItem(item));
    return [{ severity: 'note', message: `${items.length} items` }];
  },
});
