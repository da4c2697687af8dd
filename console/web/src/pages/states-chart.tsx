import BarChart from '@cloudscape-design/components/bar-chart';
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import type { Answer } from '../api/client.ts';
import { PROFILE_STATES, type ProfileState } from '../api/states.ts';
import { number } from '../format.ts';

/** As the states are everywhere else, each to be told from its neighbours on light and dark pages. */
const COLOURS: Readonly<Record<ProfileState, string>> = {
  Available: '#688ae8',
  Bound: '#2ea5b5',
  Delivered: '#0b7285',
  Installed: '#29823b',
  Failed: '#d63f38',
  Unreported: '#c77405',
  Deleted: '#8456ce',
  Closed: '#7d8998',
};

/** Days of a chart: with more of them a bar is a span of days, and shows their last one. */
const BARS = 40;

/** How many profiles of an order were in each state at the end of each day. */
export function StatesChart({ order }: { readonly order: Answer<'ops.getOrder'> }) {
  const days = totalsOf(order.days);
  const states = PROFILE_STATES.filter((state) => days.some(({ totals }) => (totals[state] ?? 0) > 0));
  return (
    <Container header={<Header variant="h2">States over time</Header>}>
      <BarChart
        stackedBars
        height={220}
        hideFilter
        ariaLabel="Profiles of the order by state, for each day"
        xScaleType="categorical"
        xTitle="Day (UTC)"
        yTitle="Profiles"
        xDomain={days.map(({ day }) => day)}
        yDomain={[0, Math.max(1, order.quantity)]}
        series={states.map((state) => ({
          type: 'bar' as const,
          title: state,
          color: COLOURS[state],
          data: days.map(({ day, totals }) => ({ x: day, y: totals[state] ?? 0 })),
          valueFormatter: (value: number) => number(value),
        }))}
        i18nStrings={{ yTickFormatter: (value) => number(value), chartAriaRoleDescription: 'bar chart' }}
        empty={<Box textAlign="center">Nothing has happened yet</Box>}
      />
    </Container>
  );
}

interface Day {
  readonly day: string;
  readonly totals: Readonly<Record<string, number>>;
}

/** The sums up to the end of each day: days tell what changed, not what there is. */
export function totalsOf(days: Answer<'ops.getOrder'>['days']): readonly Day[] {
  const totals: Record<string, number> = {};
  const all = days.map(({ day, changes }) => {
    for (const [state, change] of Object.entries(changes))
      totals[state] = (totals[state] ?? 0) + (change ?? 0);
    return { day, totals: { ...totals } };
  });
  const span = Math.ceil(all.length / BARS);
  return all.filter((_, index) => (all.length - 1 - index) % Math.max(1, span) === 0);
}
