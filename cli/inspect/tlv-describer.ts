import type { Bytes } from '../../shared/codec/bytes.ts';
import { type Tlv, tagName, tlvHeader } from '../../shared/codec/tlv.ts';
import { Refusal } from '../../shared/errors.ts';
import { present } from '../../shared/present.ts';
import type { Describer, Finding } from './artefact.ts';
import { type Shape, showElement, wholeElement } from './shape.ts';

export interface TlvArtefact {
  readonly kind: string;
  readonly title: string;
  /** The tag that only this artefact begins with; kinds that share one have `matches`. */
  readonly tag: number;
  readonly matches?: (octets: Bytes) => boolean;
  readonly shape: Shape;
  /**
   * Holds the octets to the rules of the type that the shape does not know: order, mandatory fields, limits. What is
   * malformed is refused, another rule that is broken is a finding.
   */
  readonly check?: (octets: Bytes) => readonly Finding[] | undefined;
}

/** A describer of an artefact that is one element. */
export function tlvDescriber({ kind, title, tag, matches, shape, check }: TlvArtefact): Describer {
  const start = tlvHeader(tag, 0).subarray(0, -1);
  return {
    kind,
    title,
    matches: (octets) =>
      Buffer.compare(octets.subarray(0, start.length), start) === 0 && (matches?.(octets) ?? true),
    describe(octets) {
      const field = showElement(wholeElement(octets, '', 0), shape);
      return { fields: [field], findings: findingsOf(() => check?.(octets) ?? []) };
    },
  };
}

/** A field of a later version (shared/rsp/extensibility.ts). */
export const unknownField = ({ tag, offset }: Tlv): Finding => ({
  severity: 'note',
  message: `${tagName(tag)} is a field that this version does not know`,
  offset,
});

function findingsOf(check: () => readonly Finding[]): readonly Finding[] {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'protocolFormat') throw error;
    const { message, offset } = error;
    return [{ severity: 'error', message, ...present({ offset }) }];
  }
}

/** Checks a part of the artefact that stands at `offset`; its refusals then count from the artefact's beginning. */
export function checkAt(offset: number, path: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.code, `${error.message} (in ${path} at offset ${offset})`, {
      subjectIdentifier: error.subjectIdentifier === undefined ? path : `${path}/${error.subjectIdentifier}`,
      offset: offset + (error.offset ?? 0),
      cause: error,
    });
  }
}
