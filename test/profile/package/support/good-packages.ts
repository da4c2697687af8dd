import { fromHex } from '../../../../shared/codec/bytes.ts';
import { encodeOid } from '../../../../shared/codec/oid.ts';
import { tlv } from '../../../../shared/codec/tlv.ts';
import { fileTag } from '../../../../shared/profile/package/file-pes.ts';
import { TEMPLATE_OIDS } from '../../../../shared/profile/package/file-templates.ts';
import type { PeName } from '../../../../shared/profile/package/profile-element.ts';
import { ownTemplate } from '../../../../shared/profile/package/template/own-profile.ts';
import {
  create,
  elementsOf,
  type FcpParts,
  fcp,
  file,
  fill,
  gfm,
  instead,
  join,
  pe,
  rebuilt,
  withAfter,
  withComponent,
  without,
} from './build.ts';

/** Packages without a finding, for tests that change one thing. */
export const own = ownTemplate();

/** A file PE of the first version of its template; files as `[name, Fcp, content]`. */
export function filePe(
  name: PeName,
  identification: number,
  ...files: readonly (readonly [string, FcpParts | undefined, string?])[]
): Uint8Array {
  return pe(
    name,
    identification,
    tlv(0x81, encodeOid(TEMPLATE_OIDS[name]!)),
    ...files.map(([component, parts, content]) => file(fileTag(name, component)!, parts, content)),
  );
}

export const pins = (
  identification: number,
  ...codes: readonly (readonly [number, string, number?, number?])[]
) =>
  pe(
    'pinCodes',
    identification,
    tlv(
      0xa1,
      tlv(
        0xa0,
        ...codes.map(([reference, value, puk, attempts]) =>
          tlv(
            0x30,
            tlv(0x80, integer(reference)),
            tlv(0x81, fromHex(value)),
            puk === undefined ? undefined : tlv(0x82, integer(puk)),
            attempts === undefined ? undefined : tlv(0x84, integer(attempts)),
          ),
        ),
      ),
    ),
  );

export const puks = (identification: number, ...codes: readonly (readonly [number, number?])[]) =>
  pe(
    'pukCodes',
    identification,
    tlv(
      0xa1,
      ...codes.map(([reference, attempts]) =>
        tlv(
          0x30,
          tlv(0x80, integer(reference)),
          tlv(0x81, Buffer.from('12345678')),
          attempts === undefined ? undefined : tlv(0x82, integer(attempts)),
        ),
      ),
    ),
  );

const integer = (value: number) => (value < 0x80 ? Buffer.of(value) : Buffer.of(0, value));
export const PIN = '30303030ffffffff';

export const aka = (
  identification: number,
  algorithm: number,
  key: number,
  opc: number,
  ...more: readonly Uint8Array[]
) =>
  pe(
    'akaParameter',
    identification,
    tlv(
      0xa1,
      tlv(
        0xa1,
        tlv(0x80, Buffer.of(algorithm)),
        tlv(0x81, Buffer.of(1)),
        tlv(0x82, Buffer.alloc(key)),
        tlv(0x83, Buffer.alloc(opc)),
      ),
    ),
    ...more,
  );

/** An akaParameter with ssimParameters. */
export const akaOfSsim = (identification: number) =>
  aka(identification, 1, 16, 16, tlv(0xa6, tlv(0x80, Buffer.from('5G:mnc001.mcc001.3gppnetwork.org'))));

/** The content of certificates and key is not looked at. */
export const eapTls = (identification: number) =>
  pe(
    'ssimEapTLSParameters',
    identification,
    tlv(0xa1, tlv(0x02, Buffer.of(1))),
    tlv(0xa3, tlv(0x02, Buffer.of(1))),
    tlv(0x84, Buffer.alloc(32, 1)),
  );

export const mapping = (identification: number, aid: string) =>
  pe('akaParameter', identification, tlv(0xa1, tlv(0xa0, tlv(0x80, Buffer.of(0)), tlv(0x81, fromHex(aid)))));

export interface Domain {
  readonly aid?: string;
  readonly extraditedTo?: string;
  readonly state?: number;
  /** Types of the components of key 1, version 01. */
  readonly components?: readonly number[];
  readonly more?: readonly Uint8Array[];
}
export const domain = (
  identification: number,
  { aid = 'A00000015153504341', extraditedTo, state = 0x0f, components, more = [] }: Domain,
) =>
  pe(
    'securityDomain',
    identification,
    tlv(0xa1, ...instanceParts(aid, extraditedTo, state)),
    ...(components === undefined
      ? []
      : [
          tlv(
            0xa2,
            tlv(
              0x30,
              tlv(0x95, Buffer.of(0x18)),
              tlv(0x82, Buffer.of(1)),
              tlv(0x83, Buffer.of(1)),
              tlv(
                0x30,
                ...components.map((type) =>
                  tlv(0x30, tlv(0x80, Buffer.of(type)), tlv(0x86, Buffer.alloc(16, 7))),
                ),
              ),
            ),
          ),
        ]),
    ...more,
  );

function instanceParts(
  aid: string,
  extraditedTo: string | undefined,
  state: number,
): readonly (Uint8Array | undefined)[] {
  return [
    tlv(0x4f, fromHex('A0000001515350')),
    tlv(0x4f, fromHex('A000000151535041')),
    tlv(0x4f, fromHex(aid)),
    extraditedTo === undefined ? undefined : tlv(0x4f, fromHex(extraditedTo)),
    tlv(0x82, fromHex('82dc00')),
    tlv(0x83, Buffer.of(state)),
    tlv(0xc9, fromHex('81028000')),
  ];
}

export const application = (identification: number, extraditedTo?: string) =>
  pe(
    'application',
    identification,
    tlv(0xa2, tlv(0x30, ...instanceParts('A00000055910100042', extraditedTo, 0x07))),
  );

export interface RfmParts {
  readonly aid?: string;
  readonly tars?: readonly string[] | undefined;
  readonly adf?: string;
}
export const USIM_AID = 'A0000000871002FF34FF0789312E30FF';
export const ISIM_AID = 'A0000000871004FF34FF0789312E30FF';
export const rfm = (identification: number, { aid = 'A00000055910100042', tars, adf }: RfmParts) =>
  pe(
    'rfm',
    identification,
    tlv(0x4f, fromHex(aid)),
    tars === undefined ? undefined : tlv(0xa0, ...tars.map((tar) => tlv(0x04, fromHex(tar)))),
    tlv(0x81, Buffer.of(2)),
    tlv(0x04, Buffer.of(0)),
    tlv(0x04, Buffer.of(0)),
    ...(adf === undefined
      ? []
      : [tlv(0x30, tlv(0x80, fromHex(adf)), tlv(0x81, Buffer.of(0)), tlv(0x82, Buffer.of(0)))]),
  );

/** The header with other components; undefined removes one. */
export function withHeader(upp: Uint8Array, tag: number, value: Uint8Array | undefined): Uint8Array {
  return withComponent(upp, 'header', tag, value && tlv(tag, value));
}

export const AD = { descriptor: '4121', arr: '01', size: '04' } as const;
export const DF = { descriptor: '7821', arr: '01', pins: '01 0a' } as const;

/** Our template with a DF of genericFileManagement behind DF.TELECOM, and in it what the lists make. */
export const withGfm = (...lists: readonly (readonly Uint8Array[])[]) =>
  withAfter(own, 'telecom', 0, gfm(60, ...lists));

/** Our template with a CSIM, its further files and its parameters. */
export const CSIM_AID = 'A0000003431002FF86FF0389FFFFFFFF';
export const csimPe = filePe('csim', 70, ['adf-csim', { fileId: '7fc0', dfName: CSIM_AID, pins: '01 0a' }]);
export const optCsimPe = filePe('opt-csim', 71, ['ef-mdn', { size: '0b' }]);
export const cdma = (identification: number) =>
  pe('cdmaParameter', identification, tlv(0x81, Buffer.alloc(8)));
/** EF.DIR of our template names USIM and ISIM; a third record is free. */
export function withDirectoryEntry(upp: Uint8Array, aid: string): Uint8Array {
  const record = tlv(0x61, tlv(0x4f, fromHex(aid)));
  const content = Buffer.concat([
    Buffer.alloc(0),
    ...[USIM_AID, ISIM_AID].map((known) => padded(tlv(0x61, tlv(0x4f, fromHex(known))))),
    padded(record),
  ]);
  const tag = fileTag('mf', 'ef-dir')!;
  return withComponent(
    upp,
    'mf',
    tag,
    tlv(tag, fcp(0xa1, { descriptor: '42210026', size: '98' }), tlv(0x83, content)),
  );
}
const padded = (record: Uint8Array) => Buffer.concat([record, Buffer.alloc(38 - record.length, 0xff)]);

export const csim = withDirectoryEntry(
  withAfter(own, 'akaParameter', 1, csimPe, optCsimPe, cdma(72)),
  CSIM_AID,
);

/** Our template with an SSIM and its EAP-TLS parameters, or an akaParameter. */
export const SSIM_AID = 'A0000000871008FF44FF0789FFFFFFFF';
export const ssimPe = filePe(
  'ssim',
  73,
  ['adf-ssim', { fileId: '7fe0', dfName: SSIM_AID, pins: '01 0a' }],
  ['ef-arr', { descriptor: '42210010', fileId: '6f06', arr: '01', size: '10' }],
  ['ef-eapId', { descriptor: '4121', fileId: '6f01', arr: '01', size: '04' }],
  ['ef-nssai', { descriptor: '4121', fileId: '6f02', arr: '01', size: '04' }],
  ['ef-eapStatus', { descriptor: '4121', fileId: '6f03', arr: '01', size: '01' }],
);
export const withSsim = (...parameters: readonly Uint8Array[]) =>
  withDirectoryEntry(withAfter(own, 'akaParameter', 1, ssimPe, ...parameters), SSIM_AID);
export const ssim = withSsim(eapTls(74));
export const ssimByAka = withSsim(akaOfSsim(74));

/** An IoT minimal profile. */
const IOT_HEADER = rebuilt(
  withHeader(
    withHeader(own, 0xa5, join(tlv(0x81), tlv(0x84))),
    0xa6,
    tlv(0x06, encodeOid(TEMPLATE_OIDS.iot!)),
  ),
  ({ name, raw }) => (name === 'header' ? raw : undefined),
);
export const iotPe = filePe(
  'iot',
  2,
  ['adf-usim', { fileId: '7fd0', pins: '81' }],
  ['ef-imsi', undefined, '080910101000000000'],
  ['ef-acc', undefined, '0001'],
);
export const optIotPe = filePe('opt-iot', 3, ['ef-spn', undefined, `01${'ff'.repeat(16)}`]);
export const iot = join(
  withHeader(IOT_HEADER, 0xa9, tlv(0x80, fromHex('1002ff34ff0789'))),
  puks(1, [0x81]),
  iotPe,
  optIotPe,
  pins(4, [0x81, PIN, 0x81]),
  aka(5, 1, 16, 16),
  domain(6, { aid: 'A000000151000000' }),
  pe('end', 7),
);

/** Our template whose USIM, or whose MF, is made by genericFileManagement. */
export const createdUsim = instead(
  without(own, 'opt-usim', 'df-5gs', 'df-saip', 'rfm'),
  'usim',
  0,
  gfm(60, [
    create({ descriptor: '7821', fileId: '7fd0', dfName: USIM_AID, arr: '01', pins: '01810a' }),
    create({ descriptor: '4121', fileId: '6f07', arr: '01', size: '09' }),
    fill('080910101000000000'),
    create({ descriptor: '4121', fileId: '6f78', arr: '01', size: '02' }),
    fill('0001'),
    create({ ...AD, fileId: '6fad' }),
    fill('00000002'),
  ]),
);
export const createdMf = instead(
  own,
  'mf',
  0,
  gfm(1, [
    create({ descriptor: '7821', fileId: '3f00', arr: '01', pins: '010a' }),
    create({ descriptor: '4121', fileId: '2fe2', arr: '01', size: '0a' }),
    fill('980001010000000000f1'),
  ]),
);

export const elements = elementsOf(own);
export const raw = (name: PeName, nth = 0) => elements.filter((element) => element.name === name)[nth]!.raw;
/** A PE of our template under another identification. */
export function again(name: PeName, identification: number, nth = 0): Uint8Array {
  const { fields } = elements.filter((element) => element.name === name)[nth]!;
  return pe(name, identification, ...fields.slice(1).map((field) => field.raw));
}
