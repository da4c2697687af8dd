import { child } from './element.ts';
import { decodeFile } from './file.ts';
import { fileNames, fileTag, isFilePe } from './file-pes.ts';
import { fileTemplate } from './file-templates.ts';
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

/** PEs whose template creates its files also where the PE does not list them. */
const CREATED_BY_DEFAULT: readonly PeName[] = ['mf', 'usim', 'isim'];
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
    return fileNames(pe).flatMap((name): readonly LocatedFile[] => {
      const field = child(fields, fileTag(pe, name)!);
      const implied = CREATED_BY_DEFAULT.includes(pe) && fileTemplate(oid, name) !== undefined;
      if (field === undefined && !implied) return [];
      const view = viewFile(field === undefined ? [] : decodeFile(field), oid, name);
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
