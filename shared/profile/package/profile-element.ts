import { type Bytes, equal } from '../../codec/bytes.ts';
import { readTlv, type Tlv, tagName } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { ascending, child, children, inProfile, integerOf } from './element.ts';

/**
 * ProfileElement (TCA eUICC Profile Package 3.4.1): the tag of the CHOICE names the PE. What 3.4.1 adds to 3.3.1 is taken
 * from its module as github.com/librasn/compiler has it (`tca_PEDefinitions_v3.4.1.asn1`).
 */
export const PE_NAMES = {
  160: 'header',
  161: 'genericFileManagement',
  162: 'pinCodes',
  163: 'pukCodes',
  164: 'akaParameter',
  165: 'cdmaParameter',
  166: 'securityDomain',
  167: 'rfm',
  168: 'application',
  169: 'nonStandard',
  170: 'end',
  171: 'ssimEapTLSParameters',
  172: 'rfu2',
  173: 'rfu3',
  174: 'rfu4',
  175: 'rfu5',
  176: 'mf',
  177: 'cd',
  178: 'telecom',
  179: 'usim',
  180: 'opt-usim',
  181: 'isim',
  182: 'opt-isim',
  183: 'phonebook',
  184: 'gsm-access',
  185: 'csim',
  186: 'opt-csim',
  187: 'eap',
  188: 'df-5gs',
  189: 'df-saip',
  190: 'df-snpn',
  48927: 'df-5gprose',
  48928: 'iot',
  48929: 'opt-iot',
  48930: 'ssim',
} as const;

/** `unknown` is a PE of a later version of the module: kept verbatim. */
export type PeName = (typeof PE_NAMES)[keyof typeof PE_NAMES] | 'unknown';

/** One PE with its received octets; nothing is copied. */
export interface ProfileElement {
  readonly name: PeName;
  readonly tag: number;
  /** Offset of the tag in the package. */
  readonly offset: number;
  /** Tag, length and value. */
  readonly raw: Bytes;
  /** The components, in order. */
  readonly fields: readonly Tlv[];
  /** PEHeader: the eUICC must support this PE or abort. The profile header has no PEHeader. */
  readonly mandated: boolean;
  /** PEHeader: 0..32767, unique in the package; undefined in the profile header only. */
  readonly identification: number | undefined;
}

/** An Unprotected Profile Package taken apart. */
export interface ProfilePackage {
  readonly elements: readonly ProfileElement[];
}

/** More than any published eUICC holds; keeps a hostile package from costing much. */
export const MAX_PACKAGE_LENGTH = 2 * 1024 * 1024;
const MAX_IDENTIFICATION = 32767;

/**
 * Decodes a UPP: the concatenated PEs, without outer wrapper. Refuses (`profileInvalid`) what is not strict DER
 * on the level of PEs and their components, and a PE without a proper PEHeader. What the PEs mean is read by
 * their own views; what they must hold together, by `validate.ts`. A PE that is octet for octet that of `known` at its place is
 * taken from there, with all that was read of it: of a profile that was made from a template, only what differs is read.
 */
export function decodePackage(upp: Bytes, known?: ProfilePackage): ProfilePackage {
  if (upp.length === 0) refuse('profileInvalid', 'the profile package is empty');
  if (upp.length > MAX_PACKAGE_LENGTH) {
    refuse('profileInvalid', `the profile package is longer than ${MAX_PACKAGE_LENGTH} octets`);
  }
  return inProfile(() => {
    const elements: ProfileElement[] = [];
    for (let at = 0; at < upp.length; ) {
      const tlv = readTlv(upp, at);
      const same = known?.elements[elements.length];
      const isSame = same !== undefined && same.offset === tlv.offset && equal(same.raw, tlv.raw);
      const element = isSame ? same : decodeProfileElement(tlv);
      elements.push(element);
      at += element.raw.length;
    }
    return { elements };
  });
}

/** The package's octets: byte for byte what was decoded. */
export function encodePackage(profile: ProfilePackage): Bytes {
  return Buffer.concat(profile.elements.map((element) => element.raw));
}

function decodeProfileElement(element: Tlv): ProfileElement {
  const { tag, offset, raw } = element;
  const name = (PE_NAMES as Readonly<Record<number, PeName>>)[tag] ?? 'unknown';
  if (name === 'unknown' && !isContextConstructed(tag)) {
    refuse('profileInvalid', `${tagName(tag)} is not a profile element`, { offset });
  }
  const fields = children(element);
  if (name === 'header')
    return { name, tag, offset, raw, fields, mandated: false, identification: undefined };
  return { name, tag, offset, raw, fields, ...decodePeHeader(fields[0], name, offset) };
}

function isContextConstructed(tag: number): boolean {
  return ((tag > 0xffff ? tag >>> 16 : tag > 0xff ? tag >>> 8 : tag) & 0xe0) === 0xa0;
}

/** PEHeader ::= SEQUENCE { mandated NULL OPTIONAL, identification UInt15 }, the first component of every PE. */
function decodePeHeader(header: Tlv | undefined, name: PeName, offset: number) {
  if (header?.tag !== 0xa0) {
    return refuse('profileInvalid', `the PE ${name} does not begin with its PEHeader`, { offset });
  }
  const fields = ascending(children(header), 'PEHeader');
  const mandated = child(fields, 0x80);
  const number = child(fields, 0x81);
  if (number === undefined) refuse('profileInvalid', `the PE ${name} has no identification`, { offset });
  if (mandated !== undefined && mandated.value.length !== 0) {
    refuse('profileInvalid', `mandated of the PE ${name} is not NULL`, { offset: mandated.offset });
  }
  const identification = integerOf(number, 'identification');
  if (identification > MAX_IDENTIFICATION) {
    refuse('profileInvalid', `identification of the PE ${name} exceeds ${MAX_IDENTIFICATION}`, { offset });
  }
  return { mandated: mandated !== undefined, identification };
}

/** The PEs with this name, with their places in the package. */
export function elementsNamed(profile: ProfilePackage, ...names: readonly PeName[]): readonly number[] {
  return profile.elements.flatMap((element, index) => (names.includes(element.name) ? [index] : []));
}
