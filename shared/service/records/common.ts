import { STATUS_CODES, type StatusName } from '../../status-codes.ts';
import { WARNING_CODES } from '../../warnings.ts';
import { list, object, oneOf, type Schema, text, whole } from './schema.ts';

/** What many kinds of records have in common. */

/** A vault object as a record names it: shared/vault/vault.ts. */
export const objectRef = object({
  name: text,
  version: text,
  /** Octets. */
  size: whole,
  /** Lower-case hexadecimal. */
  sha256: text,
});

const isStatusName = (value: unknown): value is StatusName =>
  typeof value === 'string' && Object.hasOwn(STATUS_CODES, value);

/** A row of shared/status-codes.ts. */
export const statusName: Schema<StatusName> = {
  what: 'a name of a status code',
  check: (value) =>
    isStatusName(value)
      ? undefined
      : { path: '', kind: 'wrong', detail: 'something else where a name of a status code is expected' },
};

/** A row of shared/crypto/suites, which a later release may have more of. */
export const suiteName = text;

/** Of an answer: shared/warnings.ts. */
export const warnings = list(object({ code: oneOf(...WARNING_CODES), message: text }));

/** See service/api/item-refusal.ts. */
export const refusalMembers = { code: statusName, subjectCode: text, reasonCode: text, message: text };
