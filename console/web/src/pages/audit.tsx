import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { TableProps } from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useState } from 'react';
import type { Schemas } from '../api/client.ts';
import { usePages } from '../api/use-call.ts';
import { number, short } from '../format.ts';
import { List, Mono } from '../parts/list.tsx';
import { useNotices } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useKept } from '../parts/use-kept.ts';
import { When } from '../parts/when.tsx';
import type { PageProps } from '../router.ts';
import { type Verified, verifyChain } from './audit-chain.ts';
import { exportAudit } from './audit-export.ts';

type Line = Schemas['AuditLine'];

const aboutText = (about: Line['about']) =>
  Object.entries(about)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

/** Of what takes two administrators both. */
const personsOf = ({ person, approvedBy }: NonNullable<Line['who']>) =>
  approvedBy === undefined ? person : `${person}, agreed to by ${approvedBy}`;

const COLUMNS: TableProps.ColumnDefinition<Line>[] = [
  { id: 'sequence', header: 'Line', cell: ({ sequence }) => number(sequence) },
  { id: 'at', header: 'At', cell: ({ at }) => <When at={at} />, minWidth: 190 },
  { id: 'event', header: 'Event', cell: ({ event }) => event, isRowHeader: true, minWidth: 130 },
  { id: 'by', header: 'By', cell: ({ by, who }) => (who === undefined ? by : `${personsOf(who)} (${by})`) },
  { id: 'about', header: 'About', cell: ({ about }) => aboutText(about) },
  {
    id: 'hash',
    header: 'Hash',
    cell: ({ hash }) => (
      <span title={hash}>
        <Mono>{short(hash, 12)}</Mono>
      </span>
    ),
  },
];

/** The audit log, the newest line first. The browser itself counts the chain after. */
export function AuditPage(_: PageProps) {
  const [event, setEvent] = useKept('audit-event');
  const [by, setBy] = useKept('audit-by');
  const filter = { ...(event !== '' && { event }), ...(by !== '' && { by }) };
  const { entries, more, loading, loadMore, reload, error } = usePages(
    'ops.listAuditLines',
    filter,
    ({ lines }) => lines,
  );
  const notices = useNotices();
  const [exportError, setExportError] = useState<Error>();
  return (
    <Page
      title="Audit"
      error={error ?? exportError}
      loading={loading}
      onReload={reload}
      actions={
        <ButtonDropdown
          items={[
            { id: 'csv', text: 'CSV, signed' },
            { id: 'json', text: 'JSON, signed' },
          ]}
          onItemClick={({ detail }) =>
            void exportAudit(detail.id === 'csv' ? 'csv' : 'json', filter).then(
              (lines) =>
                notices.tell(
                  `${number(lines)} lines are saved, beside the statement that the server has signed.`,
                ),
              setExportError,
            )
          }
        >
          Export
        </ButtonDropdown>
      }
    >
      <Chain />
      <List
        title="Lines"
        rows={entries}
        keyOf={({ sequence }) => String(sequence)}
        columns={COLUMNS}
        empty="No line"
        loading={loading}
        onMore={more ? loadMore : undefined}
        filter={
          <SpaceBetween direction="horizontal" size="s">
            <TextFilter
              filteringText={event}
              filteringPlaceholder="Event, such as order.closed"
              filteringAriaLabel="Event"
              onChange={({ detail }) => setEvent(detail.filteringText.trim())}
            />
            <TextFilter
              filteringText={by}
              filteringPlaceholder="By, such as console"
              filteringAriaLabel="By"
              onChange={({ detail }) => setBy(detail.filteringText.trim())}
            />
          </SpaceBetween>
        }
      />
    </Page>
  );
}

/** Reads every line and counts its hash after, in this browser. */
function Chain() {
  const [state, setState] = useState<Verified>();
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    try {
      setState(await verifyChain(setState));
    } catch (error) {
      setState({ lines: 0, problem: (error as Error).message });
    } finally {
      setBusy(false);
    }
  };
  return (
    <SpaceBetween direction="horizontal" size="m" alignItems="center">
      <Button onClick={() => void verify()} loading={busy}>
        Verify the chain
      </Button>
      <span role="status">
        {state !== undefined && (
          <StatusIndicator
            type={state.problem !== undefined ? 'error' : state.whole ? 'success' : 'in-progress'}
          >
            {state.problem ??
              (state.whole
                ? `The chain holds: ${number(state.lines)} lines, each with the hash of the one before`
                : `${number(state.lines)} lines so far`)}
          </StatusIndicator>
        )}
      </span>
    </SpaceBetween>
  );
}
