import { Refusal, refuse } from '../../errors.ts';
import type { StatusName } from '../../status-codes.ts';
import type { ParameterValue, ProfileValues } from '../package/parameter.ts';
import { parameterNamed } from '../package/parameters.ts';

/** One row of personalisation data: the values of one profile, by the names of the parameters. */
export interface Row {
  /** From 1, over the whole file; a heading is no row. */
  readonly number: number;
  readonly values: ProfileValues;
}

export type RowFormat = 'csv' | 'jsonl';

/** Refuses in the name of a row and, where one is to blame, a column; `why` never holds the value. */
export function refuseRow(code: StatusName, number: number, column: string | undefined, why: string): never {
  const where = column === undefined ? `row ${number}` : `row ${number}, column ${column}`;
  return refuse(code, `${where}: ${why}`, {
    subjectIdentifier: column === undefined ? `row:${number}` : `row:${number}:${column}`,
  });
}

/** Runs `work` on a row: what it refuses is refused with the row's number and the column. */
export function inRow<T>(number: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const column = error.subjectIdentifier;
    if (error.code === 'iccidInvalid') return refuseRow(error.code, number, 'iccid', error.message);
    const why = column === undefined ? error.message : error.message.replace(`${column}: `, '');
    return refuseRow(error.code, number, column, why);
  }
}

/** Refuses (`personalisationInvalid`) columns without or with a repeated name, and names of no parameter. */
export function checkColumns(columns: readonly string[]): void {
  const repeated = columns.find((name, at) => columns.indexOf(name) !== at);
  if (repeated !== undefined) refuse('personalisationInvalid', `the column ${repeated} is there twice`);
  for (const name of columns) parameterNamed(name);
  if (!columns.includes('iccid'))
    refuse('personalisationInvalid', 'the rows have no column iccid', { subjectIdentifier: 'iccid' });
}

/** Refuses (`personalisationInvalid`) names whose values must never be in clear. */
export function refuseClearSecrets(names: readonly string[]): void {
  const secret = names.find((name) => parameterNamed(name).secret);
  if (secret === undefined) return;
  refuse(
    'personalisationInvalid',
    `${secret}: is secret; send it in rows that are encrypted to this server`,
    {
      subjectIdentifier: secret,
    },
  );
}

/** Every row gives what the first one gives: no more, no less. */
export function checkMembers({ number, values }: Row, columns: readonly string[]): void {
  for (const name of columns)
    if (!Object.hasOwn(values, name)) refuseRow('personalisationInvalid', number, name, 'has no value');
  for (const name of Object.keys(values))
    if (!columns.includes(name))
      refuseRow('personalisationInvalid', number, undefined, 'has a member that row 1 does not have');
}

/** A value of a JSON row: text, a list of text, or an object. Numbers would lose leading zeros. */
export function isValue(value: unknown): value is ParameterValue {
  if (typeof value === 'string') return true;
  if (Array.isArray(value)) return value.every((entry) => typeof entry === 'string');
  return typeof value === 'object' && value !== null;
}
