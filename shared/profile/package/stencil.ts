import { type Bytes, equal, wipe } from '../../codec/bytes.ts';
import { decodePackedIccid } from '../../codec/iccid.ts';
import { ifPresent, present } from '../../present.ts';
import { inProfile } from './element.ts';
import type { FileView } from './files.ts';
import { headerOf, type ProfileHeader } from './header.ts';
import type { ProfileValues, Slot } from './parameter.ts';
import { refuseKnownKey } from './parameters/aka.ts';
import { type FileSite, withStored } from './parameters/file-site.ts';
import { type CompiledTemplate, givenValues } from './personalise.ts';
import { decodePackage } from './profile-element.ts';
import type { PlacedProfile } from './template-places.ts';

/** A slot with the places in the octets of the package where it stands. */
interface Hole {
  readonly parameter: string;
  readonly slot: Slot;
  readonly length: number;
  /** Offsets in the package. */
  readonly at: readonly number[];
}

/** A profile that was made with a stencil: its octets, those of its holes, and all values, the derived ones too. */
export interface Stencilled {
  readonly upp: Bytes;
  readonly pieces: readonly Bytes[];
  readonly values: ProfileValues;
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
  /** The profile with zeros in its holes. */
  readonly #octets: Buffer;
  readonly #header: ProfileHeader;
  /** Begin and end of what lies between the holes. */
  readonly #between: readonly (readonly [number, number])[];

  private constructor(template: CompiledTemplate, octets: Buffer, holes: readonly Hole[]) {
    this.#template = template;
    this.#holes = holes;
    this.#octets = octets;
    this.#header = headerOf(template.base);
    this.#between = between(holes, octets.length);
    for (const { at, length } of holes) for (const offset of at) octets.fill(0, offset, offset + length);
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

  /** Octets of a profile. */
  get length(): number {
    return this.#octets.length;
  }

  /**
   * The profile of a row, in `room` of that length; undefined where a value has another length than the stencil has room
   * for.
   */
  fill(values: ProfileValues, room?: Buffer): Stencilled | undefined {
    return inProfile(() => {
      const made = piecesOf(this.#template, this.#holes, values);
      if (this.#holes.some(({ length }, i) => made.pieces[i]!.length !== length)) return undefined;
      const upp = room ?? Buffer.allocUnsafeSlow(this.#octets.length);
      this.#octets.copy(upp);
      for (const [i, { at }] of this.#holes.entries())
        for (const offset of at) upp.set(made.pieces[i]!, offset);
      return { upp, ...made };
    });
  }

  /**
   * Reads a profile back: all octets outside the holes are those of the profile that the stencil was learnt from, and
   * each hole holds the octets that were put there, and says its value to the decoder. Undefined, or the name of the
   * parameter that differs.
   */
  differing({ upp, pieces, values }: Stencilled): string | undefined {
    const same = this.#between.every(([from, to]) => this.#octets.compare(upp, from, to, from, to) === 0);
    if (!same || upp.length !== this.#octets.length) return OUTSIDE;
    return this.#holes.find(
      ({ parameter, slot, at, length }, i) =>
        !at.every((offset) => {
          const stored = upp.subarray(offset, offset + length);
          return equal(stored, pieces[i]!) && slot.says(stored, values[parameter]!, values);
        }),
    )?.parameter;
  }

  /** As the rules on metadata read it: what is in a hole from there, all else from the template. */
  placed({ upp }: Stencilled): PlacedProfile {
    const { base, places } = this.#template;
    const holes = this.#holes;
    const templateHeader = this.#header;
    const holeOf = (target: string) => {
      const hole = holes.find(({ slot }) => slot.target === target);
      return hole && upp.subarray(hole.at[0], hole.at[0]! + hole.length);
    };
    return {
      get header() {
        const iccid = holeOf('header');
        return { ...templateHeader, ...present({ iccid: ifPresent(iccid, decodePackedIccid) }) };
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
  const { pieces } = piecesOf(template, slots, values);
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

/** Every place that is written for a profile; undefined where a parameter cannot say all of its places. */
function slotsOf({ bound, following }: CompiledTemplate): readonly NamedSlot[] | undefined {
  const all: NamedSlot[] = [];
  for (const { name, slots } of [...bound, ...following]) {
    if (slots === undefined) return undefined;
    for (const slot of slots) all.push({ parameter: name, slot });
  }
  return all;
}

/** The octets of every slot, in order: what follows from others is derived once they are there. */
function piecesOf(
  template: CompiledTemplate,
  slots: readonly NamedSlot[],
  row: ProfileValues,
): { pieces: readonly Bytes[]; values: ProfileValues } {
  const given = givenValues(template, row);
  const pieces: Bytes[] = [];
  let values: ProfileValues = given;
  for (const { parameter, slot } of slots) {
    if (!Object.hasOwn(values, parameter)) values = { ...derived(template, slots, pieces, given), ...given };
    pieces.push(slot.octets(values[parameter]!, values));
  }
  if (template.profileClass !== 'test') refuseKnownKeys(template, slots, pieces);
  return { pieces, values };
}

function derived(
  { derived: rules, base }: CompiledTemplate,
  slots: readonly NamedSlot[],
  pieces: readonly Bytes[],
  given: ProfileValues,
): ProfileValues {
  const stored = (site: FileSite): FileView | undefined => {
    const piece = pieces[slots.findIndex(({ slot }) => slot.target === site.target)];
    return piece === undefined ? site.stored(base) : withStored(site.view, piece);
  };
  return rules.values(given, stored);
}

function refuseKnownKeys(
  { aka }: CompiledTemplate,
  slots: readonly NamedSlot[],
  pieces: readonly Bytes[],
): void {
  for (const [i, { slot }] of slots.entries()) {
    const site = aka.find(({ place }) => slot.target === `${place}/k`);
    if (site !== undefined) refuseKnownKey(pieces[i]!, site.aka);
  }
}

const ranges = (holes: readonly Hole[]): [number, number][] =>
  holes
    .flatMap(({ at, length }) => at.map((offset): [number, number] => [offset, offset + length]))
    .sort(([a], [b]) => a - b);

function between(holes: readonly Hole[], end: number): readonly (readonly [number, number])[] {
  const all = ranges(holes);
  return [...all, [end, end] as const]
    .map(([from], i): [number, number] => [i === 0 ? 0 : all[i - 1]![1], from])
    .filter(([from, to]) => from < to);
}

function overlap(holes: readonly Hole[]): boolean {
  const all = ranges(holes);
  return all.some(([from], i) => i > 0 && from < all[i - 1]![1]);
}
