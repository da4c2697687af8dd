import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { type Answer, call, type Schemas } from '../api/client.ts';
import { PROFILE_STATES, type ProfileState } from '../api/states.ts';
import { usePages } from '../api/use-call.ts';
import { grouped, number } from '../format.ts';
import { Problem } from '../parts/problem.tsx';
import { State } from '../parts/state.tsx';
import { useKept } from '../parts/use-kept.ts';
import { type Column, VirtualRows } from '../parts/virtual-rows.tsx';
import { When } from '../parts/when.tsx';
import { changeQuery, goTo, hrefOf } from '../router.ts';
import { ProfilePages } from './profile-pages.ts';

type Profile = Schemas['ProfileEntry'];

const COLUMNS: readonly Column<Profile>[] = [
  { id: 'position', header: 'Position', width: '80px', cell: ({ position }) => number(position) },
  {
    id: 'iccid',
    header: 'ICCID',
    width: '190px',
    cell: ({ iccid }) => <span className="mono">{grouped(iccid)}</span>,
  },
  { id: 'state', header: 'State', width: '120px', cell: ({ state }) => <State of={state} /> },
  {
    id: 'eid',
    header: 'EID',
    width: '310px',
    cell: ({ eid }) => (eid === undefined ? '–' : <span className="mono">{grouped(eid)}</span>),
  },
  { id: 'at', header: 'Since', width: '190px', cell: ({ at }) => <When at={at} /> },
  { id: 'detail', header: 'Detail', width: 'minmax(120px, 1fr)', cell: ({ detail }) => detail ?? '' },
];

interface OrderProfilesProps {
  readonly order: Answer<'ops.getOrder'>;
  readonly query: Readonly<Record<string, string>>;
}

/** The profiles of an order, however many: by position, or those in one state. */
export function OrderProfiles({ order, query }: OrderProfilesProps) {
  const { orderId } = order;
  const [wanted, keep] = useKept(`profiles-${orderId}-state`);
  const state = PROFILE_STATES.find((one) => one === wanted);
  const [focus, setFocus] = useState<number | undefined>(() => positionOf(query, order.prepared));
  const choose = (value: string) => {
    keep(value);
    setFocus(undefined);
    changeQuery({ position: undefined });
  };
  const onOpen = useCallback(({ iccid }: Profile) => goTo(hrefOf(['devices', iccid])), []);
  const options = [
    { value: '', label: 'All states' },
    ...PROFILE_STATES.map((one) => ({ value: one, label: one })),
  ];
  return (
    <Container
      header={
        <Header variant="h2" counter={`(${number(order.prepared)})`} description="Arrows move, Enter opens">
          Profiles
        </Header>
      }
    >
      <SpaceBetween size="s">
        <SpaceBetween direction="horizontal" size="s">
          <Select
            ariaLabel="State of the profiles"
            selectedOption={options.find(({ value }) => value === (state ?? ''))!}
            options={options}
            onChange={({ detail }) => choose(detail.selectedOption.value ?? '')}
          />
          <GoTo
            order={order}
            onFound={(position) => {
              choose('');
              setFocus(position);
              changeQuery({ position: String(position) });
            }}
          />
        </SpaceBetween>
        {state === undefined ? (
          <AllProfiles order={order} focus={focus} onOpen={onOpen} />
        ) : (
          <ProfilesInState orderId={orderId} state={state} onOpen={onOpen} />
        )}
      </SpaceBetween>
    </Container>
  );
}

/** The place in the list that a link leads to. */
function positionOf({ position = '' }: OrderProfilesProps['query'], prepared: number): number | undefined {
  return /^\d{1,8}$/.test(position) && Number(position) < prepared ? Number(position) : undefined;
}

interface AllProfilesProps {
  readonly order: Answer<'ops.getOrder'>;
  readonly focus: number | undefined;
  readonly onOpen: (profile: Profile) => void;
}

/** Any place of the list is one call away: positions are contiguous. */
function AllProfiles({ order: { orderId, prepared }, focus, onOpen }: AllProfilesProps) {
  const [, setLoads] = useState(0);
  const [error, setError] = useState<Error>();
  const pages = useMemo(
    () => new ProfilePages(orderId, () => setLoads((before) => before + 1), setError),
    [orderId],
  );
  useEffect(() => () => pages.stop(), [pages]);
  const onRange = useCallback((first: number, last: number) => pages.need(first, last), [pages]);
  const rowAt = useCallback((index: number) => pages.at(index), [pages]);
  return (
    <>
      <Problem error={error} />
      <VirtualRows
        label="Profiles of the order"
        count={prepared}
        columns={COLUMNS}
        rowAt={rowAt}
        onRange={onRange}
        onOpen={onOpen}
        focus={focus}
      />
    </>
  );
}

interface ProfilesInStateProps {
  readonly orderId: string;
  readonly state: ProfileState;
  readonly onOpen: (profile: Profile) => void;
}

/** Those in one state are found by looking through the order: the list grows as it is scrolled. */
function ProfilesInState({ orderId, state, onOpen }: ProfilesInStateProps) {
  const { entries, more, loading, loadMore, error } = usePages(
    'ops.listProfiles',
    { orderId, state, limit: 200 },
    ({ profiles }) => profiles,
  );
  const onRange = useCallback(
    (_: number, last: number) => {
      if (last >= entries.length) loadMore();
    },
    [entries, loadMore],
  );
  if (entries.length === 0 && !more) return <Box textAlign="center">No profile of the order is {state}</Box>;
  return (
    <>
      <Problem error={error} />
      <VirtualRows
        label={`Profiles of the order that are ${state}`}
        count={entries.length + (more ? 1 : 0)}
        columns={COLUMNS}
        rowAt={(index) => entries[index]}
        onRange={onRange}
        onOpen={onOpen}
      />
      <Box color="text-body-secondary">
        {number(entries.length)} found{more && (loading ? ', looking for more' : ', scroll for more')}
      </Box>
    </>
  );
}

interface GoToProps {
  readonly order: Answer<'ops.getOrder'>;
  readonly onFound: (position: number) => void;
}

/** Shows a profile of the order by its ICCID, or a position. */
function GoTo({ order: { orderId, prepared }, onFound }: GoToProps) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const go = async () => {
    const digits = text.replace(/\s/g, '');
    setProblem(undefined);
    if (/^\d{18,20}$/.test(digits)) {
      const found = await call('ops.findProfile', { iccid: digits }).catch((error: Error) => error);
      if (found instanceof Error) return setProblem(found.message);
      if (found.orderId !== orderId) return setProblem(`That profile is of order ${found.orderId}.`);
      return onFound(found.position);
    }
    if (!/^\d{1,8}$/.test(digits) || Number(digits) >= prepared)
      return setProblem(`An ICCID, or a position from 0 to ${number(Math.max(0, prepared - 1))}.`);
    return onFound(Number(digits));
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      <SpaceBetween direction="horizontal" size="s" alignItems="center">
        <Input
          type="search"
          value={text}
          onChange={({ detail }) => setText(detail.value)}
          placeholder="ICCID or position"
          ariaLabel="Go to an ICCID or a position"
        />
        <Box color="text-status-error">
          <span role="status">{problem}</span>
        </Box>
      </SpaceBetween>
    </form>
  );
}
