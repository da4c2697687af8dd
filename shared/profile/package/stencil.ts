import { type Bytes, equal, equalWithin, wipe } from '../../codec/bytes.ts';
import { decodePackedIccid } from '../../codec/iccid.ts';
import { ifPresent } from '../../present.ts';
import { storedImage } from './derived-values.ts';
import { inProfile } from './element.ts';
import { fileImage } from './files.ts';
import { headerOf, type ProfileHeader } from './header.ts';
import type { ParameterValue, ProfileValues, Slot } from './parameter.ts';
import { type AkaSite, refuseKnownKey } from './parameters/aka.ts';
import { type FileSite, withStored } from './parameters/file-site.ts';
import { type CompiledTemplate, givenValues } from './personalise.ts';
import { decodePackage } from './profile-element.ts';
import type { PlacedProfile } from './template-places.ts';

/** A slot with the places in the octets of the package where it stands. */
interface Hole extends NamedSlot {
  readonly length: number;
  /** Offsets in the package. */
  readonly at: readonly number[];
}

/** What goes into the holes of a profile, in order, and all its values, the derived ones too. */
export interface Pieces {
  readonly pieces: readonly Bytes[];
  readonly values: ProfileValues;
}

/** A profile that was made with a stencil: its octets, and what is in its holes. */
export interface Stencilled extends Pieces {
  readonly upp: Buffer;
}

/** What differs where nothing was to be personalised. */
export const OUTSIDE = 'the template';

/**
 * A profile of a template with its personalised places left open. Profiles whose values have the same lengths differ in
 * nothing but these, so that the next one is a copy with its values put in. It is learnt from a profile that was made the
 * long way and audited whole; it keeps no value of that one.
 */
export class Stencil {
  readonly #template: CompiledTemplate;
  readonly #holes: readonly Hole[];
  readonly #slots: Slots;
  /** The profile with zeros in its holes. */
  readonly #octets: Buffer;
  readonly #header: ProfileHeader;
  /** What lies between the holes: from one offset to another. */
  readonly #between: readonly Range[];
  /** What is in the holes of the buffer that was asked about last, since one profile after the other is made in the same one. */
  #stored: { readonly upp: Buffer; readonly holes: readonly (readonly Bytes[])[] } | undefined;

  private constructor(template: CompiledTemplate, octets: Buffer, holes: readonly Hole[]) {
    this.#template = template;
    this.#holes = holes;
    this.#slots = new Slots(template, holes);
    this.#octets = octets;
    this.#header = headerOf(template.base);
    for (const { at, length } of holes) for (const offset of at) octets.fill(0, offset, offset + length);
    this.#between = between(holes, octets.length);
  }

  /**
   * Learns the places from a profile and the values that it was made of; undefined where a parameter of the template is
   * more than octets in known places, and where the profile does not hold in them what a stencil would put there.
   */
  static of(template: CompiledTemplate, values: ProfileValues, upp: Bytes): Stencil | undefined {
    const octets = Buffer.allocUnsafeSlow(upp.length);
    octets.set(upp);
    const holes = inProfile(() => holesOf(template, values, octets));
    if (holes !== undefined) return new Stencil(template, octets, holes);
    wipe(octets);
    return undefined;
  }

  /** The same places once more, for another pack: it shares nothing that remembers a row. */
  again(): Stencil {
    return new Stencil(this.#template, this.#octets, this.#holes);
  }

  /** Octets of a profile. */
  get length(): number {
    return this.#octets.length;
  }

  /**
   * The profile of a row, in `room` of that length; undefined where a value has another length than the stencil has room
   * for.
   */
  fill(values: ProfileValues, room?: Buffer): Stencilled | undefined {
    const made = this.#fitting(() => this.#slots.pieces(values));
    if (made === undefined) return undefined;
    const upp = room ?? Buffer.allocUnsafeSlow(this.#octets.length);
    this.#octets.copy(upp);
    const { pieces } = made;
    for (let i = 0; i < pieces.length; i++)
      for (const offset of this.#holes[i]!.at) upp.set(pieces[i]!, offset);
    return { upp, pieces, values: made.values };
  }

  /** What `fill` would put into the holes, refused as there: to see whether a row has a profile. */
  tried(values: ProfileValues): Pieces | undefined {
    return this.#fitting(() => this.#slots.tried(values));
  }

  #fitting(find: () => Pieces): Pieces | undefined {
    const made = inProfile(find);
    const { pieces } = made;
    for (let i = 0; i < pieces.length; i++)
      if (pieces[i]!.length !== this.#holes[i]!.length) return undefined;
    return made;
  }

  /**
   * Reads a profile back: all octets outside the holes are those of the profile that the stencil was learnt from, and
   * each hole holds the octets that were put there, and says its value to the decoder. Undefined, or the name of the
   * parameter that differs.
   */
  differing({ upp, pieces, values }: Stencilled): string | undefined {
    if (upp.length !== this.#octets.length) return OUTSIDE;
    for (const [from, to] of this.#between) if (!equalWithin(upp, this.#octets, from, to)) return OUTSIDE;
    const holes = this.#storedIn(upp);
    for (let i = 0; i < pieces.length; i++) {
      const { parameter, slot } = this.#holes[i]!;
      for (const stored of holes[i]!) {
        if (!equal(stored, pieces[i]!)) return parameter;
        if (!slot.says(stored, values[parameter]!, values)) return parameter;
      }
    }
    return undefined;
  }

  /** Views of what is in the holes, by hole and place. */
  #storedIn(upp: Buffer): readonly (readonly Bytes[])[] {
    if (this.#stored?.upp !== upp) {
      const holes = this.#holes.map(({ at, length }) => at.map((from) => upp.subarray(from, from + length)));
      this.#stored = { upp, holes };
    }
    return this.#stored.holes;
  }

  /** As the rules on metadata read it: what is in a hole from the octets there, all else from the template. */
  placed({ upp }: Stencilled): PlacedProfile {
    const holes = this.#storedIn(upp);
    return this.#placed((i) => holes[i]![0]!);
  }

  /** The same of a profile that was not made. */
  placedPieces({ pieces }: Pieces): PlacedProfile {
    return this.#placed((i) => pieces[i]!);
  }

  #placed(octets: (hole: number) => Bytes): PlacedProfile {
    const { base, places } = this.#template;
    const templateHeader = this.#header;
    const holeOf = (target: string) => ifPresent(this.#slots.at(target), octets);
    return {
      get header() {
        const iccid = holeOf('header');
        return iccid === undefined ? templateHeader : { ...templateHeader, iccid: decodePackedIccid(iccid) };
      },
      image: (pes, name) =>
        places.image(pes, name, (site) => {
          const content = holeOf(site.target);
          return content === undefined ? site.stored(base) : withStored(site.view, content);
        }),
    };
  }
}

interface NamedSlot {
  readonly parameter: string;
  readonly slot: Slot;
}

/** Where in the octets of a profile its values stand. */
function holesOf(
  template: CompiledTemplate,
  values: ProfileValues,
  octets: Buffer,
): readonly Hole[] | undefined {
  const slots = slotsOf(template);
  if (slots === undefined) return undefined;
  const profile = decodePackage(octets);
  const { pieces } = new Slots(template, slots).pieces(values);
  const holes: Hole[] = [];
  for (const [i, { parameter, slot }] of slots.entries()) {
    const piece = pieces[i]!;
    const found = slot.find(profile);
    const isThere = found.every((view) => view.buffer === octets.buffer && equal(view, piece));
    if (piece.length === 0 || found.length === 0 || !isThere) return undefined;
    holes.push({ parameter, slot, length: piece.length, at: found.map(({ byteOffset }) => byteOffset) });
  }
  return overlap(holes) ? undefined : holes;
}

/** Every place that is written for a profile, in order; undefined where a parameter cannot say all of its places. */
function slotsOf({ bound, following }: CompiledTemplate): readonly NamedSlot[] | undefined {
  const all: NamedSlot[] = [];
  for (const { name, slots } of [...bound, ...following]) {
    if (slots === undefined) return undefined;
    for (const slot of slots) all.push({ parameter: name, slot });
  }
  return all;
}

/** The slots of a template, with what is found once for all profiles. */
class Slots {
  readonly #template: CompiledTemplate;
  readonly #slots: readonly NamedSlot[];
  readonly #byTarget: ReadonlyMap<string, number>;
  /** The akaParameter whose K a slot is. */
  readonly #keyOf: readonly (AkaSite | undefined)[];
  /** The text of each slot in the row that was tried last, and its octets. */
  readonly #last: ({ readonly text: string; readonly octets: Bytes } | undefined)[] = [];
  /** Installed contents of files that no slot writes. */
  readonly #images = new Map<string, Bytes | undefined>();

  constructor(template: CompiledTemplate, slots: readonly NamedSlot[]) {
    this.#template = template;
    this.#slots = slots;
    // the first of a target, where several have one
    this.#byTarget = new Map(slots.map(({ slot }, i) => [slot.target, i] as const).reverse());
    this.#keyOf = slots.map(({ slot }) =>
      template.profileClass === 'test'
        ? undefined
        : template.aka.find(({ place }) => slot.target === `${place}/k`),
    );
  }

  /** Which slot is that of a place; undefined where none is. */
  at(target: string): number | undefined {
    return this.#byTarget.get(target);
  }

  /** The octets of every slot, in order: what follows from others is derived once they are there. */
  pieces(row: ProfileValues): Pieces {
    return this.#pieces(row, (slot, value, values) => slot.octets(value, values));
  }

  /** The same of rows that are tried one after the other, in which most of what is drawn here is the same text. */
  tried(row: ProfileValues): Pieces {
    return this.#pieces(row, (slot, value, values, i) => {
      if (!slot.alone || typeof value !== 'string') return slot.octets(value, values);
      const last = this.#last[i];
      if (last?.text === value) return last.octets;
      const octets = slot.octets(value, values);
      this.#last[i] = { text: value, octets };
      return octets;
    });
  }

  #pieces(
    row: ProfileValues,
    octetsOf: (slot: Slot, value: ParameterValue, values: ProfileValues, i: number) => Bytes,
  ): Pieces {
    const given = givenValues(this.#template, row);
    const pieces: Bytes[] = [];
    let values: ProfileValues = given;
    for (let i = 0; i < this.#slots.length; i++) {
      const { parameter, slot } = this.#slots[i]!;
      if (values === given && !Object.hasOwn(given, parameter))
        values = Object.assign(this.#derived(given, pieces), given);
      pieces.push(octetsOf(slot, values[parameter]!, values, i));
    }
    for (let i = 0; i < pieces.length; i++) {
      const site = this.#keyOf[i];
      if (site !== undefined) refuseKnownKey(pieces[i]!, site.aka);
    }
    return { pieces, values };
  }

  #derived(given: ProfileValues, pieces: readonly Bytes[]): ProfileValues {
    return this.#template.derived.values(given, (site) => {
      const piece = pieces[this.at(site.target) ?? -1];
      return piece === undefined ? this.#image(site) : fileImage(withStored(site.view, piece));
    });
  }

  #image(site: FileSite): Bytes | undefined {
    const { target } = site;
    if (!this.#images.has(target)) this.#images.set(target, storedImage(site, this.#template.base));
    return this.#images.get(target);
  }
}

type Range = readonly [from: number, to: number];

const ranges = (holes: readonly Hole[]): Range[] =>
  holes
    .flatMap(({ at, length }) => at.map((offset): Range => [offset, offset + length]))
    .sort(([a], [b]) => a - b);

function between(holes: readonly Hole[], length: number): readonly Range[] {
  const all = ranges(holes);
  return [...all, [length, length] as const]
    .map(([to], i): Range => [i === 0 ? 0 : all[i - 1]![1], to])
    .filter(([from, to]) => to > from);
}

function overlap(holes: readonly Hole[]): boolean {
  const all = ranges(holes);
  return all.some(([from], i) => i > 0 && from < all[i - 1]![1]);
}
