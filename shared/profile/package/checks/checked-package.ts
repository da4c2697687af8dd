import { toHex } from '../../../codec/bytes.ts';
import { unlessRefused } from '../../../errors.ts';
import { type FileSystem, fileSystemOf, filesNamed, pathOf } from '../file-system.ts';
import { fileImage } from '../files.ts';
import { headerOf, type ProfileHeader } from '../header.ts';
import type { Directory, PackageFile } from '../package-file.ts';
import { type PinConfiguration, pinConfigurations, sharedPins } from '../pin-codes.ts';
import type { PeName, ProfileElement, ProfilePackage } from '../profile-element.ts';
import { type PukConfiguration, pukConfigurations } from '../puk-codes.ts';
import type { PlacedProfile } from '../template-places.ts';
import type { PackageMetadata } from './package-metadata.ts';

/** A PE-PINCodes with the directory whose PINs it defines. */
export interface PinContext {
  readonly element: ProfileElement;
  readonly place: number;
  /** Undefined where no directory came before. */
  readonly directory: Directory | undefined;
  readonly pins: readonly PinConfiguration[];
}

/** A package as the rules look at it; each part is decoded when it is first asked for. */
export class CheckedPackage {
  readonly profile: ProfilePackage;
  readonly metadata: PackageMetadata | undefined;
  readonly #placed: PlacedProfile | undefined;
  #header: ProfileHeader | undefined;
  #pinContexts: readonly PinContext[] | undefined;

  /** With `placed`, header and files are read there: the package was made from a template. */
  constructor(profile: ProfilePackage, metadata?: PackageMetadata, placed?: PlacedProfile) {
    this.profile = profile;
    this.metadata = metadata;
    this.#placed = placed;
  }

  get elements(): readonly ProfileElement[] {
    return this.profile.elements;
  }
  get header(): ProfileHeader {
    this.#header ??= this.#placed?.header ?? headerOf(this.profile);
    return this.#header;
  }
  get system(): FileSystem {
    return fileSystemOf(this.profile);
  }
  /** An IoT minimal profile, other than a full one. */
  get iot(): boolean {
    const [first] = this.elements;
    return first?.name === 'header' && this.header.iotMinimal;
  }

  named(...names: readonly PeName[]): readonly ProfileElement[] {
    return this.elements.filter(({ name }) => names.includes(name));
  }

  placeOf(element: ProfileElement): number {
    return this.elements.indexOf(element);
  }

  elementOf({ place }: { readonly place: number }): ProfileElement | undefined {
    return this.elements[place];
  }

  /** The installed content of the first file of this name that can be read. */
  image(pes: readonly PeName[], name: string): Uint8Array | undefined {
    if (this.#placed !== undefined) return this.#placed.image(pes, name);
    const [file] = this.files(pes, name);
    return file === undefined ? undefined : unlessRefused(() => this.imageOf(file));
  }

  /** Refuses content that the file has no room for. */
  imageOf({ view }: PackageFile): Uint8Array {
    return fileImage(view);
  }

  files(pes: readonly PeName[], name: string): readonly PackageFile[] {
    return filesNamed(this.system, pes, name).filter(({ view }) => view.created && !view.linked);
  }

  get adfs(): readonly Directory[] {
    return this.system.directories.filter(({ kind }) => kind === 'adf');
  }

  /** AIDs of the ADFs, by the DF name or, in an IoT minimal profile, by the PIX of its header. */
  aidOf({ aid, place }: Directory): string | undefined {
    if (aid !== undefined || this.elements[place]?.name !== 'iot' || !this.iot) return aid;
    const { iotPix } = this.header;
    return iotPix && `A000000087${toHex(iotPix).toUpperCase()}`;
  }

  get pukCodes(): readonly {
    readonly element: ProfileElement;
    readonly puks: readonly PukConfiguration[];
  }[] {
    return this.named('pukCodes').map((element) => ({ element, puks: pukConfigurations(element.fields) }));
  }

  get pinContexts(): readonly PinContext[] {
    this.#pinContexts ??= this.elements.flatMap((element, place) =>
      element.name === 'pinCodes'
        ? [
            {
              element,
              place,
              directory: this.system.contexts[place]?.pins,
              pins: pinConfigurations(element.fields),
            },
          ]
        : [],
    );
    return this.#pinContexts;
  }

  /** The PINs of a directory, also where it shares those of another. */
  pinsOf(directory: Directory): ReadonlySet<number> {
    return this.#pinsOf(directory, []);
  }

  #pinsOf(directory: Directory, seen: readonly Directory[]): ReadonlySet<number> {
    if (seen.includes(directory)) return new Set();
    const contexts = this.pinContexts.filter((context) => context.directory === directory);
    return new Set(
      contexts.flatMap(({ element, pins }) => {
        const shared = sharedPins(element.fields);
        if (shared === undefined) return pins.map(({ keyReference }) => keyReference);
        const path = pathOf(shared);
        const other = this.system.directories.find((candidate) => candidate.path === path);
        return other === undefined ? [] : [...this.#pinsOf(other, [...seen, directory])];
      }),
    );
  }
}
