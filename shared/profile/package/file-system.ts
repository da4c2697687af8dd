import { type Bytes, toHex } from '../../codec/bytes.ts';
import type { Tlv } from '../../codec/tlv.ts';
import { child } from './element.ts';
import { decodeFcp, filledLength } from './file.ts';
import { FIRST_FILE, fileName, fileNames, fileTag, isFilePe } from './file-pes.ts';
import { fileTemplate, TEMPLATE_OIDS } from './file-templates.ts';
import { templateOid } from './files.ts';
import { type FileManagement, fileManagement, fillOf, GFM_ITEM } from './generic-file-management.ts';
import { NAA_EXTENSIONS, NAA_PES, type Naa, naaOfAid } from './naa.ts';
import { type Directory, joined, PackageFile } from './package-file.ts';
import type { PeName, ProfileElement, ProfilePackage } from './profile-element.ts';

/**
 * The file system that a package builds. File PEs and PE-GenericFileManagement are two ways into it: whoever looks for
 * a file looks here. Directories are entered as on a card: a path leads there from the MF (an ADF by its temporary file
 * identifier), and CREATE FILE of a DF or ADF makes it current (ETSI TS 102 221 section 8.4, TS 102 222 section
 * 6.3.2). Each PE-GenericFileManagement begins in the MF; its lists of commands follow on one another.
 */
export interface FileSystem {
  readonly files: readonly PackageFile[];
  /** In the order of their creation; the MF among them. */
  readonly directories: readonly Directory[];
  /** What PEs find, by their places. */
  readonly contexts: readonly PeContext[];
  /** Commands of genericFileManagement that cannot be done: a path that leads nowhere, content for no file. */
  readonly lost: readonly LostCommand[];
  /** The commands of the PE-GenericFileManagement at this place. */
  commands(place: number): FileManagement;
  /** Files of file PEs by the names of their components, and those of genericFileManagement. */
  readonly described: ReadonlyMap<string, readonly PackageFile[]>;
  readonly created: readonly PackageFile[];
}

export interface PeContext {
  /** The ADF that was created last. */
  readonly adf: Directory | undefined;
  /** The first directory of the last PE that created one: whose PINs a PE-PINCodes defines (section 8.1.3). */
  readonly pins: Directory | undefined;
  /** The ADF that the files of a file PE go into. */
  readonly own: Directory | undefined;
  /** A PE that module 3.4.1 does not name came last: what it made is not known. */
  readonly unknown: boolean;
}

export interface LostCommand {
  readonly place: number;
  readonly item: Tlv;
  readonly why: 'path' | 'content';
  readonly path: string;
}

/** Four digits each, from below the MF; 3F00 at the beginning is the MF itself. */
export function pathOf(octets: Bytes): string {
  const identifiers =
    toHex(octets)
      .toUpperCase()
      .match(/.{1,4}/g) ?? [];
  return (identifiers[0] === MF ? identifiers.slice(1) : identifiers).join('/');
}

const MF = '3F00';
/** Stands for the ADF that is current (ETSI TS 102 221 section 8.4.2). */
const CURRENT_ADF = '7FFF';
/** PEs whose template creates its files also where the PE does not list them. */
const CREATED_BY_DEFAULT: readonly PeName[] = ['mf', 'usim', 'isim'];
/** PEs whose directory lies below the MF; others lie below the ADF that went before. */
const BELOW_MF: readonly PeName[] = ['cd', 'telecom', 'eap'];

/** Where commands go as long as there is no MF. */
const NO_MF: Directory = {
  kind: 'mf',
  place: -1,
  path: '',
  aid: undefined,
  naa: undefined,
  adf: undefined,
  created: false,
  parent: undefined,
};

const known = new WeakMap<ProfilePackage, FileSystem>();

/** Refuses (`profileInvalid`) directories and commands that are malformed; an EF only once its `view` is asked for. */
export function fileSystemOf(profile: ProfilePackage): FileSystem {
  const found = known.get(profile);
  if (found !== undefined) return found;
  const built = new Builder().build(profile);
  known.set(profile, built);
  return built;
}

class Builder {
  readonly #files: PackageFile[] = [];
  readonly #described = new Map<string, PackageFile[]>();
  readonly #created: PackageFile[] = [];
  readonly #directories: Directory[] = [];
  readonly #contexts: PeContext[] = [];
  readonly #lost: LostCommand[] = [];
  readonly #commands = new Map<number, FileManagement>();
  #adf: Directory | undefined;
  #pins: Directory | undefined;
  #unknown = false;

  build({ elements }: ProfilePackage): FileSystem {
    elements.forEach((element, place) => {
      const context = {
        adf: this.#adf,
        pins: this.#unknown ? undefined : this.#pins,
        unknown: this.#unknown,
      };
      const before = this.#directories.length;
      let own: Directory | undefined;
      if (element.name === 'genericFileManagement') this.#run(element, place);
      else if (isFilePe(element.name)) own = this.#create(element, place);
      this.#contexts.push({ ...context, own });
      // PE-IoT makes the MF and the ADF at once: its PINs are those of the ADF (section 8.5.1)
      const first = this.#directories
        .slice(before)
        .find(({ kind }) => element.name !== 'iot' || kind === 'adf');
      this.#pins = first ?? this.#pins;
      this.#unknown = element.name === 'unknown' || (this.#unknown && first === undefined);
    });
    return {
      files: this.#files,
      directories: this.#directories,
      contexts: this.#contexts,
      lost: this.#lost,
      commands: (place) => this.#commands.get(place) ?? [],
      described: this.#described,
      created: this.#created,
    };
  }

  get #mf(): Directory | undefined {
    return this.#directories.find(({ kind }) => kind === 'mf');
  }

  /** The files of a file PE, in the order of its components; gives the ADF that they lie in. */
  #create({ name: pe, fields }: ProfileElement, place: number): Directory | undefined {
    const oid = templateOid(fields);
    const base = BELOW_MF.includes(pe) ? this.#mf : this.#extended(pe);
    let top = base;
    let directory = base;
    let entered = false;
    for (const name of fileNamesOf(pe, fields, oid)) {
      const element = child(fields, fileTag(pe, name)!);
      const kind =
        name === 'mf' ? 'mf' : name.startsWith('adf-') ? 'adf' : name.startsWith('df-') ? 'df' : 'ef';
      const parent = kind === 'df' ? top : kind === 'ef' ? directory : this.#mf;
      const file = new PackageFile({ place, pe, name, element, parent, oid });
      this.#files.push(file);
      const alike = this.#described.get(name);
      if (alike === undefined) this.#described.set(name, [file]);
      else alike.push(file);
      if (kind === 'ef') continue;
      directory = this.#enter(file, kind, NAA_PES[pe]);
      // the first DF of DF.CD, DF.TELECOM and DF.EAP holds their others
      if (kind !== 'df' || (!entered && BELOW_MF.includes(pe))) top = directory;
      entered = true;
    }
    return top?.adf;
  }

  /** The ADF that a PE such as opt-usim puts files into: the last of its NAA, or one of genericFileManagement. */
  #extended(pe: PeName): Directory | undefined {
    const naa = NAA_EXTENSIONS[pe];
    if (naa === undefined) return undefined;
    const adfs = this.#directories.filter(({ kind }) => kind === 'adf');
    return adfs.findLast((adf) => adf.naa === naa) ?? adfs.findLast((adf) => adf.naa === 'other');
  }

  #enter(file: PackageFile, kind: Directory['kind'], naa?: Naa): Directory {
    const { fcp, parent, place, view } = file;
    const aid = fcp?.dfName === undefined ? undefined : toHex(fcp.dfName).toUpperCase();
    const path =
      kind === 'mf'
        ? ''
        : kind === 'adf'
          ? view.fileId
          : parent?.path === undefined || view.fileId === undefined
            ? undefined
            : joined(parent.path, view.fileId);
    const own = { kind, place, path, aid, created: view.created, parent };
    const directory: Directory & { adf: Directory | undefined } =
      kind === 'adf'
        ? { ...own, naa: naa ?? naaOfAid(aid), adf: undefined }
        : { ...own, naa: undefined, adf: parent?.adf };
    if (kind === 'adf') {
      directory.adf = directory;
      this.#adf = directory;
    }
    file.directory = directory;
    this.#directories.push(directory);
    return directory;
  }

  #run({ name: pe, fields }: ProfileElement, place: number): void {
    const commands = fileManagement(fields);
    this.#commands.set(place, commands);
    let current: Directory | undefined = this.#mf ?? NO_MF;
    let file: PackageFile | undefined;
    let nth = 0;
    for (const item of commands.flat()) {
      if (item.tag === GFM_ITEM.filePath) {
        const selected = this.#select(place, item, current);
        if (selected instanceof PackageFile) {
          file = selected;
          file.fills.push(undefined);
          current = file.parent;
        } else {
          file = undefined;
          current = selected;
        }
      } else if (item.tag === GFM_ITEM.createFcp) {
        file = this.#createFile(
          new PackageFile({ place, pe, nth: nth++, element: item, parent: current }),
          item,
        );
        current = file.directory ?? current;
      } else if (fillOf(item) !== undefined) {
        if (file === undefined) this.#lost.push({ place, item, why: 'content', path: current?.path ?? '' });
        else file.fills.push({ place, item });
      }
    }
  }

  #createFile(file: PackageFile, create: Tlv): PackageFile {
    const { fileId, dfName, structure } = decodeFcp(create);
    this.#files.push(file);
    this.#created.push(file);
    if (fileId !== undefined && toHex(fileId).toUpperCase() === MF) this.#enter(file, 'mf');
    else if (dfName !== undefined) this.#enter(file, 'adf');
    else if (structure === 'df') this.#enter(file, 'df');
    return file;
  }

  #select(place: number, item: Tlv, current: Directory | undefined): PackageFile | Directory | undefined {
    const asked = pathOf(item.value);
    const adf = current?.adf?.path;
    const path = asked.startsWith(CURRENT_ADF) && adf !== undefined ? adf + asked.slice(4) : asked;
    const directory = this.#directories.findLast((other) => other.path === path);
    if (directory !== undefined) return directory;
    const file = path === '' ? undefined : this.#files.findLast((other) => other.path === path);
    if (file !== undefined) return file;
    if (path === '' && this.#mf === undefined) return NO_MF;
    this.#lost.push({ place, item, why: 'path', path });
    const above = this.#directories.findLast((other) => other.path === path.split('/')[0]);
    return {
      kind: 'df',
      place,
      path,
      aid: undefined,
      naa: undefined,
      adf: above?.adf,
      created: false,
      parent: above,
    };
  }
}

/** Names of the files that a PE creates: those it lists, and those its template makes by default. */
function fileNamesOf(pe: PeName, fields: readonly Tlv[], oid: string): readonly string[] {
  const root = (name: string) => name === 'mf' || name.startsWith('adf-');
  if (CREATED_BY_DEFAULT.includes(pe) || NAA_PES[pe] !== undefined) {
    const implied = (name: string) =>
      root(name) || (CREATED_BY_DEFAULT.includes(pe) && fileTemplate(oid, name) !== undefined);
    return fileNames(pe).filter((name) => implied(name) || child(fields, fileTag(pe, name)!) !== undefined);
  }
  return fields.slice(FIRST_FILE).flatMap(({ tag }) => fileName(pe, tag) ?? []);
}

/** Where a component of a PE lies: below the MF, or below the ADF of an NAA. */
interface Location {
  readonly base: 'mf' | Naa;
  readonly path: string;
}

const locations = new Map<string, Location | undefined>();

/** The place of a component by the identifiers of its template; undefined where none is known. */
export function locationOf(pe: PeName, file: string): Location | undefined {
  const key = `${pe}/${file}`;
  if (!locations.has(key)) locations.set(key, findLocation(pe, file));
  return locations.get(key);
}

function findLocation(pe: PeName, file: string): Location | undefined {
  const oid = TEMPLATE_OIDS[pe];
  if (oid === undefined) return undefined;
  let base: Location['base'] = NAA_EXTENSIONS[pe] ?? 'mf';
  let top = '';
  let directory = '';
  let entered = false;
  for (const name of fileNames(pe)) {
    const fileId = fileTemplate(oid, name)?.fileId;
    if (name === 'mf') directory = '';
    else if (name.startsWith('adf-')) {
      base = NAA_PES[pe] ?? 'other';
      top = '';
      directory = '';
    } else if (name.startsWith('df-')) {
      directory = joined(top, fileId ?? '????');
      if (!entered && BELOW_MF.includes(pe)) top = directory;
      entered = true;
    }
    if (name !== file) continue;
    if (name.startsWith('df-')) return { base, path: directory };
    return fileId === undefined ? undefined : { base, path: joined(directory, fileId) };
  }
  return undefined;
}

/**
 * The file of this component, in every PE of these kinds that describes it and wherever genericFileManagement makes a
 * file in its place.
 */
export function filesNamed(system: FileSystem, pes: readonly PeName[], name: string): readonly PackageFile[] {
  const described = (system.described.get(name) ?? []).filter(({ pe }) => pes.includes(pe));
  if (system.created.length === 0) return described;
  const wanted = pes.flatMap((pe) => locationOf(pe, name) ?? []);
  return [...described, ...system.created.filter((file) => wanted.some((location) => isAt(file, location)))];
}

function isAt({ path, parent }: PackageFile, { base, path: wanted }: Location): boolean {
  if (base === 'mf') return parent?.adf === undefined && path === wanted;
  const adf = parent?.adf;
  return adf?.naa === base && adf.path !== undefined && path === joined(adf.path, wanted);
}

/** Octets that fill commands and entries reach, over all files: the content that the package carries. */
export function filledOctets(system: FileSystem): number {
  return system.files.reduce((sum, { view }) => sum + filledLength(view.items), 0);
}
