import type { Tlv } from '../../codec/tlv.ts';
import { decodeFcp, decodeFile, type Fcp, type FileItem } from './file.ts';
import { type FileView, viewFile } from './files.ts';
import { fillOf } from './generic-file-management.ts';
import type { Naa } from './naa.ts';
import type { PeName } from './profile-element.ts';

/** A directory of the file system that a package builds. */
export interface Directory {
  readonly kind: 'mf' | 'adf' | 'df';
  readonly place: number;
  /** File identifiers from below the MF, `7FD0/5FC0`; empty for the MF, undefined where unknown. */
  readonly path: string | undefined;
  /** DF name of an ADF, upper-case hexadecimal. */
  readonly aid: string | undefined;
  /** Of an ADF. */
  readonly naa: Naa | undefined;
  /** The ADF that it is or lies in. */
  readonly adf: Directory | undefined;
  /** False where only a path names it. */
  readonly created: boolean;
  readonly parent: Directory | undefined;
}

/** A fill command of a PE-GenericFileManagement, or undefined for a selection: filling begins anew. */
type Fill = { readonly place: number; readonly item: Tlv } | undefined;

/** A file of the package, wherever it is described. What costs time is found out when asked for. */
export class PackageFile {
  readonly place: number;
  readonly pe: PeName;
  /** Component of its PE, such as `ef-imsi`; undefined for a file of genericFileManagement. */
  readonly name: string | undefined;
  /** Its number among the createFCP commands of its PE, from 0. */
  readonly nth: number | undefined;
  /** createFCP, or the component; undefined where the template alone makes the file. */
  readonly element: Tlv | undefined;
  readonly parent: Directory | undefined;
  /** The directory that it is. */
  directory: Directory | undefined;
  readonly fills: Fill[] = [];
  readonly #oid: string;
  #view: FileView | undefined;
  /** Fills that the view knows. */
  #viewed = 0;

  constructor(source: {
    readonly place: number;
    readonly pe: PeName;
    readonly name?: string;
    readonly nth?: number;
    readonly element: Tlv | undefined;
    readonly parent: Directory | undefined;
    readonly oid?: string;
  }) {
    this.place = source.place;
    this.pe = source.pe;
    this.name = source.name;
    this.nth = source.nth;
    this.element = source.element;
    this.parent = source.parent;
    this.#oid = source.oid ?? '';
  }

  get view(): FileView {
    if (this.#view === undefined || this.#viewed !== this.fills.length) {
      this.#view = viewFile(this.#items(), this.#oid, this.name ?? '');
      this.#viewed = this.fills.length;
    }
    return this.#view;
  }

  /** `7FD0/6F07`; undefined where a part is unknown. */
  get path(): string | undefined {
    if (this.directory !== undefined) return this.directory.path;
    const { fileId } = this.view;
    return this.parent?.path === undefined || fileId === undefined
      ? undefined
      : joined(this.parent.path, fileId);
  }

  /** As people name it: by PE and component, or by its path. */
  get label(): string {
    return this.name === undefined ? (this.path ?? 'a file') || '3F00' : `${this.pe}/${this.name}`;
  }

  /** What other commands than those that follow its creation at once fill. */
  get refills(): readonly { readonly place: number; readonly item: Tlv }[] {
    const first = this.name === undefined ? this.fills.indexOf(undefined) : 0;
    return first < 0 ? [] : this.fills.slice(first).filter((fill) => fill !== undefined);
  }

  get fcp(): Fcp | undefined {
    const [first] = this.view.items;
    return first?.kind === 'fileDescriptor' ? first.fcp : undefined;
  }

  #items(): readonly FileItem[] {
    const items: FileItem[] =
      this.element === undefined
        ? []
        : this.name === undefined
          ? [{ kind: 'fileDescriptor', fcp: decodeFcp(this.element) }]
          : [...decodeFile(this.element)];
    for (const fill of this.fills) {
      const item =
        fill === undefined
          ? ({ kind: 'fillFileOffset', skip: -position(items) } as const)
          : fillOf(fill.item);
      if (item !== undefined) items.push(item);
    }
    return items;
  }
}

/** Where the next content of a file would go. */
function position(items: readonly FileItem[]): number {
  return items.reduce((at, item) => {
    if (item.kind === 'fillFileOffset') return at + item.skip;
    return item.kind === 'fillFileContent' ? at + item.content.length : at;
  }, 0);
}

/** The path of a file in a directory. */
export const joined = (path: string, fileId: string) => (path === '' ? fileId : `${path}/${fileId}`);
