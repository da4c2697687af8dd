import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from 'node:crypto';
import { type Bytes, concat } from '../shared/codec/bytes.ts';
import { SimError, tlv } from './tlv.ts';

/** A fault in a protected segment: `structure` is errorReason 7 of SGP.22 §5.5, `security` is 8. */
export class BspError extends SimError {
  readonly kind: 'structure' | 'security';

  constructor(kind: 'structure' | 'security', message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Three values of 16 octets: initial MAC chaining value, encryption key, MAC key. */
export interface BspKeys {
  readonly initialMcv: Bytes;
  readonly encKey: Bytes;
  readonly macKey: Bytes;
}

/** ANSI X9.63 KDF with SHA-256: SHA256(Z || counter || SharedInfo), counter in four octets from 1. */
export function x963Kdf(z: Bytes, sharedInfo: Bytes, length: number): Bytes {
  const blocks: Bytes[] = [];
  for (let counter = 1; (counter - 1) * 32 < length; counter++) {
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(counter);
    blocks.push(createHash('sha256').update(z).update(octets).update(sharedInfo).digest());
  }
  return concat(...blocks).subarray(0, length);
}

/**
 * Session keys of SGP.22 §2.6.4: SharedInfo is keyType 88, keyLength 16, hostId and EID, the last two as LV. Another
 * suite has a key type of its own, and more at the end.
 */
export function deriveSessionKeys(
  z: Bytes,
  hostId: Bytes,
  eid: Bytes,
  { keyType = 0x88, added = new Uint8Array() }: { keyType?: number; added?: Bytes } = {},
): BspKeys {
  const sharedInfo = concat(
    Uint8Array.of(keyType, 16, hostId.length),
    hostId,
    Uint8Array.of(eid.length),
    eid,
    added,
  );
  const keyData = x963Kdf(z, sharedInfo, 48);
  return {
    initialMcv: keyData.subarray(0, 16),
    encKey: keyData.subarray(16, 32),
    macKey: keyData.subarray(32, 48),
  };
}

function aesEcb(key: Bytes, block: Bytes): Bytes {
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block);
}

/** Doubling in GF(2^128), RFC 4493 §2.3. */
function double(block: Bytes): Bytes {
  const doubled = Buffer.alloc(16);
  let carry = 0;
  for (let i = 15; i >= 0; i--) {
    const octet = block[i] ?? 0;
    doubled[i] = ((octet << 1) & 0xff) | carry;
    carry = octet >> 7;
  }
  if (carry) doubled[15] = (doubled[15] ?? 0) ^ 0x87;
  return doubled;
}

/** AES-CMAC (RFC 4493), all 16 octets. */
export function aesCmac(key: Bytes, message: Bytes): Bytes {
  const k1 = double(aesEcb(key, Buffer.alloc(16)));
  const whole = message.length > 0 && message.length % 16 === 0;
  const blocks = Buffer.alloc(whole ? message.length : message.length + 16 - (message.length % 16));
  blocks.set(message);
  if (!whole) blocks[message.length] = 0x80;
  const mask = whole ? k1 : double(k1);
  const last = blocks.length - 16;
  for (let i = 0; i < 16; i++) blocks[last + i] = (blocks[last + i] ?? 0) ^ (mask[i] ?? 0);
  return createCipheriv('aes-128-cbc', key, Buffer.alloc(16)).update(blocks).subarray(last);
}

export function initialVector(encKey: Bytes, counter: number): Bytes {
  const block = Buffer.alloc(16);
  block.writeUInt32BE(counter, 12);
  return aesEcb(encKey, block);
}

/** The eUICC's end of the BSP channel (SGP.22 §2.6.4.4): opens segments in their order. */
export class BspReceiver {
  readonly #keys: BspKeys;
  #mcv: Bytes;
  #counter = 1;

  constructor(keys: BspKeys) {
    this.#keys = keys;
    this.#mcv = keys.initialMcv;
  }

  /** Checks the MAC of `tag` (86, 87 or 88) over `protectedData` = data || C-MAC, and returns the plain data. */
  open(tag: number, protectedData: Bytes): Bytes {
    if (protectedData.length < 8) throw new BspError('structure', 'a segment ends in a MAC of 8 octets');
    const data = protectedData.subarray(0, -8);
    const headed = tlv(tag, protectedData).subarray(0, -8);
    const mac = aesCmac(this.#keys.macKey, concat(this.#mcv, headed));
    if (!timingSafeEqual(mac.subarray(0, 8), protectedData.subarray(-8))) {
      throw new BspError('security', 'wrong MAC');
    }
    this.#mcv = mac;
    const counter = this.#counter++;
    return tag === 0x88 ? data : this.#decrypt(data, counter);
  }

  #decrypt(data: Bytes, counter: number): Bytes {
    if (data.length === 0 || data.length % 16 !== 0) {
      throw new BspError('structure', 'encrypted data come in blocks of 16 octets');
    }
    const iv = initialVector(this.#keys.encKey, counter);
    const padded = createDecipheriv('aes-128-cbc', this.#keys.encKey, iv).setAutoPadding(false).update(data);
    let end = padded.length - 1;
    while (end > padded.length - 16 && padded[end] === 0) end--;
    if (padded[end] !== 0x80) throw new BspError('security', 'wrong padding');
    return padded.subarray(0, end);
  }
}
