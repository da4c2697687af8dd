import Box from '@cloudscape-design/components/box';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import { PROFILE_STATES, type ProfileState } from '../api/states.ts';
import { number } from '../format.ts';
import { State } from './state.tsx';

type Counts = Readonly<Partial<Record<string, number>>>;

/** How many are in each state. */
export function StateCounts({
  counts,
  hrefOfState,
}: {
  readonly counts: Counts;
  readonly hrefOfState?: (state: ProfileState) => string;
}) {
  const shown = PROFILE_STATES.filter((state) => (counts[state] ?? 0) !== 0);
  if (shown.length === 0) return <Box color="text-body-secondary">None</Box>;
  return (
    <KeyValuePairs
      columns={Math.min(4, shown.length)}
      items={shown.map((state) => ({
        label: <State of={state} />,
        value: hrefOfState ? (
          <Link href={hrefOfState(state)} fontSize="heading-l">
            {number(counts[state])}
          </Link>
        ) : (
          <Box fontSize="heading-l">{number(counts[state])}</Box>
        ),
      }))}
    />
  );
}

/** `120 Available, 3 Failed`, for a cell. */
export const countsText = (counts: Counts): string =>
  PROFILE_STATES.filter((state) => (counts[state] ?? 0) !== 0)
    .map((state) => `${number(counts[state])} ${state}`)
    .join(', ');
