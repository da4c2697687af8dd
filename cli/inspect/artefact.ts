import type { Bytes } from '../../shared/codec/bytes.ts';
import type { Field } from './shape.ts';

/** What an artefact is and says. */
export interface Artefact {
  /** Stable name, such as `boundProfilePackage`. */
  readonly kind: string;
  /** For people, such as `Bound Profile Package (BF36)`. */
  readonly title: string;
  /** In octets. */
  readonly length: number;
  readonly fields: readonly Field[];
  /** What is well-formed and yet wrong, or deserves to be known. */
  readonly findings: readonly Finding[];
}

export interface Finding {
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
  readonly offset?: number;
}

/** One kind of artefact. */
export interface Describer {
  readonly kind: string;
  readonly title: string;
  /** May this be such an artefact? A look at the first octets, nothing more. */
  matches(octets: Bytes): boolean;
  /** Refuses what is malformed. */
  describe(octets: Bytes): Pick<Artefact, 'fields' | 'findings'>;
}
