import { decodeFile } from './file.ts';
import { FIRST_FILE, fileName, isFilePe } from './file-pes.ts';
import { type FileView, templateOid, viewFile } from './files.ts';
import { createdFiles, fileManagement } from './generic-file-management.ts';
import type { PeName, ProfilePackage } from './profile-element.ts';

/** A file of the package, wherever its PE describes it. */
export interface LocatedFile {
  /** Hexadecimal file identifiers from below the MF, an ADF by its temporary one; undefined where unknown. */
  readonly path: string | undefined;
  readonly place: number;
  readonly pe: PeName;
  /** Component of its PE, such as `ef-imsi`; undefined for a file of genericFileManagement. */
  readonly name: string | undefined;
  readonly view: FileView;
}

/** PEs whose directory lies below the MF; others lie below the ADF that went before. */
const BELOW_MF: readonly PeName[] = ['cd', 'telecom', 'eap'];

export function locateFiles(profile: ProfilePackage): readonly LocatedFile[] {
  let adf: readonly string[] | undefined;
  return profile.elements.flatMap(({ name: pe, fields }, place): readonly LocatedFile[] => {
    if (pe === 'genericFileManagement') {
      return createdFiles(fileManagement(fields)).map(({ path, items }) => ({
        path,
        place,
        pe,
        name: undefined,
        view: viewFile(items, '', ''),
      }));
    }
    if (!isFilePe(pe)) return [];
    const oid = templateOid(fields);
    let top: readonly string[] | undefined = BELOW_MF.includes(pe) || pe === 'mf' ? [] : adf;
    let directory = top;
    let entered = false;
    return fields.slice(FIRST_FILE).flatMap((field): readonly LocatedFile[] => {
      const name = fileName(pe, field.tag);
      if (name === undefined) return [];
      const view = viewFile(decodeFile(field), oid, name);
      const inside = (parent: readonly string[] | undefined) =>
        parent === undefined || view.fileId === undefined ? undefined : [...parent, view.fileId];
      if (name === 'mf') {
        directory = [];
        return [{ path: '', place, pe, name, view }];
      }
      if (name.startsWith('adf-')) {
        adf = inside([]);
        top = adf;
        directory = adf;
      } else if (view.structure === 'df' || name.startsWith('df-')) {
        directory = inside(top);
        if (!entered && BELOW_MF.includes(pe)) top = directory;
        entered = true;
      } else return [{ path: inside(directory)?.join('/'), place, pe, name, view }];
      return [{ path: directory?.join('/'), place, pe, name, view }];
    });
  });
}
