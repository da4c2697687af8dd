import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { TableProps } from '@cloudscape-design/components/table';
import type { ReactNode } from 'react';
import type { Answer } from '../api/client.ts';
import { useCall } from '../api/use-call.ts';
import { number, time } from '../format.ts';
import { StateCounts } from '../parts/counts.tsx';
import { List } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import { When } from '../parts/when.tsx';
import { hrefOf } from '../router.ts';
import { alarmsOf, boundOf } from './alarms.ts';
import { failureCountColumns } from './failure-columns.tsx';
import { expiringColumns } from './trust-columns.tsx';

type Overview = Answer<'ops.getOverview'>;

/** Stock, today, open work, what fails and what expires: is all well. */
export function OverviewPage() {
  const { answer, error, loading, reload } = useCall('ops.getOverview', {}, 10_000);
  return (
    <Page
      title="Overview"
      description={answer && `As of ${time(answer.at)}${answer.more ? '; of the newest orders' : ''}`}
      error={error}
      loading={loading}
      onReload={reload}
    >
      {answer && <Contents overview={answer} />}
    </Page>
  );
}

function Contents({ overview }: { readonly overview: Overview }) {
  const { stock, today, orders, failures, expiring, health, slowKeys } = overview;
  return (
    <SpaceBetween size="l">
      <Alarms overview={overview} />
      <Health health={health} />
      <ColumnLayout columns={2}>
        <Card title="Profiles in stock" href={hrefOf(['orders'])}>
          <StateCounts counts={stock} />
        </Card>
        <Card title="Today" href={hrefOf(['jobs'])}>
          <Today today={today} failures={failures} />
        </Card>
        <Card title="Orders" href={hrefOf(['orders'])}>
          <NamedNumbers of={orders} empty="No order yet" />
        </Card>
        <Work overview={overview} />
      </ColumnLayout>
      <List
        title="Slow keys"
        description="Of the last 15 minutes: calls that were slowed by their backend, or took more than half a second"
        rows={slowKeys}
        keyOf={({ key, call, reason }) => `${key} ${call} ${reason}`}
        columns={SLOW_KEYS}
        empty="No key was slow"
      />
      <List
        title="Failures of today"
        rows={failures}
        keyOf={(one) => `${one.kind} ${one.code} ${one.party ?? ''} ${one.ein ?? ''}`}
        columns={failureCountColumns}
        empty="Nothing has failed today"
        actions={<Link href={hrefOf(['failures'])}>All failures</Link>}
      />
      <List
        title="Ends within 30 days"
        rows={expiring}
        keyOf={(one) => `${one.kind} ${one.name}`}
        columns={expiringColumns}
        empty="Nothing ends within 30 days"
        actions={<Link href={hrefOf(['trust'])}>Trust and keys</Link>}
      />
    </SpaceBetween>
  );
}

/** What somebody has to do something about, by urgency, each with where. */
function Alarms({ overview }: { readonly overview: Overview }) {
  const alarms = alarmsOf(overview);
  if (alarms.length === 0) return null;
  return (
    <Alert type={alarms.some(({ isError }) => isError) ? 'error' : 'warning'} header={counted(alarms.length)}>
      <ul className="alarms">
        {alarms.map(({ text, href, todo }) => (
          <li key={text}>
            {text}
            {todo !== undefined && `: ${todo}`}{' '}
            <Link href={href} variant="secondary">
              Look
            </Link>
          </li>
        ))}
      </ul>
    </Alert>
  );
}

const counted = (alarms: number) => (alarms === 1 ? 'One alarm' : `${number(alarms)} alarms`);

/** What left the stock for a device today (UTC), and what became of it. */
function Today({ today, failures }: Pick<Overview, 'today' | 'failures'>) {
  const refused = failures.filter(({ kind }) => kind === 'item').reduce((sum, { count }) => sum + count, 0);
  const figures = [
    ['Bound', boundOf(today), hrefOf(['jobs'])],
    ['Installed', today.Installed ?? 0, hrefOf(['jobs'])],
    ['Failed', today.Failed ?? 0, hrefOf(['failures'], { kind: 'profile', days: '1' })],
    ['Unreported', today.Unreported ?? 0, hrefOf(['failures'], { kind: 'profile', days: '1' })],
    ['Refused', refused, hrefOf(['failures'], { kind: 'item', days: '1' })],
  ] as const;
  return (
    <KeyValuePairs
      columns={3}
      items={figures.map(([label, value, href]) => ({
        label: <State of={label} />,
        value: (
          <Link href={href} fontSize="heading-l">
            {number(value)}
          </Link>
        ),
      }))}
    />
  );
}

function Health({ health }: { readonly health: Overview['health'] }) {
  return (
    <Container
      header={<Header description={health.ready ? 'Ready for work' : 'Not ready for work'}>Health</Header>}
    >
      <KeyValuePairs
        columns={4}
        items={health.checks.map(({ name, state, problem }) => ({
          label: name,
          value: (
            <>
              <State of={state} />
              {problem !== undefined && <Box color="text-status-error">{problem}</Box>}
            </>
          ),
        }))}
      />
    </Container>
  );
}

function Work({ overview: { openWork, callbacks } }: { readonly overview: Overview }) {
  const more = callbacks.more ? '+' : '';
  return (
    <Card title="Work under way" href={hrefOf(['jobs'])}>
      <KeyValuePairs
        columns={3}
        items={[
          ...Object.entries(openWork).map(([kind, count]) => ({
            label: WORK[kind] ?? kind,
            value: number(count),
          })),
          { label: 'Callbacks waiting', value: `${number(callbacks.waiting)}${more}` },
          {
            label: 'Callbacks given up',
            value: <Link href={hrefOf(['callbacks'])}>{`${number(callbacks.parked)}${more}`}</Link>,
          },
        ]}
      />
    </Card>
  );
}

type SlowKey = Overview['slowKeys'][number];

const SLOW_KEYS: TableProps.ColumnDefinition<SlowKey>[] = [
  { id: 'key', header: 'Key', cell: ({ key }) => key, isRowHeader: true },
  { id: 'call', header: 'Call', cell: ({ call }) => call },
  { id: 'reason', header: 'Why', cell: ({ reason }) => reason },
  { id: 'times', header: 'Times', cell: ({ times }) => number(times) },
  { id: 'waitedMs', header: 'Waited (ms)', cell: ({ waitedMs }) => number(waitedMs) },
  { id: 'at', header: 'Last', cell: ({ at }) => <When at={at} />, minWidth: 190 },
];

const WORK: Readonly<Record<string, string>> = {
  job: 'Requests',
  order: 'Orders being prepared',
  rows: 'Output rows',
  euiccData: 'eUICC data batches',
  report: 'Reports',
  closing: 'Orders being closed',
};

function NamedNumbers({
  of,
  empty,
}: {
  readonly of: Readonly<Record<string, number>>;
  readonly empty: string;
}) {
  const entries = Object.entries(of);
  if (entries.length === 0) return <Box color="text-body-secondary">{empty}</Box>;
  return (
    <KeyValuePairs
      columns={3}
      items={entries.map(([state, count]) => ({
        label: <State of={state} />,
        value: <Box fontSize="heading-l">{number(count)}</Box>,
      }))}
    />
  );
}

function Card({
  title,
  href,
  children,
}: {
  readonly title: string;
  readonly href: string;
  readonly children: ReactNode;
}) {
  return (
    <Container
      header={
        <Header>
          <Link href={href} fontSize="inherit">
            {title}
          </Link>
        </Header>
      }
    >
      {children}
    </Container>
  );
}
