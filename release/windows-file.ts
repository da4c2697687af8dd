/**
 * The little of Microsoft's PE format that a release needs ("PE Format", Microsoft Learn): offsets are those of a PE32+
 * optional header.
 */

const PE_OFFSET = 0x3c;
/** Signature and COFF header. */
const OPTIONAL_HEADER = 24;
const DATA_DIRECTORIES = 112;
const RESOURCE_TABLE = 2;
const CERTIFICATE_TABLE = 4;
/** RT_RCDATA. */
const RAW_DATA = 10;

/** The file without its Authenticode signature, which no longer holds once a resource is added. */
export function withoutSignature(file: Buffer): Buffer {
  const directory = dataDirectory(file, CERTIFICATE_TABLE);
  const at = file.readUInt32LE(directory);
  const length = file.readUInt32LE(directory + 4);
  if (length === 0) return file;
  if (at + length !== file.length) throw new RangeError('a signature that is not the end of the file');
  const cut = Buffer.from(file.subarray(0, at));
  cut.writeBigUInt64LE(0n, directory);
  return cut;
}

/** Octets of the raw resource of this name, in its first language; undefined where there is none. */
export function resourceOf(file: Buffer, name: string): Buffer | undefined {
  const root = offsetOf(file, file.readUInt32LE(dataDirectory(file, RESOURCE_TABLE)));
  const byType = entries(file, root, root).find(({ id }) => id === RAW_DATA);
  if (byType === undefined) return undefined;
  const byName = entries(file, root, byType.at).find((entry) => entry.name === name);
  if (byName === undefined) return undefined;
  const [language] = entries(file, root, byName.at);
  if (language === undefined) return undefined;
  const start = offsetOf(file, file.readUInt32LE(language.at));
  return file.subarray(start, start + file.readUInt32LE(language.at + 4));
}

interface ResourceEntry {
  readonly id: number;
  readonly name?: string;
  /** Offset in the file of the table, or of the data entry, that it leads to. */
  readonly at: number;
}

function entries(file: Buffer, root: number, table: number): ResourceEntry[] {
  const count = file.readUInt16LE(table + 12) + file.readUInt16LE(table + 14);
  return Array.from({ length: count }, (_, index) => {
    const entry = table + 16 + index * 8;
    const id = file.readUInt32LE(entry);
    const at = root + (file.readUInt32LE(entry + 4) & 0x7fff_ffff);
    if (id < 0x8000_0000) return { id, at };
    const text = root + (id & 0x7fff_ffff);
    const length = file.readUInt16LE(text) * 2;
    return { id, at, name: file.toString('utf16le', text + 2, text + 2 + length) };
  });
}

const optionalHeader = (file: Buffer) => file.readUInt32LE(PE_OFFSET) + OPTIONAL_HEADER;

const dataDirectory = (file: Buffer, index: number) => optionalHeader(file) + DATA_DIRECTORIES + index * 8;

/** The place in the file of what is loaded at this relative address. */
function offsetOf(file: Buffer, address: number): number {
  const pe = file.readUInt32LE(PE_OFFSET);
  const sections = file.readUInt16LE(pe + 6);
  const first = pe + OPTIONAL_HEADER + file.readUInt16LE(pe + 20);
  for (let section = first; section < first + sections * 40; section += 40) {
    const start = file.readUInt32LE(section + 12);
    if (address >= start && address < start + file.readUInt32LE(section + 16))
      return file.readUInt32LE(section + 20) + address - start;
  }
  throw new RangeError('an address in no section of the file');
}
