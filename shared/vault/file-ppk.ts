import { hash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Bytes } from '../codec/bytes.ts';
import { type Fault, invariant } from '../errors.ts';
import {
  entriesOf,
  guarded,
  ifThere,
  linkNew,
  makeFolder,
  removeFile,
  TemporaryFiles,
} from './durable-files.ts';
import { type OpenFile, OpenFiles } from './file/open-files.ts';
import { WrittenFile } from './file/written-file.ts';
import { checkName, fromFileName, toFileName } from './names.ts';
import { DamagedObject, type PpkVault } from './vault.ts';

/**
 * The embedded PPK vault: one file per pack with a slot of fixed length per entry. Destroying an entry overwrites
 * its slot where it lies and flushes it, which may be repeated and needs no lock.
 *
 * A database would leave copies behind: SQLite's journals hold the page as it was in blocks that are freed but not
 * overwritten, and even with secure_delete a page that was rearranged keeps fragments of cells in its gaps. Here
 * the octets are written once in their life and overwritten once. What lies below the file system (copy-on-write
 * volumes, flash wear levelling, snapshots) is the operator's to rule out; the entries are encrypted all the same.
 *
 * File: preamble of 24 octets { "SMDPFPPK", header length, entry count, slot length, CRC-32 of the pack's name, the
 * preamble before it and the header (4 octets each, big-endian) }, the header, the slots. Slot: entry length (4 octets,
 * big-endian; zero is destroyed), the first 8 octets of the entry's SHA-256, the entry, zeros up to the slot length.
 */
const MAGIC = Buffer.from('SMDPFPPK');
const PREAMBLE_LENGTH = 24;
const SUM_OFFSET = 20;
/** What a preamble says that was changed may ask for more. */
const HEADER_LIMIT = 1024 * 1024;
const SLOT_OVERHEAD = 12;
const ENTRY_LIMIT = 64 * 1024;
const PACK_LIMIT = 100_000;
/** Reads of what is not as it was written: an overwriting by somebody else is over by the second. */
const READS = 2;

interface Layout {
  readonly header: Bytes;
  readonly headerLength: number;
  readonly count: number;
  readonly slotLength: number;
}

interface Found {
  readonly file: OpenFile;
  readonly layout: Layout;
}

export class FilePpkVault implements PpkVault {
  readonly #packs: string;
  readonly #temporary: TemporaryFiles;
  readonly #open = new OpenFiles('r+');

  private constructor(packs: string, temporary: TemporaryFiles) {
    this.#packs = packs;
    this.#temporary = temporary;
  }

  /** Opens or creates the folder; it belongs on a file system that overwrites in place, and in no backup. */
  static async open(folder: string): Promise<FilePpkVault> {
    return guarded(async () => {
      const root = resolve(folder);
      await makeFolder(join(root, 'packs'));
      return new FilePpkVault(join(root, 'packs'), await TemporaryFiles.open(join(root, 'tmp'), overwrite));
    });
  }

  async putPack(pack: string, header: Bytes, entries: readonly Bytes[]): Promise<void> {
    checkPack(entries);
    const path = this.#path(pack);
    const content = encodePack(pack, header, entries);
    await guarded(() =>
      this.#temporary.use(async (file, temporaryPath) => {
        let isNew = false;
        try {
          await file.write(0, content);
          await file.sync();
          do isNew = await linkNew(temporaryPath, path);
          while (!isNew && (await this.#finishDestroyPack(pack)));
        } finally {
          // The octets of a pack that failed or came second are of no use to anybody.
          if (!isNew) await overwrite(file);
        }
      }),
    );
  }

  async header(pack: string): Promise<Bytes | undefined> {
    return guarded(async () => this.#find(pack)?.layout.header);
  }

  async entries(pack: string, positions: readonly number[]): Promise<(Bytes | undefined)[]> {
    return guarded(async () => {
      const found = this.#find(pack);
      if (found === undefined) return positions.map(() => undefined);
      checkPositions(positions, found.layout);
      if (positions.length === 0) return [];
      const read = readSlots(found, positions);
      // what was read while somebody destroyed it is read once more
      const again = read.includes('damaged') ? readSlots(found, positions) : read;
      return again.map((entry) => {
        if (entry === 'damaged') throw damaged(pack);
        return entry;
      });
    });
  }

  async destroy(pack: string, positions: readonly number[]): Promise<void> {
    await guarded(async () => {
      const found = this.#find(pack);
      if (found === undefined) return;
      const { file, layout } = found;
      checkPositions(positions, layout);
      for (const [first, count] of runs(positions))
        file.write(slotOffset(layout, first), new Uint8Array(count * layout.slotLength));
      await file.sync();
    });
  }

  async *names(): AsyncGenerator<string> {
    yield* this.#names('');
  }

  async *#names(folder: string): AsyncGenerator<string> {
    const path = join(this.#packs, ...folder.split('/').filter(Boolean).map(toFileName));
    for (const entry of (await guarded(() => entriesOf(path))).sort()) {
      if (entry.endsWith('@')) yield folder + fromFileName(entry.slice(0, -1));
      else yield* this.#names(`${folder}${fromFileName(entry)}/`);
    }
  }

  async destroyPack(pack: string): Promise<void> {
    await this.#destroyFile(this.#path(pack));
  }

  /** Destroys every pack there is; returns how many. May be repeated. */
  async destroyAll(): Promise<number> {
    const entries = await guarded(() => readdir(this.#packs, { recursive: true, withFileTypes: true }));
    const files = entries.filter((entry) => entry.isFile());
    for (const { parentPath, name } of files) await this.#destroyFile(join(parentPath, name));
    return files.length;
  }

  #destroyFile(path: string): Promise<void> {
    return guarded(async () => {
      const file = ifThere(() => WrittenFile.open(path));
      if (file === undefined) return;
      try {
        await overwrite(file);
      } finally {
        file.close();
      }
      this.#open.forget(path);
      await removeFile(path);
    });
  }

  async close(): Promise<void> {
    this.#open.close();
  }

  /** Removes a pack whose destruction was interrupted; false if the pack is there and whole. */
  async #finishDestroyPack(pack: string): Promise<boolean> {
    if (this.#find(pack) !== undefined) return false;
    await this.destroyPack(pack);
    return true;
  }

  #path(pack: string): string {
    return `${join(this.#packs, ...checkName(pack).split('/').map(toFileName))}@`;
  }

  #find(pack: string): Found | undefined {
    const file = this.#open.find(this.#path(pack));
    const layout = file && readLayout(file, pack);
    return layout && { file: file!, layout };
  }
}

/** Zeros over a whole file, flushed. */
async function overwrite(file: WrittenFile): Promise<void> {
  await file.write(0, new Uint8Array(file.size));
  await file.sync();
}

function checkPack(entries: readonly Bytes[]): void {
  invariant(entries.length <= PACK_LIMIT, `a pack has at most ${PACK_LIMIT} entries`);
  const fits = (entry: Bytes) => entry.length > 0 && entry.length <= ENTRY_LIMIT;
  invariant(entries.every(fits), `an entry of a pack has 1 to ${ENTRY_LIMIT} octets`);
}

/** A file that stands under the name of another pack, or whose preamble or header was changed, is found out. */
function sumOf(pack: string, preamble: Bytes, header: Bytes): number {
  return crc32(header, crc32(preamble.subarray(0, SUM_OFFSET), crc32(pack)));
}

function encodePack(pack: string, header: Bytes, entries: readonly Bytes[]): Bytes {
  const slotLength = SLOT_OVERHEAD + entries.reduce((longest, entry) => Math.max(longest, entry.length), 0);
  const content = Buffer.alloc(PREAMBLE_LENGTH + header.length + entries.length * slotLength);
  content.set(MAGIC, 0);
  content.writeUInt32BE(header.length, 8);
  content.writeUInt32BE(entries.length, 12);
  content.writeUInt32BE(slotLength, 16);
  content.writeUInt32BE(sumOf(pack, content, header), SUM_OFFSET);
  content.set(header, PREAMBLE_LENGTH);
  entries.forEach((entry, position) => {
    const start = PREAMBLE_LENGTH + header.length + position * slotLength;
    content.writeUInt32BE(entry.length, start);
    content.set(digest(entry), start + 4);
    content.set(entry, start + SLOT_OVERHEAD);
  });
  return content;
}

/**
 * Undefined for a pack that is being destroyed as a whole. Nobody waits for others here: what was read while somebody
 * overwrote it is read once more, and is damaged where it still is not what was written.
 */
function readLayout(file: OpenFile, pack: string): Layout | undefined {
  for (let reads = 1; ; reads++) {
    const layout = tryLayout(file, pack);
    if (layout !== 'damaged') return layout;
    if (reads === READS) throw damaged(pack);
  }
}

function tryLayout(file: OpenFile, pack: string): Layout | undefined | 'damaged' {
  const octets = file.read(0, PREAMBLE_LENGTH);
  const preamble = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  if (preamble.every((octet) => octet === 0)) return undefined;
  const headerLength = preamble.readUInt32BE(8);
  if (!preamble.subarray(0, MAGIC.length).equals(MAGIC) || headerLength > HEADER_LIMIT) return 'damaged';
  const header = file.read(PREAMBLE_LENGTH, headerLength);
  if (preamble.readUInt32BE(SUM_OFFSET) !== sumOf(pack, preamble, header)) return 'damaged';
  return { header, headerLength, count: preamble.readUInt32BE(12), slotLength: preamble.readUInt32BE(16) };
}

/** The entries in these slots, by one read of all that lies between them. */
function readSlots({ file, layout }: Found, positions: readonly number[]): (Bytes | undefined | 'damaged')[] {
  const { slotLength } = layout;
  const first = Math.min(...positions);
  const span = Math.max(...positions) - first + 1;
  const slots = file.read(slotOffset(layout, first), span * slotLength);
  return positions.map((position) => {
    const start = (position - first) * slotLength;
    return decodeSlot(slots.subarray(start, start + slotLength));
  });
}

/** Undefined where the entry was destroyed. */
function decodeSlot(octets: Bytes): Bytes | undefined | 'damaged' {
  const slot = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const length = slot.readUInt32BE(0);
  if (length === 0) return undefined;
  const entry = slot.subarray(SLOT_OVERHEAD, SLOT_OVERHEAD + length);
  return entry.length === length && digest(entry).equals(slot.subarray(4, SLOT_OVERHEAD)) ? entry : 'damaged';
}

function digest(entry: Bytes): Buffer {
  return hash('sha256', entry, 'buffer').subarray(0, SLOT_OVERHEAD - 4);
}

function damaged(pack: string): Fault {
  return new DamagedObject(`the keys of pack ${pack}`);
}

function slotOffset({ headerLength, slotLength }: Layout, position: number): number {
  return PREAMBLE_LENGTH + headerLength + position * slotLength;
}

function checkPositions(positions: readonly number[], { count }: Layout): void {
  const inside = (position: number) => Number.isInteger(position) && position >= 0 && position < count;
  invariant(positions.every(inside), `a position outside a pack of ${count} entries`);
}

/** Neighbouring positions as [first, count], so that a chunk is one write. */
function runs(positions: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const position of new Uint32Array(positions).sort()) {
    const last = found.at(-1);
    if (last !== undefined && position < last[0] + last[1]) continue;
    if (last !== undefined && position === last[0] + last[1]) last[1] += 1;
    else found.push([position, 1]);
  }
  return found;
}
