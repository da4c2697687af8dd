import ProgressBar from '@cloudscape-design/components/progress-bar';
import Select from '@cloudscape-design/components/select';
import type { TableProps } from '@cloudscape-design/components/table';
import type { Input, Schemas } from '../api/client.ts';
import { usePages } from '../api/use-call.ts';
import { number } from '../format.ts';
import { countsText } from '../parts/counts.tsx';
import { List } from '../parts/list.tsx';
import { OrderLink } from '../parts/named-links.tsx';
import { Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import { useKept } from '../parts/use-kept.ts';
import { When } from '../parts/when.tsx';
import type { PageProps } from '../router.ts';
import { OrderPage } from './order.tsx';

type Order = Schemas['OrderSummary'];
type OrderState = NonNullable<Input<'ops.listOrders'>['state']>;

const STATES: readonly OrderState[] = ['Preparing', 'Open', 'Closed', 'Cancelled', 'Rejected'];

const COLUMNS: TableProps.ColumnDefinition<Order>[] = [
  { id: 'orderId', header: 'Order', cell: ({ orderId }) => <OrderLink id={orderId} />, isRowHeader: true },
  { id: 'state', header: 'State', cell: ({ state }) => <State of={state} />, minWidth: 130 },
  { id: 'operator', header: 'Operator', cell: ({ operator }) => operator },
  { id: 'profileType', header: 'Profile type', cell: ({ profileType }) => profileType },
  {
    id: 'prepared',
    header: 'Profiles',
    cell: ({ quantity, prepared, state }) =>
      state === 'Preparing' ? (
        <ProgressBar
          value={(100 * prepared) / Math.max(1, quantity)}
          additionalInfo={`${number(prepared)} of ${number(quantity)}`}
          ariaLabel="Prepared"
        />
      ) : (
        number(quantity)
      ),
  },
  { id: 'counts', header: 'States', cell: ({ counts }) => countsText(counts) },
  { id: 'createdAt', header: 'Taken', cell: ({ createdAt }) => <When at={createdAt} />, minWidth: 190 },
];

export function OrdersPage({ place }: PageProps) {
  const [, orderId] = place.path;
  return orderId === undefined ? <Orders /> : <OrderPage orderId={orderId} query={place.query} />;
}

/** All orders, the newest first. The filter stays while somebody looks at one of them. */
function Orders() {
  const [state, setState] = useKept('orders-state');
  const chosen = STATES.find((one) => one === state);
  const { entries, more, loading, loadMore, reload, error } = usePages(
    'ops.listOrders',
    chosen === undefined ? {} : { state: chosen },
    ({ orders }) => orders,
  );
  const options = [{ value: '', label: 'All states' }, ...STATES.map((one) => ({ value: one, label: one }))];
  return (
    <Page title="Orders" error={error} loading={loading} onReload={reload}>
      <List
        title="Orders"
        rows={entries}
        keyOf={({ orderId }) => orderId}
        columns={COLUMNS}
        empty={
          chosen === undefined
            ? 'No order yet: Operators place them by es2f.prepareProfiles, or smdpf order place'
            : `No order is ${chosen}`
        }
        loading={loading}
        onMore={more ? loadMore : undefined}
        filter={
          <Select
            ariaLabel="State of the orders"
            selectedOption={options.find(({ value }) => value === (chosen ?? ''))!}
            options={options}
            onChange={({ detail }) => setState(detail.selectedOption.value ?? '')}
          />
        }
      />
    </Page>
  );
}
