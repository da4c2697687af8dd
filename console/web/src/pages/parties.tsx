import type { TableProps } from '@cloudscape-design/components/table';
import { call, type Schemas } from '../api/client.ts';
import { useCall, usePages } from '../api/use-call.ts';
import { day, number, short } from '../format.ts';
import { Change } from '../parts/confirm.tsx';
import { Copy } from '../parts/copy.tsx';
import { List } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import { When } from '../parts/when.tsx';
import type { PageProps } from '../router.ts';

type Party = Schemas['PartyEntry'];
type Call = Schemas['CallEntry'];

const CALLS: TableProps.ColumnDefinition<Call>[] = [
  { id: 'at', header: 'At', cell: ({ at }) => <When at={at} />, minWidth: 190 },
  { id: 'party', header: 'Party', cell: ({ party }) => party ?? 'nobody known' },
  { id: 'function', header: 'Function', cell: (one) => one.function, isRowHeader: true },
  { id: 'status', header: 'Outcome', cell: ({ status }) => status },
  {
    id: 'codes',
    header: 'Code',
    cell: ({ subjectCode, reasonCode }) => (subjectCode === undefined ? '–' : `${subjectCode}/${reasonCode}`),
  },
  { id: 'count', header: 'Times', cell: ({ count }) => number(count) },
];

/** Who may call, and who called what. */
export function PartiesPage(_: PageProps) {
  const { answer, error, loading, reload } = useCall('ops.listParties', {});
  const calls = usePages('ops.listCalls', {}, (page) => page.calls);
  return (
    <Page title="Parties" error={error} loading={loading} onReload={reload}>
      <List
        title="Client certificates"
        rows={answer?.parties ?? []}
        keyOf={({ fingerprint }) => fingerprint}
        columns={partyColumns(reload)}
        empty="No party is registered: smdpf party add"
        loading={loading}
      />
      <List
        title="Calls"
        rows={calls.entries}
        keyOf={(one) => JSON.stringify(one)}
        columns={CALLS}
        empty="Nobody has called yet"
        loading={calls.loading}
        onMore={calls.more ? calls.loadMore : undefined}
      />
    </Page>
  );
}

const partyColumns = (onDone: () => void): TableProps.ColumnDefinition<Party>[] => [
  { id: 'identifier', header: 'Party', cell: ({ identifier }) => identifier, isRowHeader: true },
  { id: 'name', header: 'Name', cell: ({ name }) => name ?? '–' },
  { id: 'role', header: 'Role', cell: ({ role }) => role },
  { id: 'state', header: 'State', cell: ({ state }) => <State of={state} />, minWidth: 130 },
  { id: 'notAfter', header: 'Ends', cell: ({ notAfter }) => day(notAfter), minWidth: 130 },
  { id: 'addedAt', header: 'Registered', cell: ({ addedAt }) => day(addedAt), minWidth: 130 },
  {
    id: 'fingerprint',
    header: 'Fingerprint',
    cell: ({ fingerprint }) => (
      <Copy text={fingerprint} what="fingerprint">
        <span className="mono" title={fingerprint}>
          {short(fingerprint, 12)}
        </span>
      </Copy>
    ),
  },
  { id: 'change', header: 'Change', cell: (party) => <PartyChange party={party} onDone={onDone} /> },
];

function PartyChange({
  party: { identifier, state },
  onDone,
}: {
  readonly party: Party;
  readonly onDone: () => void;
}) {
  if (state === 'revoked') return '–';
  if (state === 'suspended')
    return (
      <Change
        label="Resume"
        onDone={onDone}
        change={async () => {
          const { certificates } = await call('ops.resumeParty', { identifier }, { confirmed: true });
          return `${identifier} may call again, with ${number(certificates)} certificates.`;
        }}
      >
        {identifier} may call again, with every certificate that is not revoked.
      </Change>
    );
  return (
    <Change
      label="Suspend"
      typed={identifier}
      onDone={onDone}
      change={async () => {
        const { certificates } = await call('ops.suspendParty', { identifier }, { confirmed: true });
        return `${identifier} is suspended, with ${number(certificates)} certificates.`;
      }}
    >
      Every certificate of {identifier} is refused from the next call on, until the party is resumed.
    </Change>
  );
}
