import { type Bytes, toHex } from '../../../codec/bytes.ts';
import { present } from '../../../present.ts';
import { type FileView, fileImage } from '../files.ts';
import { defineParameter, type Parameter, type ParameterValue } from '../parameter.ts';
import type { PeName, ProfilePackage } from '../profile-element.ts';
import { type FileSite, fileSites, withStored } from './file-site.ts';

/** A parameter that is the content of one file. */
export function fileParameter<Value>(spec: {
  readonly name: string;
  readonly secret?: boolean;
  /** PEs that may describe the file; genericFileManagement may make it in the same place. */
  readonly pes: readonly PeName[];
  readonly file: string;
  parse(value: ParameterValue): Value;
  likeness?(value: Value): string;
  /** The content to store; `view` is the file in the template. */
  encode(value: Value, view: FileView): Bytes;
  /** The value in the stored file, in the form that `text` gives. */
  decode(view: FileView): string;
  text(value: Value): string;
  /** Whether the content of the file says the value, where that is told without text. */
  says?(content: Bytes, value: Value, view: FileView): boolean;
}): Parameter {
  const { says } = spec;
  return defineParameter<Value, FileSite>({
    name: spec.name,
    secret: spec.secret ?? false,
    parse: spec.parse,
    ...present({ likeness: spec.likeness }),
    sites: (profile) => fileSites(spec.name, profile, spec.pes, spec.file),
    target: ({ target }) => target,
    write: (draft, site, value) => site.write(draft, spec.encode(value, site.view)),
    read(profile, site) {
      const view = site.stored(profile);
      return view === undefined ? '' : spec.decode(view);
    },
    text: spec.text,
    slot: {
      find: fileSlot,
      octets: (site, value) => spec.encode(value, site.view),
      read: (site, octets) => spec.decode(withStored(site.view, octets)),
      ...(says && { says: (site: FileSite, octets: Bytes, value: Value) => says(octets, value, site.view) }),
    },
  });
}

/** Where the content of a file lies in a package. */
export function fileSlot(profile: ProfilePackage, site: FileSite): readonly Bytes[] {
  const content = site.content(profile);
  return content === undefined ? [] : [content];
}

/** The first `length` octets of the installed file in hexadecimal. */
export function fileHex(view: FileView, length?: number): string {
  return toHex(fileImage(view).subarray(0, length));
}
