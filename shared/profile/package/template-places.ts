import { unlessRefused } from '../../errors.ts';
import { type FileView, fileImage } from './files.ts';
import { headerOf, type ProfileHeader } from './header.ts';
import { type FileSite, fileSites } from './parameters/file-site.ts';
import type { PeName, ProfilePackage } from './profile-element.ts';

/** What the rules on metadata read of a profile that was made from a template. */
export interface PlacedProfile {
  readonly header: ProfileHeader;
  /** The installed content of a file; undefined where the profile has none that can be read. */
  image(pes: readonly PeName[], name: string): Uint8Array | undefined;
}

/** Where the files of a template are, found once for all profiles that are made from it. */
export class TemplatePlaces {
  readonly #template: ProfilePackage;
  readonly #sites = new Map<string, FileSite | undefined>();

  constructor(template: ProfilePackage) {
    this.#template = template;
  }

  /** A profile with the PEs of the template. */
  in(profile: ProfilePackage): PlacedProfile {
    return {
      get header() {
        return headerOf(profile);
      },
      image: (pes, name) => this.image(pes, name, (site) => site.stored(profile)),
    };
  }

  /** The installed content of a file, in a profile that is read by `stored`. */
  image(
    pes: readonly PeName[],
    name: string,
    stored: (site: FileSite) => FileView | undefined,
  ): Uint8Array | undefined {
    const key = `${pes.join()}/${name}`;
    if (!this.#sites.has(key))
      this.#sites.set(
        key,
        unlessRefused(() => fileSites(name, this.#template, pes, name)[0]),
      );
    const site = this.#sites.get(key);
    const view = site && unlessRefused(() => stored(site));
    return view && unlessRefused(() => fileImage(view));
  }
}
