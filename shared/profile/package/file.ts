import { type Bytes, equal } from '../../codec/bytes.ts';
import { integerValue, type Tlv, tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { child, children, integerOf, made } from './element.ts';

/**
 * File ::= SEQUENCE OF CHOICE (TCA eUICC Profile Package 3.3.1). A file starts as its template has it, or as its
 * pattern says; then the fill entries are written in order, each offset counted from the end of the last content.
 */
export type FileItem =
  | { readonly kind: 'doNotCreate' }
  | { readonly kind: 'fileDescriptor'; readonly fcp: Fcp }
  | { readonly kind: 'fillFileOffset'; readonly skip: number }
  | { readonly kind: 'fillFileContent'; readonly content: Bytes };

/** Fcp: what is given here overrides the template. Octets as in ETSI TS 102 222. */
export interface Fcp {
  /** All components, for re-encoding. */
  readonly fields: readonly Tlv[];
  readonly structure: FileStructure | undefined;
  /** Of linear fixed and cyclic files. */
  readonly recordLength: number | undefined;
  /** Two octets. */
  readonly fileId: Bytes | undefined;
  readonly dfName: Bytes | undefined;
  /** efFileSize, in octets. */
  readonly size: number | undefined;
  /** maximumFileSize of a BER-TLV file, in octets. */
  readonly maximumSize: number | undefined;
  readonly pattern: FillPattern | undefined;
  /** A link to another file: this one has no content of its own. */
  readonly linkPath: Bytes | undefined;
}

export type FileStructure = 'df' | 'transparent' | 'linear-fixed' | 'cyclic' | 'ber-tlv';

/** fillPattern repeats its last octet, repeatPattern the whole (ETSI TS 102 222 section 6.3.2.2). */
export interface FillPattern {
  readonly kind: 'fill' | 'repeat';
  readonly octets: Bytes;
}

const ITEM = {
  doNotCreate: 0x80,
  fileDescriptor: 0xa1,
  fillFileOffset: 0x82,
  fillFileContent: 0x83,
} as const;
const MAX_SKIP = 65535;

export function decodeFile(element: Tlv): readonly FileItem[] {
  return children(element).map((item, position): FileItem => {
    switch (item.tag) {
      case ITEM.doNotCreate:
        return { kind: 'doNotCreate' };
      case ITEM.fileDescriptor:
        if (position !== 0)
          refuse('profileInvalid', 'a fileDescriptor is not first', { offset: item.offset });
        return { kind: 'fileDescriptor', fcp: decodeFcp(item) };
      case ITEM.fillFileOffset: {
        const skip = integerOf(item, 'fillFileOffset');
        if (skip > MAX_SKIP)
          refuse('profileInvalid', 'fillFileOffset exceeds 65535', { offset: item.offset });
        return { kind: 'fillFileOffset', skip };
      }
      case ITEM.fillFileContent:
        return { kind: 'fillFileContent', content: item.value };
      default:
        return refuse('profileInvalid', 'a file holds an unknown entry', { offset: item.offset });
    }
  });
}

/** The file in DER under this component tag. */
export function encodeFile(tag: number, items: readonly FileItem[]): Tlv {
  return made(tag, ...items.map(encodeItem));
}

function encodeItem(item: FileItem): Bytes {
  switch (item.kind) {
    case 'doNotCreate':
      return tlv(ITEM.doNotCreate);
    case 'fileDescriptor':
      return encodeDescriptor(item.fcp);
    case 'fillFileOffset':
      return tlv(ITEM.fillFileOffset, integerValue(item.skip));
    case 'fillFileContent':
      return tlv(ITEM.fillFileContent, item.content);
  }
}

/** A template's descriptors are encoded once for all its profiles. */
const encodedDescriptors = new WeakMap<Fcp, Bytes>();

function encodeDescriptor(fcp: Fcp): Bytes {
  const known = encodedDescriptors.get(fcp);
  if (known !== undefined) return known;
  const encoded = tlv(ITEM.fileDescriptor, ...withoutDefaults(fcp.fields));
  encodedDescriptors.set(fcp, encoded);
  return encoded;
}

const PROPRIETARY_INFO = 0xa5;
const FCP_DEFAULTS: ReadonlyMap<number, Bytes> = new Map([[0x8a, Buffer.of(0x05)]]);
const PROPRIETARY_DEFAULTS: ReadonlyMap<number, Bytes> = new Map([
  [0xc0, Buffer.of(0x00)],
  [0x84, Buffer.of(0x01)],
]);

/** DER leaves DEFAULT values out: lcsi 05, specialFileInformation 00, fileDetails 01. */
function withoutDefaults(fields: readonly Tlv[]): readonly Bytes[] {
  const isDefault = (field: Tlv, defaults: ReadonlyMap<number, Bytes>) => {
    const value = defaults.get(field.tag);
    return value !== undefined && equal(value, field.value);
  };
  return fields.flatMap((field) => {
    if (isDefault(field, FCP_DEFAULTS)) return [];
    if (field.tag !== PROPRIETARY_INFO) return [field.raw];
    const kept = children(field).filter((part) => !isDefault(part, PROPRIETARY_DEFAULTS));
    return [tlv(PROPRIETARY_INFO, ...kept.map(({ raw }) => raw))];
  });
}

/** Reads an Fcp under whatever tag it stands: fileDescriptor of a File, createFCP of a FileManagement. */
export function decodeFcp(element: Tlv): Fcp {
  const fields = children(element);
  const descriptor = child(fields, 0x82);
  const proprietary = child(fields, PROPRIETARY_INFO);
  const info = proprietary === undefined ? [] : children(proprietary);
  const fill = child(info, 0xc1)?.value;
  const repeat = child(info, 0xc2)?.value;
  if (fill !== undefined && repeat !== undefined) {
    refuse('profileInvalid', 'a file has a fillPattern and a repeatPattern', { offset: element.offset });
  }
  if (fill?.length === 0 || repeat?.length === 0) {
    refuse('profileInvalid', 'a fill pattern is empty', { offset: element.offset });
  }
  const shape = descriptor === undefined ? undefined : decodeFileDescriptor(descriptor);
  return {
    fields,
    structure: shape?.structure,
    recordLength: shape?.recordLength,
    fileId: child(fields, 0x83)?.value,
    dfName: child(fields, 0x84)?.value,
    size: sizeOf(child(fields, 0x80), 'efFileSize'),
    maximumSize: sizeOf(child(info, 0x86), 'maximumFileSize'),
    pattern: fill ? { kind: 'fill', octets: fill } : repeat && { kind: 'repeat', octets: repeat },
    linkPath: child(fields, 0xc7)?.value,
  };
}

/** First octet of a file descriptor without bit 7, "shareable" (ETSI TS 102 221 section 11.1.1.4.3). */
const SHAREABLE_OR_NOT = 0xbf;
const STRUCTURES: Readonly<Record<number, FileStructure>> = {
  1: 'transparent',
  2: 'linear-fixed',
  6: 'cyclic',
  9: 'transparent',
  10: 'linear-fixed',
  14: 'cyclic',
  56: 'df',
  57: 'ber-tlv',
};
/** Structures that the coding leaves open, for working and for internal files. */
const OPEN_STRUCTURES: readonly number[] = [0x00, 0x08];

export type DescriptorCoding = 'known' | 'open' | 'reserved';

export function descriptorCoding(octet: number): DescriptorCoding {
  const coded = octet & SHAREABLE_OR_NOT;
  if (STRUCTURES[coded] !== undefined) return 'known';
  return OPEN_STRUCTURES.includes(coded) ? 'open' : 'reserved';
}

/** File descriptor octet, data coding octet, and for records their length in two octets. */
function decodeFileDescriptor({ value, offset }: Tlv) {
  if (value.length !== 2 && value.length !== 4) {
    refuse('profileInvalid', 'a file descriptor has two or four octets', { offset });
  }
  const structure = STRUCTURES[value[0]! & SHAREABLE_OR_NOT];
  const recordLength = value.length === 4 ? value[2]! * 256 + value[3]! : undefined;
  if (recordLength === 0) refuse('profileInvalid', 'a record has no octets', { offset });
  return { structure, recordLength };
}

/** Octets of a file: more than any eUICC has to give; keeps four octets of a descriptor from costing gigabytes. */
const MAX_FILE_SIZE = 0xff_ff_ff;

function sizeOf(element: Tlv | undefined, name: string): number | undefined {
  if (element === undefined) return undefined;
  const { value, offset } = element;
  if (value.length === 0 || value.length > 4)
    refuse('profileInvalid', `${name} has 1 to 4 octets`, { offset });
  const size = value.reduce((number, octet) => number * 256 + octet, 0);
  if (size > MAX_FILE_SIZE) refuse('profileInvalid', `${name} exceeds ${MAX_FILE_SIZE} octets`, { offset });
  return size;
}

export function descriptorOf(items: readonly FileItem[]): Fcp | undefined {
  const [first] = items;
  return first?.kind === 'fileDescriptor' ? first.fcp : undefined;
}

/** How far the fill entries reach into the file. */
export function filledLength(items: readonly FileItem[]): number {
  let end = 0;
  let at = 0;
  for (const item of items) {
    if (item.kind === 'fillFileOffset') at += item.skip;
    else if (item.kind === 'fillFileContent') {
      at += item.content.length;
      end = Math.max(end, at);
    }
  }
  return end;
}

/** `size` octets of a pattern; FF where there is none. */
export function patternImage(size: number, pattern: FillPattern | undefined): Buffer {
  if (pattern === undefined) return Buffer.alloc(size, 0xff);
  const { kind, octets } = pattern;
  if (kind === 'repeat') return Buffer.alloc(size, octets);
  const image = Buffer.alloc(size, octets[octets.length - 1]);
  image.set(octets.subarray(0, size));
  return image;
}

/** Writes the fill entries over `image`; what does not fit is refused. */
export function applyFill(image: Buffer, items: readonly FileItem[]): Buffer {
  let at = 0;
  for (const item of items) {
    if (item.kind === 'fillFileOffset') at += item.skip;
    else if (item.kind === 'fillFileContent') {
      if (at + item.content.length > image.length) {
        refuse('profileInvalid', `the content of a file exceeds its ${image.length} octets`);
      }
      image.set(item.content, at);
      at += item.content.length;
    }
  }
  return image;
}

/** The file with new content: the descriptor stays, all fill entries give way to one. */
export function withContent(items: readonly FileItem[], content: Bytes): readonly FileItem[] {
  return [
    ...items.filter(({ kind }) => kind === 'fileDescriptor'),
    ...(content.length === 0 ? [] : [{ kind: 'fillFileContent', content } as const]),
  ];
}
