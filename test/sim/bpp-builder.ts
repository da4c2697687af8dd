import { createCipheriv, randomBytes } from 'node:crypto';
import { type Bytes, concat, utf8 } from '../../shared/codec/bytes.ts';
import { aesCmac, type BspKeys, deriveSessionKeys, initialVector } from '../../sim/bsp.ts';
import { encodeEid, encodeIccid } from '../../sim/coding.ts';
import { agree, type EcKey, generateKey, sign } from '../../sim/curve.ts';
import { tlv } from '../../sim/tlv.ts';

/** The sending end of BSP, apart from the server's: enough to make BPPs for the eUICC's tests. */
export class BspSender {
  #keys: BspKeys;
  #mcv: Bytes;
  #counter = 1;

  constructor(keys: BspKeys) {
    this.#keys = keys;
    this.#mcv = keys.initialMcv;
  }

  seal(tag: number, plain: Bytes): Bytes {
    const counter = this.#counter++;
    const data = tag === 0x88 ? plain : this.#encrypt(plain, counter);
    const unsigned = tlv(tag, data, new Uint8Array(8)).subarray(0, -8);
    this.#mcv = aesCmac(this.#keys.macKey, concat(this.#mcv, unsigned));
    return concat(unsigned, this.#mcv.subarray(0, 8));
  }

  #encrypt(plain: Bytes, counter: number): Bytes {
    const padded = concat(plain, Uint8Array.of(0x80), new Uint8Array(15 - (plain.length % 16)));
    const iv = initialVector(this.#keys.encKey, counter);
    return createCipheriv('aes-128-cbc', this.#keys.encKey, iv).setAutoPadding(false).update(padded);
  }
}

export interface BppOptions {
  readonly eid: string;
  readonly otPk: Bytes;
  readonly dpPbKey: EcKey;
  readonly transactionId: Bytes;
  /** Whole BF25. */
  readonly metadata: Bytes;
  readonly upp: Bytes;
  readonly mode?: 'ppk' | 'session';
  readonly remoteOpId?: number;
  readonly keyType?: number;
  readonly configureIsdp?: Bytes;
  readonly replaceSessionKeys?: Bytes;
  /** Plain octets of one 86. */
  readonly segmentLength?: number;
  /** transactionId inside BF23, where it differs. */
  readonly innerTransactionId?: Bytes;
  /** EID in the key derivation, where it differs. */
  readonly derivationEid?: Bytes;
}

/** A BoundProfilePackage (BF36), right unless an option makes it wrong. */
export function buildBpp(options: BppOptions): Bytes {
  const ephemeral = generateKey(options.dpPbKey.curve);
  const hostId = randomBytes(8);
  const head = concat(
    tlv(0x82, Uint8Array.of(options.remoteOpId ?? 1)),
    tlv(0x80, options.innerTransactionId ?? options.transactionId),
    tlv(
      0xa6,
      tlv(0x80, Uint8Array.of(options.keyType ?? 0x88)),
      tlv(0x81, Uint8Array.of(16)),
      tlv(0x84, hostId),
    ),
    tlv(0x5f49, ephemeral.point),
  );
  const smdpSign = sign(options.dpPbKey, concat(head, tlv(0x5f49, options.otPk)));
  const z = agree(ephemeral, options.otPk);
  const session = new BspSender(
    deriveSessionKeys(z, hostId, options.derivationEid ?? encodeEid(options.eid)),
  );
  const configure = session.seal(0x87, options.configureIsdp ?? tlv(0xbf24));
  const metadata = chunks(options.metadata, 1008).map((part) => session.seal(0x88, part));
  const replace: Bytes[] = [];
  let elements = session;
  if (options.mode !== 'session') {
    const ppk = { initialMcv: randomBytes(16), encKey: randomBytes(16), macKey: randomBytes(16) };
    const request = tlv(0xbf26, tlv(0x80, ppk.initialMcv), tlv(0x81, ppk.encKey), tlv(0x82, ppk.macKey));
    replace.push(tlv(0xa2, session.seal(0x87, options.replaceSessionKeys ?? request)));
    elements = new BspSender(ppk);
  }
  const segments = chunks(options.upp, options.segmentLength ?? 1007).map((part) =>
    elements.seal(0x86, part),
  );
  return tlv(
    0xbf36,
    tlv(0xbf23, head, tlv(0x5f37, smdpSign)),
    tlv(0xa0, configure),
    tlv(0xa1, ...metadata),
    ...replace,
    tlv(0xa3, ...segments),
  );
}

function chunks(octets: Bytes, size: number): Bytes[] {
  const parts: Bytes[] = [];
  for (let offset = 0; offset < octets.length; offset += size)
    parts.push(octets.subarray(offset, offset + size));
  return parts;
}

export interface MetadataOptions {
  readonly iccid: string;
  readonly profileClass?: number;
  /** Whole fields in the order of the SEQUENCE, after profileClass. */
  readonly further?: readonly Bytes[];
  readonly icon?: Bytes;
}

/** StoreMetadataRequest (BF25) that asks for install and delete notifications. */
export function buildMetadata({ iccid, profileClass, further, icon }: MetadataOptions): Bytes {
  const notification = tlv(0x30, tlv(0x80, Uint8Array.of(4, 0x90)), tlv(0x81, utf8('smdpf.example.com')));
  return tlv(
    0xbf25,
    tlv(0x5a, encodeIccid(iccid)),
    tlv(0x91, utf8('Operator')),
    tlv(0x92, utf8('Profile')),
    ...(icon === undefined ? [] : [tlv(0x93, Uint8Array.of(1)), tlv(0x94, icon)]),
    ...(profileClass === undefined ? [] : [tlv(0x95, Uint8Array.of(profileClass))]),
    tlv(0xb6, notification),
    ...(further ?? []),
  );
}

export interface UppOptions {
  readonly iccid: string;
  /** ICCID in EF.ICCID, where it differs. */
  readonly efIccid?: string;
  readonly services?: readonly number[];
  readonly elements?: readonly Bytes[];
  readonly withoutEnd?: boolean;
}

const peHeader = (identification: number): Bytes =>
  tlv(0xa0, tlv(0x80), tlv(0x81, Uint8Array.of(identification)));

/** A profile element with its PEHeader. */
export function profileElement(tag: number, identification: number, ...content: Bytes[]): Bytes {
  return tlv(tag, peHeader(identification), ...content);
}

/** A small Unprotected Profile Package: header, MF with EF.ICCID, USIM with EF.IMSI 001010123456063, end. */
export function buildUpp({ iccid, efIccid, services, elements, withoutEnd }: UppOptions): Bytes {
  const header = tlv(
    0xa0,
    tlv(0x80, Uint8Array.of(2)),
    tlv(0x81, Uint8Array.of(3)),
    tlv(0x82, utf8('Test')),
    tlv(0x83, Buffer.from(iccid.padEnd(20, 'F'), 'hex')),
    tlv(0xa5, ...(services ?? [0x81]).map((tag) => tlv(tag))),
    tlv(0xa6),
  );
  const template = tlv(0x81, Buffer.from('67810f010201', 'hex'));
  const mf = profileElement(
    0xb0,
    1,
    template,
    tlv(0xa2),
    tlv(0xa4, tlv(0x83, encodeIccid(efIccid ?? iccid))),
  );
  const imsi = tlv(0xa3, tlv(0x83, Buffer.from('080910101032540636', 'hex')));
  const usim = profileElement(0xb3, 2, template, tlv(0xa2), imsi);
  return concat(header, mf, usim, ...(elements ?? []), ...(withoutEnd ? [] : [profileElement(0xaa, 99)]));
}
