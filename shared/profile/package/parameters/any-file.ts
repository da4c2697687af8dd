import { type Bytes, toHex } from '../../../codec/bytes.ts';
import { present } from '../../../present.ts';
import { fileTag, isFilePe } from '../file-pes.ts';
import { fileSystemOf } from '../file-system.ts';
import { type FileView, fileImage } from '../files.ts';
import { defineParameter, octetsInput, type Parameter, refuseParameter } from '../parameter.ts';
import type { PeName, ProfilePackage } from '../profile-element.ts';
import { fileSlot } from './file-parameter.ts';
import { type FileSite, fileSites, siteOf, withStored } from './file-site.ts';

/**
 * Any EF: `ef:usim/ef-loci` by PE and component, `ef:7FD0/6F7E` by file identifiers from below the MF (an ADF by
 * its temporary one). `#2` at the end means the second record only. The value is octets; what it leaves of the
 * file is as the template or its pattern has it, what it leaves of a record is FF.
 */
const NAME = /^ef:([^#]+)(?:#([1-9][0-9]{0,2}))?$/;
const PATH = /^[0-9A-Fa-f]{4}(?:\/[0-9A-Fa-f]{4})*$/;

/** The parameter of this name, or undefined when it does not begin with `ef:`. */
export function anyFile(name: string): Parameter | undefined {
  const [, where, record] = NAME.exec(name) ?? [];
  if (where === undefined) return undefined;
  const number = record === undefined ? undefined : Number(record);

  return defineParameter<Bytes, FileSite>({
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
    target: ({ target }) => (number === undefined ? target : `${target}#${number}`),
    write(draft, site, value) {
      const view = number === undefined ? site.view : site.current(draft);
      site.write(draft, content(name, view, number, value));
    },
    read: (profile, site) => toHex(stored(profile, site, number)),
    text: toHex,
    same: (found, wanted) =>
      found.startsWith(wanted) && (number === undefined || /^(?:ff)*$/.test(found.slice(wanted.length))),
    // the other records of a file are as other parameters leave them
    ...present({
      slot:
        number === undefined
          ? {
              find: fileSlot,
              octets: (site: FileSite, value: Bytes) => content(name, site.view, undefined, value),
              read: (site: FileSite, octets: Bytes) => toHex(fileImage(withStored(site.view, octets))),
            }
          : undefined,
    }),
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

function stored(profile: ProfilePackage, site: FileSite, number: number | undefined): Bytes {
  const view = site.stored(profile);
  const image = view === undefined ? Buffer.alloc(0) : fileImage(view);
  if (number === undefined) return image;
  const length = site.view.recordLength!;
  return image.subarray((number - 1) * length, number * length);
}

function byName(name: string, profile: ProfilePackage, where: string): readonly FileSite[] {
  const [pe, file, ...rest] = where.split('/');
  if (pe === undefined || file === undefined || rest.length > 0 || !isFilePe(pe as PeName)) {
    refuseParameter(name, 'must name a file as PE/file or by file identifiers');
  }
  if (fileTag(pe as PeName, file) === undefined) refuseParameter(name, `the PE ${pe} has no such file`);
  return fileSites(name, profile, [pe as PeName], file);
}

function byPath(name: string, profile: ProfilePackage, path: string): readonly FileSite[] {
  const system = fileSystemOf(profile);
  const found = system.files.filter((file) => file.path === path);
  if (found.length === 0) refuseParameter(name, 'the template has no file at this path');
  if (found.length > 1) refuseParameter(name, 'the template has several files at this path');
  return found.map((file) => siteOf(name, system, file));
}
