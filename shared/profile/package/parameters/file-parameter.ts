import { type Bytes, toHex } from '../../../codec/bytes.ts';
import { contextTag, made } from '../element.ts';
import { decodeFcp, encodeFile, type FileItem, withContent } from '../file.ts';
import { fileTag } from '../file-pes.ts';
import { fileTemplate } from '../file-templates.ts';
import { type FileView, fileImage, findFile, templateOid, viewFile } from '../files.ts';
import { defineParameter, type Parameter, type ParameterValue, refuseParameter } from '../parameter.ts';
import { elementsNamed, type PeName, type ProfilePackage } from '../profile-element.ts';

/** Where a file is: its PE, its component, and what the template makes of it. */
export interface FileSite {
  readonly place: number;
  readonly pe: PeName;
  readonly file: string;
  readonly tag: number;
  readonly view: FileView;
}

/**
 * The file in every PE of these kinds. An optional file that such a PE does not list yet is created from its
 * template. Refuses a package without such a PE, and files that cannot be written.
 */
export function fileSites(
  parameter: string,
  profile: ProfilePackage,
  pes: readonly PeName[],
  file: string,
): readonly FileSite[] {
  const places = elementsNamed(profile, ...pes).filter(
    (place) => fileTag(profile.elements[place]!.name, file) !== undefined,
  );
  if (places.length === 0)
    refuseParameter(parameter, `the template has no PE ${pes.join(' or ')} for ${file}`);
  return places.map((place) => {
    const { name: pe, fields } = profile.elements[place]!;
    const view = findFile(pe, fields, file) ?? newFile(parameter, templateOid(fields), file);
    if (view.linked) refuseParameter(parameter, `${pe}/${file} is a link to another file`);
    if (!view.created) refuseParameter(parameter, `${pe}/${file} is marked doNotCreate`);
    if (view.structure === 'df') refuseParameter(parameter, `${pe}/${file} is a directory`);
    return { place, pe, file, tag: fileTag(pe, file)!, view };
  });
}

function newFile(parameter: string, oid: string, file: string): FileView {
  if (fileTemplate(oid, file) === undefined) {
    refuseParameter(parameter, `the template does not describe ${file}, so it cannot be created`);
  }
  return viewFile([], oid, file);
}

/** The file component with this content; a file whose size nobody gave gets the size of its content. */
export function writtenFile(parameter: string, { pe, file, tag, view }: FileSite, content: Bytes) {
  if (view.size !== undefined && content.length > view.size) {
    refuseParameter(parameter, `${content.length} octets do not fit ${pe}/${file} of ${view.size} octets`);
  }
  const items = view.size === undefined ? withSize(view, content.length) : view.items;
  return encodeFile(tag, withContent(items, content));
}

function withSize(view: FileView, size: number): readonly FileItem[] {
  const octets = size > 0xff ? Buffer.of(size >>> 8, size & 0xff) : Buffer.of(size);
  const [first, ...rest] = view.items;
  const [fields, others] =
    first?.kind === 'fileDescriptor' ? [first.fcp.fields, rest] : [[], [...view.items]];
  const order = [0x82, 0x83, 0x84, 0x8a, 0x8b];
  const before = fields.filter(({ tag }) => order.includes(tag));
  const after = fields.filter(({ tag }) => !order.includes(tag));
  const fcp = made(
    contextTag(1, true),
    ...before.map(({ raw }) => raw),
    made(0x80, octets).raw,
    ...after.map(({ raw }) => raw),
  );
  return [{ kind: 'fileDescriptor', fcp: decodeFcp(fcp) }, ...others];
}

/** The file as it stands in a personalised package. */
export function storedFile(profile: ProfilePackage, { place, pe, file }: FileSite): FileView | undefined {
  return findFile(pe, profile.elements[place]!.fields, file);
}

/** A parameter that is the content of one file. */
export function fileParameter<Value>(spec: {
  readonly name: string;
  readonly secret?: boolean;
  readonly pes: readonly PeName[];
  readonly file: string;
  parse(value: ParameterValue): Value;
  /** The content to store; `view` is the file in the template. */
  encode(value: Value, view: FileView): Bytes;
  /** The value in the stored file, in the form that `text` gives. */
  decode(view: FileView): string;
  text(value: Value): string;
}): Parameter {
  return defineParameter<Value, FileSite>({
    name: spec.name,
    secret: spec.secret ?? false,
    parse: spec.parse,
    sites: (profile) => fileSites(spec.name, profile, spec.pes, spec.file),
    target: ({ place, tag }) => `${place}/${tag}`,
    write(draft, site, value) {
      draft.setField(site.place, writtenFile(spec.name, site, spec.encode(value, site.view)));
    },
    read(profile, site) {
      const view = storedFile(profile, site);
      return view === undefined ? '' : spec.decode(view);
    },
    text: spec.text,
  });
}

/** The first `length` octets of the installed file in hexadecimal. */
export function fileHex(view: FileView, length?: number): string {
  return toHex(fileImage(view).subarray(0, length));
}
