import type { Bytes } from '../../codec/bytes.ts';
import { type Tlv, tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { child, children, integerOf, made, withField } from './element.ts';
import type { FileItem } from './file.ts';

/**
 * PE-GenericFileManagement: lists of commands that select a directory or a file, create a file and fill it, as an
 * administrator would do on a card (ETSI TS 102 222). FileManagement writes its tags itself, so an offset is a
 * universal INTEGER. What the commands do to the file system is told by `file-system.ts`.
 */
export type FileManagement = readonly (readonly Tlv[])[];

const COMMANDS = 0xa1;
export const GFM_ITEM = {
  filePath: 0x80,
  createFcp: 0x62,
  fillFileOffset: 0x02,
  fillFileContent: 0x81,
} as const;

export function fileManagement(fields: readonly Tlv[]): FileManagement {
  const list =
    child(fields, COMMANDS) ?? refuse('profileInvalid', 'a PE-GenericFileManagement has no command');
  return children(list).map(children);
}

export function withFileManagement(fields: readonly Tlv[], commands: FileManagement): readonly Tlv[] {
  const encoded = commands.map((items) => tlv(0x30, ...items.map(({ raw }) => raw)));
  return withField(fields, COMMANDS, made(COMMANDS, ...encoded));
}

/** A fill command as an entry of the file that it fills; undefined for other commands. */
export function fillOf(item: Tlv): FileItem | undefined {
  if (item.tag === GFM_ITEM.fillFileOffset)
    return { kind: 'fillFileOffset', skip: integerOf(item, 'fillFileOffset') };
  if (item.tag === GFM_ITEM.fillFileContent) return { kind: 'fillFileContent', content: item.value };
  return undefined;
}

/** The `nth` createFCP of the PE, from 0, and the fill commands that follow it at once. */
export function createdBy(
  commands: FileManagement,
  nth: number,
): { readonly create: Tlv; readonly fills: readonly Tlv[] } | undefined {
  const items = commands.flat();
  let seen = -1;
  const at = items.findIndex(({ tag }) => tag === GFM_ITEM.createFcp && ++seen === nth);
  if (at < 0) return undefined;
  const after = items.slice(at + 1);
  const end = after.findIndex((item) => fillOf(item) === undefined);
  return { create: items[at]!, fills: end < 0 ? after : after.slice(0, end) };
}

/**
 * The commands with new content for the file that the `nth` createFCP makes: the fill commands that follow it give way
 * to one. `create` replaces the createFCP itself.
 */
export function withCreatedContent(
  commands: FileManagement,
  nth: number,
  content: Bytes,
  create?: Tlv,
): FileManagement {
  let seen = -1;
  let filling = false;
  return commands.map((items) =>
    items.flatMap((item) => {
      if (item.tag === GFM_ITEM.createFcp) {
        filling = ++seen === nth;
        if (!filling) return [item];
        const fill = content.length === 0 ? [] : [made(GFM_ITEM.fillFileContent, content)];
        return [create ?? item, ...fill];
      }
      if (item.tag === GFM_ITEM.filePath) filling = false;
      return filling ? [] : [item];
    }),
  );
}

/** The commands without these ones. */
export function withoutItems(commands: FileManagement, gone: readonly Tlv[]): FileManagement {
  return commands.map((items) => items.filter((item) => !gone.includes(item)));
}
