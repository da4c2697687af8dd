import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  timingSafeEqual,
} from 'node:crypto';
import { type Bytes, concat, wipe } from '../codec/bytes.ts';
import type { OctetWriter } from '../codec/octet-writer.ts';
import { type Tlv, tagName } from '../codec/tlv.ts';
import { tlvLength, writeHeader } from '../codec/tlv-header.ts';
import { refuse } from '../errors.ts';
import { aesCmac, BLOCK, cmacSubkeys, xorInto, ZERO_BLOCK } from './aes-cmac.ts';

/**
 * BPP security protocol (SGP.22 v3 section 2.6.4; called SCP03t in v2): each element is `tag L (data ‖ C-MAC)`.
 *
 * - 86 and 87: data padded with 80 00…, encrypted with AES-128-CBC; IV = AES(encKey, counter as 16 octets).
 * - 88: data in clear.
 * - C-MAC: AES-CMAC(macKey, previous MAC ‖ tag ‖ L ‖ data), L counting data and MAC; the first eight octets are sent,
 *   all sixteen are the next MAC chaining value.
 * - The counter starts at 1 and grows with every element, 88 included.
 */
export interface BspKeys {
  readonly encKey: Bytes;
  readonly macKey: Bytes;
  readonly macChainingValue: Bytes;
}

export const TAG_86 = 0x86;
export const TAG_87 = 0x87;
export const TAG_88 = 0x88;

export const MAC_LENGTH = 8;
/** Most octets of one element, header and MAC included (SGP.22 section 2.5.2). */
export const SEGMENT_LIMIT = 1020;
/** Most octets of plaintext in an 86 or 87: padding takes at least one. */
export const ENCRYPTED_DATA_LIMIT = 1007;
/** Most octets of data in an 88. */
export const MAC_ONLY_DATA_LIMIT = 1008;

/** Octets of an 86 or 87 with `length` octets of plaintext. */
export function encryptedElementLength(length: number): number {
  return tlvLength(TAG_87, paddedLength(length) + MAC_LENGTH);
}

/** Octets of an 88 with `length` octets of data. */
export function macOnlyElementLength(length: number): number {
  return tlvLength(TAG_88, length + MAC_LENGTH);
}

function paddedLength(length: number): number {
  return (Math.floor(length / BLOCK) + 1) * BLOCK;
}

export function wipeBspKeys(keys: BspKeys): void {
  wipe(keys.encKey, keys.macKey, keys.macChainingValue);
}

/**
 * The sending side. Two CBC streams serve all elements, because opening a cipher costs more than a kilobyte of AES:
 *
 * - Encryption. The stream starts with a zero IV. Each element is fed as one more block in front of its data:
 *   counter ⊕ the stream's last block. That comes out as AES(counter), the IV that the element needs, and is dropped.
 * - Authentication. CMAC is CBC with a subkey added to the last block. The next message begins with the MAC chaining
 *   value, which is the stream's last block already: a block of zeros in its place gives the same result. So the messages
 *   of all elements are laid out one after the other and authenticated at once, by `authenticate`, which puts the MACs
 *   into the places that were left for them.
 *
 * `wipe` ends it; the caller keeps and wipes the keys given.
 */
export class BspSealer {
  readonly #encryption: Cipheriv;
  readonly #authentication: Cipheriv;
  readonly #k1: Bytes;
  readonly #k2: Bytes;
  /** Undefined once it is given back. */
  #room: SealerRoom | undefined;
  /** One block for the IV, then padded plaintext. */
  readonly #plain: Buffer;
  /** Of each element one block in place of the MAC chaining value, then tag, length, data and CMAC padding. */
  #messages: Buffer;
  #end = 0;
  /** Where each message ends, and where its MAC is to stand in the writer. */
  #pending: { readonly end: number; readonly mac: number }[] = [];
  #counter = 1;

  /** `octets`: of all elements together, as far as they are known. */
  constructor(keys: BspKeys, octets = 0) {
    this.#room = takeRoom(messageRoom(Math.max(octets, SEGMENT_LIMIT)));
    this.#plain = this.#room.plain;
    this.#messages = this.#room.messages;
    this.#encryption = cbcStream(keys.encKey);
    this.#authentication = cbcStream(keys.macKey);
    const l = this.#authentication.update(ZERO_BLOCK);
    ({ k1: this.#k1, k2: this.#k2 } = cmacSubkeys(l));
    // the stream's last block is L now: the first message has to cancel it
    this.#messages.set(keys.macChainingValue);
    xorInto(this.#messages, 0, l);
    wipe(l);
  }

  /** Writes one 86 or 87 with at most 1007 octets of plaintext; `authenticate` completes it. */
  encrypt(tag: typeof TAG_86 | typeof TAG_87, data: Bytes, out: OctetWriter): void {
    if (data.length > ENCRYPTED_DATA_LIMIT) throw new RangeError('too much data for one encrypted element');
    const plain = this.#plain;
    const end = BLOCK + paddedLength(data.length);
    plain.writeUInt32BE((plain.readUInt32BE(BLOCK - 4) ^ this.#counter++) >>> 0, BLOCK - 4);
    plain.set(data, BLOCK);
    plain[BLOCK + data.length] = 0x80;
    plain.fill(0, BLOCK + data.length + 1, end);
    const isFull = data.length === ENCRYPTED_DATA_LIMIT;
    const encrypted = this.#encryption.update(isFull ? this.#room!.fullPlain : plain.subarray(0, end));
    encrypted.copy(plain, 0, end - BLOCK, end);
    this.#add(tag, encrypted, BLOCK, end, out);
  }

  /** Writes one 88 with at most 1008 octets of data; `authenticate` completes it. */
  macOnly(data: Bytes, out: OctetWriter): void {
    if (data.length > MAC_ONLY_DATA_LIMIT) throw new RangeError('too much data for one element');
    this.#counter++;
    const { buffer, byteOffset, length } = data;
    this.#add(TAG_88, Buffer.from(buffer, byteOffset, length), 0, length, out);
  }

  /** The element but for its MAC, which is zeros until `authenticate`. */
  #add(tag: number, from: Buffer, begin: number, stop: number, out: OctetWriter): void {
    const message = this.#roomFor(messageRoom(stop - begin + MAC_LENGTH));
    const start = this.#end + BLOCK;
    const content = start + writeHeader(message, start, tag, stop - begin + MAC_LENGTH);
    from.copy(message, content, begin, stop);
    const end = content + stop - begin;
    out.putFrom(message, start, end);
    const blocksEnd = this.#end + Math.ceil((end - this.#end) / BLOCK) * BLOCK;
    if (end < blocksEnd) {
      message[end] = 0x80;
      message.fill(0, end + 1, blocksEnd);
    }
    xorInto(message, blocksEnd - BLOCK, end < blocksEnd ? this.#k2 : this.#k1);
    // the next message begins with zeros
    message.fill(0, blocksEnd, blocksEnd + BLOCK);
    this.#end = blocksEnd;
    this.#pending.push({ end: blocksEnd, mac: out.reserve(MAC_LENGTH) });
  }

  #roomFor(octets: number): Buffer {
    const needed = this.#end + octets;
    if (needed > this.#messages.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#messages.length));
      grown.set(this.#messages.subarray(0, this.#end + BLOCK));
      wipe(this.#messages);
      this.#messages = grown;
    }
    return this.#messages;
  }

  /** Gives every element written since the last time its MAC; the writer is that of all of them. */
  authenticate(out: OctetWriter): void {
    if (this.#end === 0) return;
    const chained = this.#authentication.update(this.#messages.subarray(0, this.#end));
    for (const { end, mac } of this.#pending)
      chained.copy(out.octets, mac, end - BLOCK, end - BLOCK + MAC_LENGTH);
    this.#pending = [];
    this.#end = 0;
    this.#messages.fill(0, 0, BLOCK);
  }

  /** Clears plaintext and subkeys, and lets OpenSSL clear both key schedules at once. No use afterwards. */
  wipe(): void {
    // the next sealer may have its room already
    if (this.#room === undefined) return;
    this.#encryption.final();
    this.#authentication.final();
    wipe(this.#plain, this.#messages, this.#k1, this.#k2);
    giveBack(this.#room);
    this.#room = undefined;
  }
}

/** What a sealer writes into, wiped whenever one is through with it: one after the other uses the same. */
interface SealerRoom {
  readonly plain: Buffer;
  /** What of it an element with as much data as it may have takes, as nearly all do: one view for all of them. */
  readonly fullPlain: Buffer;
  readonly messages: Buffer;
}

/** Rooms that nobody uses: more sealers than that are seldom at work at once. */
const ROOMS: SealerRoom[] = [];
const MOST_ROOMS = 4;
const LARGEST_ROOM = 64 * 1024;
const ROOM_STEP = 8 * 1024;

function takeRoom(octets: number): SealerRoom {
  const room = ROOMS.pop();
  if (room !== undefined && room.messages.length >= octets) return room;
  const plain = room?.plain ?? Buffer.alloc(BLOCK + MAC_ONLY_DATA_LIMIT);
  return {
    plain,
    fullPlain: room?.fullPlain ?? plain.subarray(0, BLOCK + paddedLength(ENCRYPTED_DATA_LIMIT)),
    messages: Buffer.allocUnsafeSlow(ROOM_STEP * Math.ceil(octets / ROOM_STEP)),
  };
}

function giveBack(room: SealerRoom): void {
  if (ROOMS.length < MOST_ROOMS && room.messages.length <= LARGEST_ROOM) ROOMS.push(room);
}

/** Octets that the messages of elements of so many octets take: a block, tag and length, padding, and a block after them. */
const messageRoom = (octets: number) => octets + (Math.ceil(octets / SEGMENT_LIMIT) + 1) * 3 * BLOCK;

/** A key object on purpose: node:crypto opens a cipher ten times slower from bare octets (13 against 1.3 µs). */
function cbcStream(key: Bytes): Cipheriv {
  return createCipheriv('aes-128-cbc', createSecretKey(key), ZERO_BLOCK).setAutoPadding(false);
}

/**
 * The receiving side, for inspection and audits: plain and element by element, sharing no trick with the sealer.
 * A MAC that does not hold, and padding that is not 80 00…, are refused.
 */
export class BspOpener {
  readonly #keys: BspKeys;
  #macChainingValue: Bytes;
  #counter = 1;

  constructor(keys: BspKeys) {
    this.#keys = keys;
    this.#macChainingValue = keys.macChainingValue;
  }

  /** Plaintext of one 86 or 87. */
  decrypt(element: Tlv): Bytes {
    const counter = this.#counter;
    const encrypted = this.#verify(element);
    if (encrypted.length === 0 || encrypted.length % BLOCK !== 0)
      refuse('profileInvalid', `${tagName(element.tag)} does not hold whole blocks`, {
        offset: element.offset,
      });
    const counterBlock = Buffer.alloc(BLOCK);
    counterBlock.writeUInt32BE(counter, BLOCK - 4);
    const encKey = createSecretKey(this.#keys.encKey);
    const icv = createCipheriv('aes-128-ecb', encKey, null).setAutoPadding(false).update(counterBlock);
    const cipher = createDecipheriv('aes-128-cbc', encKey, icv).setAutoPadding(false);
    const padded = concat(cipher.update(encrypted), cipher.final());
    let end = padded.length - 1;
    while (end >= 0 && padded[end] === 0) end--;
    if (end < padded.length - BLOCK || padded[end] !== 0x80)
      refuse('profileInvalid', `the padding of ${tagName(element.tag)} is wrong`, { offset: element.offset });
    return padded.subarray(0, end);
  }

  /** Data of one 88. */
  verifyMacOnly(element: Tlv): Bytes {
    return this.#verify(element);
  }

  #verify(element: Tlv): Bytes {
    if (element.raw.length > SEGMENT_LIMIT || element.value.length < MAC_LENGTH)
      refuse('profileInvalid', `${tagName(element.tag)} has ${element.raw.length} octets`, {
        offset: element.offset,
      });
    const authenticated = element.raw.subarray(0, element.raw.length - MAC_LENGTH);
    const mac = aesCmac(this.#keys.macKey, concat(this.#macChainingValue, authenticated));
    if (!timingSafeEqual(mac.subarray(0, MAC_LENGTH), element.value.subarray(-MAC_LENGTH)))
      refuse('profileInvalid', `the MAC of ${tagName(element.tag)} does not hold`, {
        offset: element.offset,
      });
    this.#macChainingValue = mac;
    this.#counter++;
    return element.value.subarray(0, -MAC_LENGTH);
  }
}
