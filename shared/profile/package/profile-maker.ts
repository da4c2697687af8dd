import { type Bytes, equal, orWipe, wipe } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import { auditPersonalisation } from './audit.ts';
import type { ProfileValues } from './parameter.ts';
import { type CompiledTemplate, personalise } from './personalise.ts';
import { decodePackage } from './profile-element.ts';
import { Stencil } from './stencil.ts';
import type { PlacedProfile } from './template-places.ts';

/** A profile in clear, until the next one is made; whoever has it made wipes `upp`. */
export interface MadeProfile {
  readonly upp: Bytes;
  /** As the rules on metadata read it. */
  readonly placed: PlacedProfile;
  /** Reads it back: the name of the parameter whose value it does not hold, undefined where all is right. */
  differing(): string | undefined;
}

/** Lengths of the values of a row that have a stencil: rows of one order have few. */
const MAX_STENCILS = 8;
/** Of so many profiles of a stencil, one is made the long way as well, and decoded whole: the first of them. */
const SAMPLE = 128;

/** A stencil with room for one profile: the last that was made by it. */
interface Learnt {
  readonly stencil: Stencil;
  readonly room: Buffer;
  /** Profiles that were made by it. */
  filled: number;
}

/**
 * Makes the profiles of one pack. The first with values of given lengths is made the long way, part by part, and decoded
 * and read back whole; from it a stencil is learnt, by which the next ones are made, held against it and read back
 * (stencil.ts). Of those a sample is made and decoded the long way too, the first of every pack among them.
 */
export class ProfileMaker {
  readonly #template: CompiledTemplate;
  readonly #stencils: Learnt[];
  #learns: boolean;

  constructor(template: CompiledTemplate, stencils: readonly Stencil[] = []) {
    this.#template = template;
    this.#stencils = stencils.map(learnt);
    this.#learns = stencils.length < MAX_STENCILS;
  }

  /** For the next pack: what was learnt of lengths and places, and nothing of a profile. */
  next(): ProfileMaker {
    return new ProfileMaker(
      this.#template,
      this.#stencils.map(({ stencil }) => stencil.again()),
    );
  }

  /** Refuses what `make` refuses. Where there is a stencil, the profile is not made, and `upp` is empty. */
  tried(values: ProfileValues): Pick<MadeProfile, 'upp' | 'placed'> {
    for (const { stencil } of this.#stencils) {
      const pieces = stencil.tried(values);
      if (pieces !== undefined) return { upp: new Uint8Array(0), placed: stencil.placedPieces(pieces) };
    }
    return this.#longWay(values);
  }

  /** Refuses (`personalisationInvalid`, `iccidInvalid`) values that are malformed or do not fit. */
  make(values: ProfileValues): MadeProfile {
    for (const known of this.#stencils) {
      const { stencil, room } = known;
      const made = orWipe(room, () => stencil.fill(values, room));
      if (made === undefined) continue;
      const sampled = known.filled++ % SAMPLE === 0;
      return {
        upp: made.upp,
        placed: orWipe(made.upp, () => stencil.placed(made)),
        differing: () =>
          stencil.differing(made) ?? (sampled ? this.#differingWhole(made.upp, values) : undefined),
      };
    }
    return this.#longWay(values);
  }

  #longWay(values: ProfileValues): MadeProfile {
    const template = this.#template;
    const upp = personalise(template, values);
    return orWipe(upp, () => {
      const placed = template.places.in(decodePackage(upp, template.base));
      if (!this.#learns) return { upp, placed, differing: () => differingParameter(upp, values, template) };
      const differing = differingParameter(upp, values, template);
      if (differing === undefined) this.#learn(values, upp);
      return { upp, placed, differing: () => differing };
    });
  }

  /** What was found to be right may be learnt from. */
  #learn(values: ProfileValues, upp: Bytes): void {
    const stencil = Stencil.of(this.#template, values, upp);
    if (stencil !== undefined) this.#stencils.push(learnt(stencil));
    this.#learns = stencil !== undefined && this.#stencils.length < MAX_STENCILS;
  }

  #differingWhole(upp: Bytes, values: ProfileValues): string | undefined {
    const other = personalise(this.#template, values);
    try {
      if (!equal(upp, other))
        throw new Fault('invariant', 'a stencil makes another profile than its template');
      return differingParameter(upp, values, this.#template);
    } finally {
      wipe(other);
    }
  }
}

const learnt = (stencil: Stencil): Learnt => ({
  stencil,
  room: Buffer.allocUnsafeSlow(stencil.length),
  filled: 0,
});

/** A whole package taken apart and read back. */
function differingParameter(
  upp: Bytes,
  values: ProfileValues,
  template: CompiledTemplate,
): string | undefined {
  const findings = auditPersonalisation(decodePackage(upp), values, template);
  return findings.find(({ code }) => code === 'differs')?.parameter;
}
