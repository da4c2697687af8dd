import { type Bytes, equal, fromHex } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';
import type { PackageDraft } from './draft.ts';
import type { ProfilePackage } from './profile-element.ts';

/**
 * A value as a row of personalisation data gives it: text as in a CSV column (digits, hexadecimal octets, names;
 * lists separated by `;`), octets where the value is octets, or structured.
 */
export type ParameterValue = string | Bytes | readonly string[] | SuciValue;

/** SUCI parameters as JSON gives them: `SuciCalcInfo` with keys in octets or hexadecimal text. */
export interface SuciValue {
  readonly schemes: readonly { readonly id: number; readonly keyIndex: number }[];
  readonly keys: readonly { readonly id: number; readonly key: string | Bytes }[];
}
export type ProfileValues = Readonly<Record<string, ParameterValue>>;

/** One thing that is personalised: how it is written, where it goes, and how it is read back. */
export interface Parameter {
  readonly name: string;
  /** Never shown: not in messages, not in findings. */
  readonly secret: boolean;
  /**
   * Two values with one likeness differ in digits that no rule looks at: templates and metadata take both or neither, and
   * their octets have the same lengths. Refuses what is malformed as `write` does; undefined of a parameter whose values
   * are all looked at.
   */
  readonly likeness?: ((value: string) => string) | undefined;
  /** Finds the parameter's places in a template; refuses (`personalisationInvalid`) what lacks them. */
  bind(profile: ProfilePackage): BoundParameter;
}

/**
 * A place of a parameter as the stencil of a template leaves it open (stencil.ts): between two profiles with values of
 * the same length, nothing but its octets differs.
 */
export interface Slot {
  /** By which other readers of the package know the place. */
  readonly target: string;
  /** Its octets follow from its own value, and from no other. */
  readonly alone: boolean;
  /** The octets in a package, as views of it; none where they do not stand there in one piece. */
  find(profile: ProfilePackage): readonly Bytes[];
  /** Those that say this value, refused as `write` refuses it; `values` are all of the profile. */
  octets(value: ParameterValue, values: ProfileValues): Bytes;
  /** Do these octets say the value? */
  says(octets: Bytes, value: ParameterValue, values: ProfileValues): boolean;
}

export interface BoundParameter {
  readonly name: string;
  readonly secret: boolean;
  /** The places written to; two parameters of a template must not share one. */
  readonly targets: readonly string[];
  /** Where the parameter goes, place by place; undefined where more of the package follows its value than that. */
  readonly slots?: readonly Slot[] | undefined;
  /** Refuses (`personalisationInvalid`, `iccidInvalid`) a value that is malformed or does not fit. */
  write(draft: PackageDraft, value: ParameterValue): void;
  /** Every copy in a package of the same shape, as text. */
  read(profile: ProfilePackage): readonly string[];
  /** Do all copies in the package say this value? */
  holds(profile: ProfilePackage, value: ParameterValue): boolean;
}

/** A parameter whose values have type `Value` and whose places have type `Site`. */
export interface ParameterSpec<Value, Site> {
  readonly name: string;
  readonly secret: boolean;
  parse(value: ParameterValue): Value;
  /** What two values share between which no rule tells a difference: see `Parameter`. */
  likeness?(value: Value): string;
  sites(profile: ProfilePackage): readonly Site[];
  target(site: Site): string;
  write(draft: PackageDraft, site: Site, value: Value): void;
  /** What the package holds there, as text; empty where it holds nothing. */
  read(profile: ProfilePackage, site: Site): string;
  /** The value as `read` gives it. */
  text(value: Value): string;
  /** Does what was read say the value, where that is more than equal text? */
  same?(found: string, wanted: string): boolean;
  /** The octets that alone tell the value, where there are such: see `Slot`. */
  readonly slot?: SlotSpec<Value, Site>;
}

export interface SlotSpec<Value, Site> {
  find(profile: ProfilePackage, site: Site): readonly Bytes[];
  octets(site: Site, value: Value): Bytes;
  /** What these octets hold, as `read` of the parameter gives it. */
  read(site: Site, octets: Bytes): string;
  /** Do they say the value? Where that is told without text; else what `read` gives is held against the value's. */
  says?(site: Site, octets: Bytes, value: Value): boolean;
}

/** Of values that stand in the package octet by octet. */
export const saysOctets = (_site: unknown, octets: Bytes, value: Bytes): boolean => equal(octets, value);

export function defineParameter<Value, Site>(spec: ParameterSpec<Value, Site>): Parameter {
  const { name, secret, slot, likeness } = spec;
  const same = spec.same ?? ((found: string, wanted: string) => found === wanted);
  return {
    name,
    secret,
    likeness: likeness && ((value) => likeness(spec.parse(value))),
    bind(profile) {
      const sites = spec.sites(profile);
      return {
        slots:
          slot &&
          sites.map((site) => ({
            target: spec.target(site),
            alone: true,
            find: (personalised) => slot.find(personalised, site),
            octets: (input) => slot.octets(site, spec.parse(input)),
            says(octets, input) {
              const value = spec.parse(input);
              return slot.says?.(site, octets, value) ?? same(slot.read(site, octets), spec.text(value));
            },
          })),
        name,
        secret,
        targets: sites.map((site) => spec.target(site)),
        write(draft, input) {
          const value = spec.parse(input);
          for (const site of sites) spec.write(draft, site, value);
        },
        read: (personalised) => sites.map((site) => spec.read(personalised, site)),
        holds(personalised, input) {
          const wanted = spec.text(spec.parse(input));
          return sites.every((site) => same(spec.read(personalised, site), wanted));
        },
      };
    },
  };
}

/** Refuses a value or a template in the name of a parameter; `why` never holds the value. */
export function refuseParameter(name: string, why: string): never {
  return refuse('personalisationInvalid', `${name}: ${why}`, { subjectIdentifier: name });
}

export function textInput(name: string, value: ParameterValue): string {
  return typeof value === 'string' ? value : refuseParameter(name, 'must be text');
}

export function digitsInput(name: string, value: ParameterValue, min: number, max = min): string {
  const text = textInput(name, value);
  if (!/^[0-9]*$/.test(text) || text.length < min || text.length > max) {
    refuseParameter(name, `must have ${min === max ? min : `${min} to ${max}`} decimal digits`);
  }
  return text;
}

/** Octets, given as such or as hexadecimal text; `lengths` in octets. */
export function octetsInput(name: string, value: ParameterValue, lengths?: readonly number[]): Bytes {
  const octets = value instanceof Uint8Array ? value : hexOctets(name, value);
  if (lengths !== undefined && !lengths.includes(octets.length)) {
    refuseParameter(name, `must have ${lengths.join(' or ')} octets, not ${octets.length}`);
  }
  return octets;
}

function hexOctets(name: string, value: ParameterValue): Bytes {
  const text = textInput(name, value);
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) refuseParameter(name, 'must be octets in hexadecimal digits');
  return fromHex(text);
}

/** A list, given as such or as text separated by `;`. */
export function listInput(name: string, value: ParameterValue): readonly string[] {
  if (Array.isArray(value)) return value.map((entry) => textInput(name, entry));
  const text = textInput(name, value).trim();
  return text === '' ? [] : text.split(';').map((entry) => entry.trim());
}
