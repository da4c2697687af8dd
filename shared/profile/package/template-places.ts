import { Refusal } from '../../errors.ts';
import { fileImage } from './files.ts';
import { type FileSite, fileSites } from './parameters/file-site.ts';
import type { PeName, ProfilePackage } from './profile-element.ts';

/** Where the files of a template are, found once for all profiles that are made from it. */
export class TemplatePlaces {
  readonly #template: ProfilePackage;
  readonly #sites = new Map<string, FileSite | undefined>();

  constructor(template: ProfilePackage) {
    this.#template = template;
  }

  /** The installed content of a file of a profile; undefined where it has none that can be read. */
  image(profile: ProfilePackage, pes: readonly PeName[], name: string): Uint8Array | undefined {
    const key = `${pes.join()}/${name}`;
    if (!this.#sites.has(key))
      this.#sites.set(
        key,
        unlessRefused(() => fileSites(name, this.#template, pes, name)[0]),
      );
    const site = this.#sites.get(key);
    const view = site && unlessRefused(() => site.stored(profile));
    return view && unlessRefused(() => fileImage(view));
  }
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
