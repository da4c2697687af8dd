import { type Bytes, fromHex, utf8 } from '../../../codec/bytes.ts';
import { encodeOid } from '../../../codec/oid.ts';
import { integerValue, type Tlv, tlv } from '../../../codec/tlv.ts';
import { type AkaParameter, withAkaParameter } from '../aka-parameter.ts';
import { contextTag, encodeFields, made } from '../element.ts';
import { fileTag } from '../file-pes.ts';
import { fileTemplate, TEMPLATE_OIDS } from '../file-templates.ts';
import { encodeHeader } from '../header.ts';
import { encodeCode } from '../parameters/codes.ts';
import { encodePinCodes } from '../pin-codes.ts';
import { PE_NAMES, type PeName } from '../profile-element.ts';
import { encodePukCodes } from '../puk-codes.ts';
import { type KeyObject, withKeyList } from '../security-domain.ts';
import type { ServiceName } from '../services.ts';

/** A profile package in words: what a person writes down to get one. Octets are hexadecimal, spaces allowed. */
export interface ProfileDescription {
  readonly profileType: string;
  /** Version of the interoperable format, `major.minor`. */
  readonly version: string;
  readonly iccid: string;
  readonly mandatoryServices: readonly ServiceName[];
  readonly elements: readonly ElementDescription[];
}

/** `mandated` is the rule; `optional` PEs may be skipped by an eUICC that does not support them. */
export type ElementDescription = { readonly optional?: true } & (
  | { readonly pe: FilePeName; readonly files: Readonly<Record<string, FileDescription>> }
  | { readonly pe: 'pinCodes'; readonly pins: readonly PinDescription[] }
  | { readonly pe: 'pukCodes'; readonly puks: readonly PukDescription[] }
  | { readonly pe: 'akaParameter'; readonly aka: AkaParameter }
  | { readonly pe: 'securityDomain'; readonly domain: SecurityDomainDescription }
  | { readonly pe: 'rfm'; readonly rfm: RfmDescription }
);
type FilePeName = 'mf' | 'telecom' | 'usim' | 'opt-usim' | 'isim' | 'opt-isim' | 'df-5gs' | 'df-saip';

/** What is not given comes from the template. */
export interface FileDescription {
  readonly fileId?: string;
  /** AID of an ADF. */
  readonly dfName?: string;
  /** Key references of a directory's PIN status template. */
  readonly pinStatus?: string;
  /** Octets of a transparent file. */
  readonly size?: number;
  /** Of a linear fixed file whose template leaves its records open; all of them are written. */
  readonly records?: { readonly length: number; readonly count: number; readonly content: readonly string[] };
  readonly content?: string;
}

export interface PinDescription {
  readonly reference: number;
  readonly digits: string;
  readonly puk?: number;
  readonly attributes?: number;
  readonly attempts?: number;
}

export interface PukDescription {
  readonly reference: number;
  readonly digits: string;
}

export interface SecurityDomainDescription {
  readonly loadPackageAid: string;
  readonly classAid: string;
  readonly instanceAid: string;
  readonly privileges: string;
  readonly lifeCycleState: string;
  readonly parametersC9: string;
  readonly toolkitParameters: string;
  readonly keys: readonly KeyObject[];
  readonly persoData: readonly string[];
}

export interface RfmDescription {
  readonly instanceAid: string;
  readonly tars: readonly string[];
  readonly minimumSecurityLevel: string;
  /** AID of the ADF selected by default. */
  readonly adfAid: string;
  /** Access domain parameter (ETSI TS 102 226 section 8.2.1.3.2.3.1), the same for all three accesses. */
  readonly accessDomain: string;
}

/** Builds the package in DER: header, PEs numbered from 1, end. */
export function buildPackage(description: ProfileDescription): Bytes {
  const [major, minor] = description.version.split('.').map(Number) as [number, number];
  const templates = description.elements
    .filter(({ optional }) => optional === undefined)
    .flatMap(({ pe }) => TEMPLATE_OIDS[pe] ?? []);
  const end = description.elements.length + 1;
  return Buffer.concat([
    encodeHeader({
      majorVersion: major,
      minorVersion: minor,
      profileType: description.profileType,
      iccid: description.iccid,
      mandatoryServices: description.mandatoryServices,
      mandatoryTemplates: [...new Set(templates)],
    }),
    ...description.elements.map((element, index) => buildElement(element, index + 1)),
    encodeFields(tagOf('end'), [peHeader(end, true)]),
  ]);
}

function buildElement(element: ElementDescription, identification: number): Bytes {
  const header = peHeader(identification, element.optional === undefined);
  const tag = tagOf(element.pe);
  switch (element.pe) {
    case 'pinCodes': {
      const pins = element.pins.map((pin) => ({
        keyReference: pin.reference,
        pinValue: encodeCode(pin.digits),
        unblockingPinReference: pin.puk,
        pinAttributes: pin.attributes ?? 7,
        attempts: pin.attempts ?? 0x33,
      }));
      return encodeFields(tag, [header, encodePinCodes(pins)]);
    }
    case 'pukCodes': {
      const puks = element.puks.map(({ reference, digits }) => ({
        keyReference: reference,
        pukValue: encodeCode(digits),
        attempts: 0xaa,
      }));
      return encodeFields(tag, [header, encodePukCodes(puks)]);
    }
    case 'akaParameter':
      return encodeFields(tag, withAkaParameter([header], element.aka));
    case 'securityDomain':
      return buildSecurityDomain(tag, header, element.domain);
    case 'rfm':
      return buildRfm(tag, header, element.rfm);
    default:
      return buildFilePe(tag, header, element.pe, element.files);
  }
}

function tagOf(name: PeName): number {
  const found = Object.entries(PE_NAMES).find(([, pe]) => pe === name);
  return Number(found![0]);
}

function peHeader(identification: number, mandated: boolean): Tlv {
  return made(0xa0, mandated ? tlv(0x80) : undefined, tlv(0x81, integerValue(identification)));
}

function hex(text: string): Bytes {
  return fromHex(text.replaceAll(' ', ''));
}

function buildFilePe(
  tag: number,
  header: Tlv,
  pe: PeName,
  files: Readonly<Record<string, FileDescription>>,
): Bytes {
  const encoded = Object.entries(files).map(([name, file]) => {
    const component = fileTag(pe, name);
    if (component === undefined) throw new RangeError(`the PE ${pe} has no file ${name}`);
    return tlv(component, ...fileItems(file, fileTemplate(TEMPLATE_OIDS[pe]!, name)?.size));
  });
  return tlv(tag, header.raw, tlv(0x81, encodeOid(TEMPLATE_OIDS[pe]!)), ...encoded);
}

/** A file that only its template describes is asked for by its size: eUICCs may not expect an Fcp that says nothing. */
function fileItems(file: FileDescription, templateSize: number | undefined): readonly Bytes[] {
  const { records } = file;
  const nothingGiven = Object.keys(file).length === 0;
  const given = nothingGiven ? templateSize : file.size;
  const size = records === undefined ? given : records.length * records.count;
  const fcp = [
    records === undefined
      ? undefined
      : tlv(0x82, Buffer.of(0x42, 0x21, records.length >>> 8, records.length & 0xff)),
    file.fileId === undefined ? undefined : tlv(0x83, hex(file.fileId)),
    file.dfName === undefined ? undefined : tlv(0x84, hex(file.dfName)),
    size === undefined
      ? undefined
      : tlv(0x80, size > 0xff ? Buffer.of(size >>> 8, size & 0xff) : Buffer.of(size)),
    file.pinStatus === undefined ? undefined : tlv(0xc6, hex(file.pinStatus)),
  ];
  const content = records === undefined ? hex(file.content ?? '') : recordContent(records);
  const described = content.length === 0 || fcp.some((part) => part !== undefined);
  return [
    ...(described ? [tlv(contextTag(1, true), ...fcp)] : []),
    ...(content.length === 0 ? [] : [tlv(contextTag(3, false), content)]),
  ];
}

/** Records FF filled to their length; records that are not given at the end stay as the template has them. */
function recordContent({ length, content }: NonNullable<FileDescription['records']>): Bytes {
  return Buffer.concat(
    content.map((record) => {
      const octets = hex(record);
      if (octets.length > length) throw new RangeError(`a record has more than ${length} octets`);
      return Buffer.concat([octets, Buffer.alloc(length - octets.length, 0xff)]);
    }),
  );
}

function buildSecurityDomain(tag: number, header: Tlv, domain: SecurityDomainDescription): Bytes {
  const instance = made(
    0xa1,
    tlv(0x4f, hex(domain.loadPackageAid)),
    tlv(0x4f, hex(domain.classAid)),
    tlv(0x4f, hex(domain.instanceAid)),
    tlv(0x82, hex(domain.privileges)),
    tlv(0x83, hex(domain.lifeCycleState)),
    tlv(0xc9, hex(domain.parametersC9)),
    tlv(0xea, tlv(0x80, hex(domain.toolkitParameters))),
  );
  const persoData = made(0xa3, ...domain.persoData.map((data) => tlv(0x04, hex(data))));
  return encodeFields(tag, withKeyList([header, instance, persoData], domain.keys));
}

function buildRfm(tag: number, header: Tlv, rfm: RfmDescription): Bytes {
  const domain = hex(rfm.accessDomain);
  return tlv(
    tag,
    header.raw,
    tlv(0x4f, hex(rfm.instanceAid)),
    tlv(0xa0, ...rfm.tars.map((tar) => tlv(0x04, hex(tar)))),
    tlv(0x81, hex(rfm.minimumSecurityLevel)),
    tlv(0x04, domain),
    tlv(0x04, domain),
    tlv(0x30, tlv(0x80, hex(rfm.adfAid)), tlv(0x81, domain), tlv(0x82, domain)),
  );
}

/** EF.UST and EF.IST (3GPP TS 31.102 section 4.2.8, TS 31.103 section 4.2.7): service n is bit n-1. */
export function serviceTable(services: readonly number[], length: number): string {
  const table = Buffer.alloc(length);
  for (const service of services) table[(service - 1) >>> 3]! |= 1 << ((service - 1) & 7);
  return table.toString('hex');
}

/** A record of EF.DIR (ETSI TS 102 221 section 13.1): application template with AID and label. */
export function directoryEntry(aid: string, label: string): string {
  return Buffer.from(tlv(0x61, tlv(0x4f, hex(aid)), tlv(0x50, utf8(label)))).toString('hex');
}
