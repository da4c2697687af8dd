import type { Bytes } from '../../../codec/bytes.ts';
import type { Tlv } from '../../../codec/tlv.ts';
import type { PackageDraft, PeCodec } from '../draft.ts';
import { child, made } from '../element.ts';
import { decodeFcp, decodeFile, encodeFile, type FileItem, withContent } from '../file.ts';
import { fileTag } from '../file-pes.ts';
import { type FileSystem, fileSystemOf, filesNamed, locationOf } from '../file-system.ts';
import { fileTemplate } from '../file-templates.ts';
import { type FileView, findFile, templateOid, viewFile } from '../files.ts';
import {
  createdBy,
  type FileManagement,
  fileManagement,
  fillOf,
  GFM_ITEM,
  withCreatedContent,
  withFileManagement,
  withoutItems,
} from '../generic-file-management.ts';
import type { PackageFile } from '../package-file.ts';
import { refuseParameter } from '../parameter.ts';
import { elementsNamed, type PeName, type ProfilePackage } from '../profile-element.ts';

/** A file that can be written, in whatever way the package makes it. */
export interface FileSite {
  /** By which two parameters find out that they write the same file. */
  readonly target: string;
  /** The file in the template. */
  readonly view: FileView;
  /** The file as it is now. */
  current(draft: PackageDraft): FileView;
  /** Gives the file this content, and all commands that filled it before give way. */
  write(draft: PackageDraft, content: Bytes): void;
  /** The file as it stands in a package with the same PEs; undefined where it is not. */
  stored(profile: ProfilePackage): FileView | undefined;
  /** Its content as it stands in such a package, in one piece: a view; undefined where it is made up of several. */
  content(profile: ProfilePackage): Bytes | undefined;
}

/** The file of a site with this content and no other. */
export const withStored = (view: FileView, content: Bytes): FileView => ({
  ...view,
  items: [{ kind: 'fillFileContent', content }],
});

/** The one content that fills a file. */
function onlyContent(items: readonly FileItem[]): Bytes | undefined {
  const fills = items.filter(({ kind }) => kind !== 'fileDescriptor');
  const [first] = fills;
  return fills.length === 1 && first?.kind === 'fillFileContent' ? first.content : undefined;
}

const CODEC: PeCodec<FileManagement> = { decode: fileManagement, encode: withFileManagement };

/**
 * The file of this component in every PE of these kinds, and wherever genericFileManagement makes it. An optional file
 * that is nowhere is created from the template of its PE. Refuses a package without any, and files that cannot be
 * written.
 */
export function fileSites(
  parameter: string,
  profile: ProfilePackage,
  pes: readonly PeName[],
  file: string,
): readonly FileSite[] {
  const system = fileSystemOf(profile);
  const found = filesNamed(system, pes, file);
  const adfOf = (place: number) => system.contexts[place]?.own;
  const missing = elementsNamed(profile, ...pes).filter(
    (place) =>
      fileTag(profile.elements[place]!.name, file) !== undefined &&
      !found.some(
        (other) => other.place === place || (other.name === undefined && other.parent?.adf === adfOf(place)),
      ),
  );
  if (found.length === 0 && missing.length === 0) refuseParameter(parameter, nowhere(pes, file));
  return [
    ...found.map((other) => siteOf(parameter, system, other)),
    ...missing.map((place) => newFile(parameter, profile, place, file)),
  ];
}

function nowhere(pes: readonly PeName[], file: string): string {
  const places = pes.flatMap((pe) => {
    const location = locationOf(pe, file);
    if (location === undefined) return [];
    return location.base === 'mf' ? location.path : `ADF ${location.base.toUpperCase()}/${location.path}`;
  });
  const path = places[0] === undefined ? '' : `, and genericFileManagement does not make ${places[0]}`;
  return `the template has no PE ${pes.join(' or ')} for ${file}${path}`;
}

/** The place of a file that the package describes; refuses what holds no content of its own. */
export function siteOf(parameter: string, system: FileSystem, file: PackageFile): FileSite {
  const { view, label } = file;
  if (view.linked) refuseParameter(parameter, `${label} is a link to another file`);
  if (!view.created) refuseParameter(parameter, `${label} is marked doNotCreate`);
  if (file.directory !== undefined) refuseParameter(parameter, `${label} is a directory`);
  return file.name === undefined
    ? commandSite(parameter, system, file)
    : componentSite(parameter, file.place, file.pe, file.name, view, system, file);
}

/** A file that the PE could list and does not. */
function newFile(parameter: string, profile: ProfilePackage, place: number, file: string): FileSite {
  const { name: pe, fields } = profile.elements[place]!;
  const oid = templateOid(fields);
  if (fileTemplate(oid, file) === undefined)
    refuseParameter(parameter, `the template does not describe ${file}, so it cannot be created`);
  return componentSite(parameter, place, pe, file, viewFile([], oid, file));
}

/** A component of a file PE. */
function componentSite(
  parameter: string,
  place: number,
  pe: PeName,
  name: string,
  view: FileView,
  system?: FileSystem,
  file?: PackageFile,
): FileSite {
  const tag = fileTag(pe, name)!;
  const refills = refillsOf(system, file);
  return {
    target: `${place}/${tag}`,
    view,
    current(draft) {
      const field = draft.field(place, tag);
      const items = field === undefined ? [] : decodeFile(field);
      return { ...view, items: refills.on(draft, items) };
    },
    write(draft, content) {
      checkFits(parameter, `${pe}/${name}`, view, content);
      const items = view.size === undefined ? withSize(view.items, content.length) : view.items;
      draft.setField(place, encodeFile(tag, withContent(items, content)));
      refills.drop(draft);
    },
    stored(profile) {
      if (refills.none) return findFile(pe, profile.elements[place]!.fields, name);
      return fileSystemOf(profile).files.find((other) => other.place === place && other.name === name)?.view;
    },
    content(profile) {
      const field = refills.none ? child(profile.elements[place]!.fields, tag) : undefined;
      return field && onlyContent(decodeFile(field));
    },
  };
}

/** A file that a createFCP makes. */
function commandSite(parameter: string, system: FileSystem, file: PackageFile): FileSite {
  const { place, view, label } = file;
  const nth = file.nth!;
  const commands = system.commands(place);
  const refills = refillsOf(system, file);
  return {
    target: `${place}/createFCP ${nth}`,
    view,
    current: (draft) => ({
      ...view,
      items: refills.on(draft, createdItems(draft.view(place, commands), nth)),
    }),
    write(draft, content) {
      checkFits(parameter, label, view, content);
      draft.change(place, CODEC, commands, (current) =>
        withCreatedContent(
          current,
          nth,
          content,
          view.size === undefined ? sized(current, nth, content) : undefined,
        ),
      );
      refills.drop(draft);
    },
    stored(profile) {
      if (refills.none) {
        const items = createdItems(fileManagement(profile.elements[place]!.fields), nth);
        return items.length === 0 ? undefined : viewFile(items, '', '');
      }
      return fileSystemOf(profile).files.find((other) => other.place === place && other.nth === nth)?.view;
    },
    content: (profile) =>
      refills.none
        ? onlyContent(createdItems(fileManagement(profile.elements[place]!.fields), nth))
        : undefined,
  };
}

function createdItems(commands: FileManagement, nth: number): readonly FileItem[] {
  const found = createdBy(commands, nth);
  if (found === undefined) return [];
  return [
    { kind: 'fileDescriptor', fcp: decodeFcp(found.create) },
    ...found.fills.flatMap((item) => fillOf(item) ?? []),
  ];
}

function checkFits(parameter: string, label: string, { size }: FileView, content: Bytes): void {
  if (size !== undefined && content.length > size)
    refuseParameter(parameter, `${content.length} octets do not fit ${label} of ${size} octets`);
}

/** What commands of genericFileManagement write into the file after it was made: it goes once the file is written. */
function refillsOf(system: FileSystem | undefined, file: PackageFile | undefined) {
  const refills = file?.refills ?? [];
  const places = [...new Set(refills.map(({ place }) => place))];
  const commandsOf = (place: number) => system?.commands(place) ?? [];
  return {
    none: refills.length === 0,
    /** The items with those refills that are still there. */
    on(draft: PackageDraft, items: readonly FileItem[]): readonly FileItem[] {
      const left = refills.some(({ place, item }) =>
        draft.view(place, commandsOf(place)).flat().includes(item),
      );
      return left && file !== undefined ? file.view.items : items;
    },
    drop(draft: PackageDraft): void {
      const gone = refills.map(({ item }) => item);
      for (const place of places)
        draft.change(place, CODEC, commandsOf(place), (current) => withoutItems(current, gone));
    },
  };
}

const FCP_BEFORE_SIZE = [0x82, 0x83, 0x84, 0x8a, 0x8b];

/** The components of an Fcp with an efFileSize. */
function sizedFcp(tag: number, fields: readonly Tlv[], size: number): Tlv {
  const octets = size > 0xff ? Buffer.of(size >>> 8, size & 0xff) : Buffer.of(size);
  const before = fields.filter((field) => FCP_BEFORE_SIZE.includes(field.tag));
  const after = fields.filter((field) => !FCP_BEFORE_SIZE.includes(field.tag));
  return made(tag, ...before.map(({ raw }) => raw), made(0x80, octets).raw, ...after.map(({ raw }) => raw));
}

const FILE_DESCRIPTOR = 0xa1;

/** A file whose size nobody gave gets the size of its content. */
function withSize(items: readonly FileItem[], size: number): readonly FileItem[] {
  const [first, ...rest] = items;
  const [fields, others] = first?.kind === 'fileDescriptor' ? [first.fcp.fields, rest] : [[], [...items]];
  return [{ kind: 'fileDescriptor', fcp: decodeFcp(sizedFcp(FILE_DESCRIPTOR, fields, size)) }, ...others];
}

function sized(commands: FileManagement, nth: number, content: Bytes): Tlv | undefined {
  const create = createdBy(commands, nth)?.create;
  return create && sizedFcp(GFM_ITEM.createFcp, decodeFcp(create).fields, content.length);
}
