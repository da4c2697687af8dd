import type { ProfileValues } from '../../profile/package/parameter.ts';
import { parametersNamed } from '../../profile/package/parameters.ts';
import { inRow, type Row } from '../../profile/rows/row.ts';
import type { Personaliser } from './personalisation.ts';
import { tryProfile } from './profile-making.ts';

/** Kinds of rows that are remembered; an order has few, and of one with more the others are tried each. */
const MOST_KINDS = 256;

/**
 * Sees of row after row whether its profile can be made, and refuses as making it would. Two rows are of one kind where each
 * column has the same text, or values between which no rule tells a difference (`likeness` of the parameter): of a kind the
 * first row is tried, of the others whether their values are well-formed.
 */
export function rowTrial(personaliser: Personaliser, columns: readonly string[]): (row: Row) => void {
  // nothing of what is made here is kept, so one set of secrets does for all
  const drawn = personaliser.complete({});
  const kindOf = rowKind(columns);
  const good = new Set<string>();
  return ({ number, values }) => {
    const kind = inRow(number, () => kindOf(values));
    if (kind !== undefined && good.has(kind)) return;
    tryProfile(personaliser, number, { ...values, ...drawn });
    if (kind !== undefined && good.size < MOST_KINDS) good.add(kind);
  };
}

/** What rows of one kind share; undefined of one that is to be tried by itself, as all rows with secrets are. */
function rowKind(columns: readonly string[]): (values: ProfileValues) => string | undefined {
  // in the order of writing, so that of several bad values the same is named as by making the profile
  const parameters = parametersNamed(columns);
  if (parameters.some(({ secret }) => secret)) return () => undefined;
  return (values) => {
    let kind = '';
    for (const { name, likeness } of parameters) {
      const value = values[name];
      if (typeof value !== 'string') return undefined;
      const shared = likeness === undefined ? value : likeness(value);
      kind += `${shared.length}:${shared}`;
    }
    return kind;
  };
}
