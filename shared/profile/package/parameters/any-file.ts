import { type Bytes, toHex } from '../../../codec/bytes.ts';
import type { Tlv } from '../../../codec/tlv.ts';
import type { PeCodec } from '../draft.ts';
import { child } from '../element.ts';
import { decodeFile } from '../file.ts';
import { type LocatedFile, locateFiles } from '../file-paths.ts';
import { fileTag, isFilePe } from '../file-pes.ts';
import { type FileView, fileImage } from '../files.ts';
import {
  createdFiles,
  type FileManagement,
  fileManagement,
  withCreatedContent,
  withFileManagement,
} from '../generic-file-management.ts';
import { defineParameter, octetsInput, type Parameter, refuseParameter } from '../parameter.ts';
import type { PeName, ProfilePackage } from '../profile-element.ts';
import { type FileSite, fileSites, writtenFile } from './file-parameter.ts';

/**
 * Any EF: `ef:usim/ef-loci` by PE and component, `ef:7FD0/6F7E` by file identifiers from below the MF (an ADF by
 * its temporary one). `#2` at the end means the second record only. The value is octets; what it leaves of the
 * file is as the template or its pattern has it, what it leaves of a record is FF.
 */
const NAME = /^ef:([^#]+)(?:#([1-9][0-9]{0,2}))?$/;
const PATH = /^[0-9A-Fa-f]{4}(?:\/[0-9A-Fa-f]{4})*$/;

type Site = FileSite | CreatedSite;
interface CreatedSite {
  readonly place: number;
  readonly path: string;
  readonly view: FileView;
  readonly commands: FileManagement;
}

const CODEC: PeCodec<FileManagement> = { decode: fileManagement, encode: withFileManagement };

/** The parameter of this name, or undefined when it does not begin with `ef:`. */
export function anyFile(name: string): Parameter | undefined {
  const [, where, record] = NAME.exec(name) ?? [];
  if (where === undefined) return undefined;
  const number = record === undefined ? undefined : Number(record);

  return defineParameter<Bytes, Site>({
    name,
    // the content of an arbitrary file may hold keys
    secret: true,
    parse: (value) => octetsInput(name, value),
    sites(profile) {
      const sites = PATH.test(where)
        ? byPath(name, profile, where.toUpperCase())
        : byName(name, profile, where);
      for (const { view } of sites) checkRecord(name, view, number);
      return sites;
    },
    target: (site) =>
      `${site.place}/${'tag' in site ? site.tag : site.path}${number === undefined ? '' : `#${number}`}`,
    write(draft, site, value) {
      if ('tag' in site) {
        const view =
          number === undefined ? site.view : currentView(draft.field(site.place, site.tag), site.view);
        draft.setField(site.place, writtenFile(name, site, content(name, view, number, value)));
      } else {
        draft.change(site.place, CODEC, site.commands, (commands) => {
          const view = number === undefined ? site.view : createdView(commands, site);
          return withCreatedContent(commands, site.path, content(name, view, number, value));
        });
      }
    },
    read: (profile, site) => toHex(stored(profile, site, number)),
    text: toHex,
    same: (found, wanted) =>
      found.startsWith(wanted) && (number === undefined || /^(?:ff)*$/.test(found.slice(wanted.length))),
  });
}

function checkRecord(name: string, view: FileView, number: number | undefined): void {
  if (number === undefined) return;
  const { recordLength, size } = view;
  if (recordLength === undefined) refuseParameter(name, 'the file has no records');
  if (size !== undefined && number * recordLength > size)
    refuseParameter(name, 'the file has no such record');
}

/** The new content of the file: the value, or what is filled now with one record exchanged. */
function content(name: string, view: FileView, number: number | undefined, value: Bytes): Bytes {
  if (number === undefined) {
    if (view.size !== undefined && value.length > view.size) {
      refuseParameter(name, `${value.length} octets do not fit the file of ${view.size} octets`);
    }
    return value;
  }
  const length = view.recordLength!;
  if (value.length > length) refuseParameter(name, `${value.length} octets do not fit a record of ${length}`);
  const image = fileImage(view);
  const end = Math.max(image.length, number * length);
  const changed = Buffer.concat([image, Buffer.alloc(end - image.length, 0xff)]);
  changed.fill(0xff, (number - 1) * length, number * length);
  changed.set(value, (number - 1) * length);
  return changed;
}

function stored(profile: ProfilePackage, site: Site, number: number | undefined): Bytes {
  const { fields } = profile.elements[site.place]!;
  const view =
    'tag' in site
      ? currentView(child(fields, site.tag), site.view)
      : createdView(fileManagement(fields), site);
  const image = fileImage(view);
  if (number === undefined) return image;
  const length = view.recordLength!;
  return image.subarray((number - 1) * length, number * length);
}

/** The file with the entries that stand there now, other records' new content among them. */
function currentView(field: Tlv | undefined, view: FileView): FileView {
  return { ...view, items: field === undefined ? [] : decodeFile(field) };
}

/** The file as the commands create and fill it now. */
function createdView(commands: FileManagement, { path, view }: CreatedSite): FileView {
  return { ...view, items: createdFiles(commands).find((file) => file.path === path)?.items ?? [] };
}

function byName(name: string, profile: ProfilePackage, where: string): readonly Site[] {
  const [pe, file, ...rest] = where.split('/');
  if (pe === undefined || file === undefined || rest.length > 0 || !isFilePe(pe as PeName)) {
    refuseParameter(name, 'must name a file as PE/file or by file identifiers');
  }
  if (fileTag(pe as PeName, file) === undefined) refuseParameter(name, `the PE ${pe} has no such file`);
  return fileSites(name, profile, [pe as PeName], file);
}

function byPath(name: string, profile: ProfilePackage, path: string): readonly Site[] {
  const found = locateFiles(profile).filter((file) => file.path === path);
  if (found.length === 0) refuseParameter(name, 'the template has no file at this path');
  if (found.length > 1) refuseParameter(name, 'the template has several files at this path');
  return found.map((file) => siteOf(name, profile, file));
}

function siteOf(
  name: string,
  profile: ProfilePackage,
  { place, pe, name: file, view, path }: LocatedFile,
): Site {
  if (view.linked) refuseParameter(name, 'the file is a link to another file');
  if (!view.created) refuseParameter(name, 'the file is marked doNotCreate');
  if (view.structure === 'df') refuseParameter(name, 'the file is a directory');
  if (file !== undefined) return { place, pe, file, tag: fileTag(pe, file)!, view };
  return { place, path: path!, view, commands: fileManagement(profile.elements[place]!.fields) };
}
