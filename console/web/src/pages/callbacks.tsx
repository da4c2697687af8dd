import type { TableProps } from '@cloudscape-design/components/table';
import { call, type Schemas } from '../api/client.ts';
import { usePages } from '../api/use-call.ts';
import { ago, number } from '../format.ts';
import { Change } from '../parts/confirm.tsx';
import { List, Mono } from '../parts/list.tsx';
import { OrderLink } from '../parts/named-links.tsx';
import { Page } from '../parts/page.tsx';
import { When } from '../parts/when.tsx';
import type { PageProps } from '../router.ts';

type Callback = Schemas['CallbackEntry'];

const COMMON: TableProps.ColumnDefinition<Callback>[] = [
  { id: 'call', header: 'Call', cell: (one) => <Mono>{one.call}</Mono>, isRowHeader: true },
  { id: 'order', header: 'Order', cell: ({ orderId }) => <OrderLink id={orderId} /> },
  { id: 'to', header: 'To', cell: ({ to }) => to },
  { id: 'attempts', header: 'Attempts', cell: ({ attempts }) => number(attempts) },
  { id: 'createdAt', header: 'Made', cell: ({ createdAt }) => <When at={createdAt} />, minWidth: 190 },
  { id: 'reason', header: 'Last answer', cell: ({ reason }) => reason ?? '–' },
];

const WAITING: TableProps.ColumnDefinition<Callback>[] = [
  ...COMMON,
  { id: 'dueAt', header: 'Next attempt', cell: ({ dueAt }) => (dueAt === undefined ? '–' : ago(dueAt)) },
];

const PARKED: TableProps.ColumnDefinition<Callback>[] = [
  ...COMMON,
  { id: 'parkedAt', header: 'Given up', cell: ({ parkedAt }) => <When at={parkedAt} />, minWidth: 190 },
];

/** Callbacks that the Operators have not taken: those that wait, and those that were given up. */
export function CallbacksPage(_: PageProps) {
  const waiting = usePages('ops.listCallbacks', { state: 'waiting' }, ({ callbacks }) => callbacks);
  const parked = usePages('ops.listCallbacks', { state: 'parked' }, ({ callbacks }) => callbacks);
  const reload = () => {
    waiting.reload();
    parked.reload();
  };
  return (
    <Page
      title="Callbacks"
      error={waiting.error ?? parked.error}
      loading={waiting.loading || parked.loading}
      onReload={reload}
    >
      <List
        title="Given up"
        rows={parked.entries}
        keyOf={(one) => one.call}
        columns={PARKED}
        empty="None was given up"
        loading={parked.loading}
        onMore={parked.more ? parked.loadMore : undefined}
        actions={
          <Change
            label="Post again"
            disabled={parked.entries.length === 0}
            change={replayAll}
            onDone={reload}
          >
            All callbacks that were given up wait again, and are posted to their Operators.
          </Change>
        }
      />
      <List
        title="Waiting"
        rows={waiting.entries}
        keyOf={(one) => one.call}
        columns={WAITING}
        empty="None waits"
        loading={waiting.loading}
        onMore={waiting.more ? waiting.loadMore : undefined}
      />
    </Page>
  );
}

/** So many in a call; the server says whether there are others. */
async function replayAll(): Promise<string> {
  let total = 0;
  for (let more = true; more; ) {
    const page = await call('admin.replayCallbacks', { limit: 1_000 }, { confirmed: true });
    total += page.replayed;
    more = page.more;
  }
  return `${number(total)} callbacks are posted again.`;
}
