import type { Bytes } from '../../codec/bytes.ts';
import type { Tlv } from '../../codec/tlv.ts';
import { child, encodeFields, withField } from './element.ts';
import type { ProfilePackage } from './profile-element.ts';

/** Reads a typed view out of the components of a PE and writes it back into them. */
export interface PeCodec<View> {
  decode(fields: readonly Tlv[]): View;
  encode(fields: readonly Tlv[], view: View): readonly Tlv[];
}

/**
 * A package being changed: PEs that were touched are encoded anew in DER, all others are copied. The package it
 * starts from is shared between drafts and never written to.
 */
export class PackageDraft {
  readonly #source: ProfilePackage;
  readonly #fields = new Map<number, readonly Tlv[]>();
  readonly #views = new Map<number, { view: unknown; encode(): readonly Tlv[] }>();

  constructor(source: ProfilePackage) {
    this.#source = source;
  }

  /** The component with this tag as it is now. */
  field(place: number, tag: number): Tlv | undefined {
    return child(this.#fields.get(place) ?? this.#source.elements[place]!.fields, tag);
  }

  /** Puts a component into the PE at this place. */
  setField(place: number, field: Tlv): void {
    const fields = this.#fields.get(place) ?? this.#source.elements[place]!.fields;
    this.#fields.set(place, withField(fields, field.tag, field));
  }

  /**
   * Changes the typed view of the PE at this place. A PE has one codec, and `initial` is that codec's view of
   * the source, decoded once for all drafts; the view is encoded once, at the end.
   */
  change<View>(place: number, codec: PeCodec<View>, initial: View, change: (view: View) => View): void {
    const view = change(this.view(place, initial));
    const { fields } = this.#source.elements[place]!;
    this.#views.set(place, { view, encode: () => codec.encode(fields, view) });
  }

  /** The view as it is now. */
  view<View>(place: number, initial: View): View {
    const changed = this.#views.get(place);
    return changed === undefined ? initial : (changed.view as View);
  }

  encode(): Bytes {
    return Buffer.concat(
      this.#source.elements.map((element, place) => {
        const fields = this.#fields.get(place) ?? this.#views.get(place)?.encode();
        return fields === undefined ? element.raw : encodeFields(element.tag, fields);
      }),
    );
  }
}
