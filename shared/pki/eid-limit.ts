import { refuse } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';
import type { Certificate } from './certificate.ts';
import { type NameAttribute, sameAttribute, singleAttribute } from './name.ts';
import { OID } from './oids.ts';

/**
 * Which EIDs an EUM certificate may stand for. RFC 5280 name matching does not express it, since the EID must
 * *start with* what the certificate says.
 */
interface Range {
  /** Leading digits of the EID. */
  readonly prefix: string;
  /** What else the subject of the eUICC certificate must have; Variant O: its organizationName. */
  readonly subject: readonly NameAttribute[];
}

/** The limits of one or two EUM certificates (EUM, EUM SubCA); each that is found must hold. */
export type EidLimits = readonly (readonly Range[])[];

/**
 * nameConstraints of Variant O (organizationName and an IIN in serialNumber) and permittedEins of v3.
 * Refuses a chain without any: its EUM could issue any EID.
 */
export function eidLimitsOf(eumCertificates: readonly Certificate[], invalid: StatusName): EidLimits {
  const limits: Range[][] = [];
  for (const { extensions } of eumCertificates) {
    if (extensions.nameConstraints !== undefined)
      limits.push(extensions.nameConstraints.map((name) => rangeOfName(name, invalid)));
    if (extensions.permittedEins !== undefined)
      limits.push(extensions.permittedEins.map((prefix) => ({ prefix, subject: [] })));
  }
  if (limits.length === 0) refuse(invalid, 'the EUM certificate limits no EIDs');
  return limits;
}

function rangeOfName(name: readonly NameAttribute[], invalid: StatusName): Range {
  const prefix = singleAttribute(name, OID.serialNumber);
  if (prefix === undefined || !/^[0-9]{1,32}$/.test(prefix))
    return refuse(invalid, 'the nameConstraints of the EUM certificate have no IIN in serialNumber');
  if (singleAttribute(name, OID.organizationName) === undefined)
    refuse(invalid, 'the nameConstraints of the EUM certificate have no organizationName');
  return { prefix, subject: name.filter(({ type }) => type !== OID.serialNumber) };
}

/** Refuses an EID, or the subject of its certificate, outside a limit as `eidOutsideEumRange`. */
export function checkEidWithin(limits: EidLimits, eid: string, subject: readonly NameAttribute[]): void {
  for (const ranges of limits)
    if (!ranges.some((range) => permits(range, eid, subject)))
      refuse('eidOutsideEumRange', 'the EID or the subject is outside the limits of the EUM certificate', {
        subjectIdentifier: eid,
      });
}

function permits(range: Range, eid: string, subject: readonly NameAttribute[]): boolean {
  return (
    eid.startsWith(range.prefix) &&
    range.subject.every((wanted) => subject.some((own) => sameAttribute(own, wanted)))
  );
}
