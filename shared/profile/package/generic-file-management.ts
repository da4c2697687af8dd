import { type Bytes, toHex } from '../../codec/bytes.ts';
import { type Tlv, tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { child, children, integerOf, made, withField } from './element.ts';
import { decodeFcp, type FileItem } from './file.ts';

/**
 * PE-GenericFileManagement: commands, each a sequence of items that select a directory, create a file in it and
 * fill it. FileManagement writes its tags itself, so an offset is a universal INTEGER.
 */
export type FileManagement = readonly (readonly Tlv[])[];

const COMMANDS = 0xa1;
const ITEM = { filePath: 0x80, createFcp: 0x62, fillFileOffset: 0x02, fillFileContent: 0x81 } as const;

export function fileManagement(fields: readonly Tlv[]): FileManagement {
  const list =
    child(fields, COMMANDS) ?? refuse('profileInvalid', 'a PE-GenericFileManagement has no command');
  return children(list).map(children);
}

export function withFileManagement(fields: readonly Tlv[], commands: FileManagement): readonly Tlv[] {
  const encoded = commands.map((items) => tlv(0x30, ...items.map(({ raw }) => raw)));
  return withField(fields, COMMANDS, made(COMMANDS, ...encoded));
}

/** A file that the commands create. */
export interface CreatedFile {
  /** Hexadecimal file identifiers from below the MF, an ADF by its temporary one: `7F10/6F44`. */
  readonly path: string;
  readonly items: readonly FileItem[];
}

export function createdFiles(commands: FileManagement): readonly CreatedFile[] {
  const files: { path: string; items: FileItem[] }[] = [];
  walk(commands, (item, path, creates) => {
    if (creates) files.push({ path, items: [{ kind: 'fileDescriptor', fcp: decodeFcp(item) }] });
    else if (item.tag === ITEM.fillFileOffset) {
      files.at(-1)?.items.push({ kind: 'fillFileOffset', skip: integerOf(item, 'fillFileOffset') });
    } else if (item.tag === ITEM.fillFileContent) {
      files.at(-1)?.items.push({ kind: 'fillFileContent', content: item.value });
    }
    return [item];
  });
  return files;
}

/** The commands with new content for the file at this path: its fill entries give way to one. */
export function withCreatedContent(commands: FileManagement, path: string, content: Bytes): FileManagement {
  return walk(commands, (item, at, creates) => {
    if (at !== path) return [item];
    if (creates) return [item, made(ITEM.fillFileContent, content)];
    return item.tag === ITEM.fillFileOffset || item.tag === ITEM.fillFileContent ? [] : [item];
  });
}

/** Rewrites the items in order, telling for each the path of the file that it creates or fills. */
function walk(
  commands: FileManagement,
  rewrite: (item: Tlv, path: string, creates: boolean) => readonly Tlv[],
): FileManagement {
  return commands.map((items) => {
    let directory = '';
    let path = '';
    return items.flatMap((item) => {
      const creates = item.tag === ITEM.createFcp;
      if (item.tag === ITEM.filePath) {
        directory = joinPath(item.value);
        path = '';
      } else if (creates) {
        const { fileId } = decodeFcp(item);
        path = [directory, fileId === undefined ? '' : joinPath(fileId)].filter(Boolean).join('/');
      }
      return rewrite(item, path, creates);
    });
  });
}

function joinPath(octets: Bytes): string {
  return (toHex(octets).toUpperCase().match(/.{4}/g) ?? []).join('/');
}
