import { type Bytes, toHex } from '../../codec/bytes.ts';
import { decodeOid } from '../../codec/oid.ts';
import type { Tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { child } from './element.ts';
import {
  applyFill,
  decodeFile,
  descriptorOf,
  type FileItem,
  type FileStructure,
  type FillPattern,
  filledLength,
  patternImage,
} from './file.ts';
import { fileTag, TEMPLATE_ID } from './file-pes.ts';
import { fileTemplate } from './file-templates.ts';
import type { PeName } from './profile-element.ts';

/** A file as its PE and the PE's template make it together. */
export interface FileView {
  readonly items: readonly FileItem[];
  readonly structure: FileStructure | undefined;
  /** Octets; undefined where neither the package nor a known template gives it. */
  readonly size: number | undefined;
  readonly recordLength: number | undefined;
  readonly pattern: FillPattern | undefined;
  /** Four hexadecimal digits, upper case. */
  readonly fileId: string | undefined;
  readonly linked: boolean;
  readonly created: boolean;
}

export function templateOid(fields: readonly Tlv[]): string {
  const oid = child(fields, TEMPLATE_ID);
  return oid === undefined ? refuse('profileInvalid', 'a file PE has no templateID') : decodeOid(oid.value);
}

/** The file of this name in the components of a PE; undefined when the PE does not list it. */
export function findFile(pe: PeName, fields: readonly Tlv[], name: string): FileView | undefined {
  const tag = fileTag(pe, name);
  const element = tag === undefined ? undefined : child(fields, tag);
  return element === undefined ? undefined : viewFile(decodeFile(element), templateOid(fields), name);
}

export function viewFile(items: readonly FileItem[], oid: string, name: string): FileView {
  const template = fileTemplate(oid, name);
  const fcp = descriptorOf(items);
  const fileId = fcp?.fileId === undefined ? template?.fileId : toHex(fcp.fileId).toUpperCase();
  return {
    items,
    structure: fcp?.structure ?? template?.structure,
    size: fcp?.size ?? fcp?.maximumSize ?? template?.size,
    recordLength: fcp?.recordLength ?? template?.recordLength,
    pattern: fcp?.pattern ?? template?.pattern,
    fileId,
    linked: fcp?.linkPath !== undefined && fcp.linkPath.length > 0,
    created: !items.some(({ kind }) => kind === 'doNotCreate'),
  };
}

/** The octets that the installed file will hold, or only those that are filled where its size is not known: not to be changed. */
export function fileImage(file: FileView): Bytes {
  const size = file.structure === 'ber-tlv' ? undefined : file.size;
  const only = file.items.length === 1 ? file.items[0] : undefined;
  if (only?.kind === 'fillFileContent' && only.content.length === size) return only.content;
  return applyFill(patternImage(size ?? filledLength(file.items), file.pattern), file.items);
}

/** ETSI TS 102 221 section 8.2.2.2: record numbers are 01 to FE. */
export const MAX_RECORDS = 254;

/** Records of a linear fixed or cyclic file. */
export function fileRecords(file: FileView): readonly Bytes[] {
  const image = fileImage(file);
  const length = file.recordLength ?? image.length;
  if (image.length > MAX_RECORDS * length)
    refuse('profileInvalid', `a file has at most ${MAX_RECORDS} records`);
  const records: Bytes[] = [];
  for (let at = 0; at < image.length; at += length) records.push(image.subarray(at, at + length));
  return records;
}
