import { fromHex } from '../../../../shared/codec/bytes.ts';
import { integerValue, tlv } from '../../../../shared/codec/tlv.ts';
import { contextTag, encodeFields, withField } from '../../../../shared/profile/package/element.ts';
import { fileTag } from '../../../../shared/profile/package/file-pes.ts';
import {
  decodePackage,
  PE_NAMES,
  type PeName,
  type ProfileElement,
} from '../../../../shared/profile/package/profile-element.ts';
import { ownTemplate } from '../../../../shared/profile/package/template/own-profile.ts';

/** Packages made by changing a good one. Octets are hexadecimal, spaces allowed. */
const hex = (text: string) => fromHex(text.replaceAll(' ', ''));

export const tagOfPe = (name: PeName) => Number(Object.entries(PE_NAMES).find(([, pe]) => pe === name)![0]);

/** A PEHeader that does not mandate its PE. */
export const peHeader = (identification: number) => tlv(0xa0, tlv(0x81, integerValue(identification)));

export function pe(
  name: PeName,
  identification: number,
  ...components: readonly (Uint8Array | undefined)[]
): Uint8Array {
  return tlv(tagOfPe(name), peHeader(identification), ...components);
}

/** What stands in an Fcp, in the order of the module. */
export interface FcpParts {
  readonly descriptor?: string;
  readonly fileId?: string;
  readonly dfName?: string;
  readonly lcsi?: string;
  readonly arr?: string;
  readonly size?: string;
  readonly pins?: string;
  readonly sfi?: string;
  readonly info?: string;
  readonly link?: string;
}

const FCP_TAGS = {
  descriptor: 0x82,
  fileId: 0x83,
  dfName: 0x84,
  lcsi: 0x8a,
  arr: 0x8b,
  size: 0x80,
  pins: 0xc6,
  sfi: 0x88,
  info: 0xa5,
  link: 0xc7,
} as const;

export function fcp(tag: number, parts: FcpParts): Uint8Array {
  const known = Object.keys(FCP_TAGS) as (keyof FcpParts)[];
  return tlv(
    tag,
    ...known.map((name) => (parts[name] === undefined ? undefined : tlv(FCP_TAGS[name], hex(parts[name])))),
  );
}

/** A file component of a file PE: a descriptor and content. */
export function file(tag: number, parts: FcpParts | undefined, content?: string): Uint8Array {
  return tlv(
    tag,
    parts === undefined ? undefined : fcp(contextTag(1, true), parts),
    content === undefined ? undefined : tlv(0x83, hex(content)),
  );
}

export const create = (parts: FcpParts) => fcp(0x62, parts);
export const select = (path: string) => tlv(0x80, hex(path));
export const skip = (octets: number) => tlv(0x02, integerValue(octets));
export const fill = (content: string) => tlv(0x81, hex(content));

/** A PE-GenericFileManagement of lists of commands. */
export function gfm(identification: number, ...lists: readonly (readonly Uint8Array[])[]): Uint8Array {
  return pe('genericFileManagement', identification, tlv(0xa1, ...lists.map((items) => tlv(0x30, ...items))));
}

export const elementsOf = (upp: Uint8Array = ownTemplate()) => decodePackage(upp).elements;
export const join = (...parts: readonly (Uint8Array | { readonly raw: Uint8Array })[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (part instanceof Uint8Array ? part : part.raw)));

/** The package with other PEs: `change` is called with each, and gives what takes its place. */
export function rebuilt(
  upp: Uint8Array,
  change: (element: ProfileElement, place: number) => Uint8Array | readonly Uint8Array[] | undefined,
): Uint8Array {
  return join(
    ...elementsOf(upp).flatMap((element, place) => {
      const made = change(element, place);
      if (made === undefined) return [];
      return made instanceof Uint8Array ? [made] : made;
    }),
  );
}

export const without = (upp: Uint8Array, ...names: readonly PeName[]) =>
  rebuilt(upp, ({ name, raw }) => (names.includes(name) ? undefined : raw));

/** The package with PEs after the `nth` PE of this name, from 0; -1 is the last. */
export function withAfter(
  upp: Uint8Array,
  name: PeName,
  nth: number,
  ...more: readonly Uint8Array[]
): Uint8Array {
  return around(upp, name, nth, (raw) => [raw, ...more]);
}
export function withBefore(
  upp: Uint8Array,
  name: PeName,
  nth: number,
  ...more: readonly Uint8Array[]
): Uint8Array {
  return around(upp, name, nth, (raw) => [...more, raw]);
}
export function instead(
  upp: Uint8Array,
  name: PeName,
  nth: number,
  ...more: readonly Uint8Array[]
): Uint8Array {
  return around(upp, name, nth, () => more);
}

function around(
  upp: Uint8Array,
  name: PeName,
  nth: number,
  make: (raw: Uint8Array) => readonly Uint8Array[],
): Uint8Array {
  const places = elementsOf(upp).flatMap((element, place) => (element.name === name ? [place] : []));
  const wanted = places.at(nth);
  if (wanted === undefined) throw new Error(`no PE ${name} ${nth}`);
  return rebuilt(upp, ({ raw }, place) => (place === wanted ? make(raw) : raw));
}

/** The package with another component in the `nth` PE of this name; undefined removes it. */
export function withComponent(
  upp: Uint8Array,
  name: PeName,
  tag: number,
  component: Uint8Array | undefined,
  nth = 0,
): Uint8Array {
  return around(upp, name, nth, (raw) => {
    const [element] = elementsOf(raw);
    const made = component && { tag, raw: component, value: component, constructed: true, offset: 0 };
    return [encodeFields(element!.tag, withField(element!.fields, tag, made))];
  });
}

/** The package with another file in the `nth` PE of this name. */
export function withFile(
  upp: Uint8Array,
  name: PeName,
  fileName: string,
  parts: FcpParts | undefined,
  content?: string,
  nth = 0,
): Uint8Array {
  const tag = fileTag(name, fileName)!;
  return withComponent(upp, name, tag, file(tag, parts, content), nth);
}
