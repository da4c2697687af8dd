import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type Answer, call } from '../api/client.ts';
import { useCall } from '../api/use-call.ts';
import { number } from '../format.ts';
import { Change } from '../parts/confirm.tsx';
import { Copy } from '../parts/copy.tsx';
import { StateCounts } from '../parts/counts.tsx';
import { Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import { When } from '../parts/when.tsx';
import { hrefOf } from '../router.ts';
import { OrderProfiles } from './order-profiles.tsx';
import { StatesChart } from './states-chart.tsx';

type Order = Answer<'ops.getOrder'>;

interface OrderPageProps {
  readonly orderId: string;
  readonly query: Readonly<Record<string, string>>;
}

/** One order: its states over time, its profiles, and what an administrator may do about it. */
export function OrderPage({ orderId, query }: OrderPageProps) {
  const { answer, error, loading, reload } = useCall('ops.getOrder', { orderId }, 10_000);
  return (
    <Page
      title={`Order ${orderId}`}
      error={error}
      loading={loading}
      onReload={reload}
      actions={answer && <OrderChanges order={answer} onDone={reload} />}
    >
      {answer && (
        <SpaceBetween size="l">
          <Facts order={answer} />
          <Container header={<Header variant="h2">Profiles by state</Header>}>
            <StateCounts
              counts={answer.counts}
              hrefOfState={(state) => hrefOf(['orders', orderId], { ...query, state })}
            />
          </Container>
          <StatesChart order={answer} />
          <OrderProfiles order={answer} query={query} />
        </SpaceBetween>
      )}
    </Page>
  );
}

function Facts({ order }: { readonly order: Order }) {
  const {
    orderId,
    operator,
    profileType,
    state,
    quantity,
    prepared,
    createdAt,
    requesterDms,
    callbacks,
    reason,
    warnings = [],
  } = order;
  return (
    <SpaceBetween size="m">
      {reason !== undefined && <Alert type="error">{reason.message}</Alert>}
      {warnings.length > 0 && (
        <Alert type="warning" header={`${number(warnings.length)} to know about this order`}>
          <ul>
            {warnings.map(({ message }) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
        </Alert>
      )}
      <Container>
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Order', value: <Copy text={orderId} what="order" /> },
            { label: 'State', value: <State of={state} /> },
            { label: 'Operator', value: operator },
            { label: 'Profile type', value: profileType },
            { label: 'Taken', value: <When at={createdAt} /> },
            { label: 'Prepared', value: `${number(prepared)} of ${number(quantity)}` },
            { label: 'Device manufacturers', value: requesterDms.join(', ') },
            ...(callbacks === undefined
              ? []
              : [
                  { label: 'Callbacks waiting', value: number(callbacks.waiting) },
                  { label: 'Callbacks given up', value: number(callbacks.parked) },
                ]),
          ]}
        />
      </Container>
    </SpaceBetween>
  );
}

function OrderChanges({
  order: { orderId, state },
  onDone,
}: {
  readonly order: Order;
  readonly onDone: () => void;
}) {
  if (state !== 'Open') return null;
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Change
        label="Close order"
        typed={orderId}
        onDone={onDone}
        change={async () => {
          const { closed } = await call('ops.closeOrder', { orderId }, { confirmed: true });
          return `Order ${orderId} is closed: ${number(closed)} profiles that were not bound are closed with it.`;
        }}
      >
        What is not bound is closed, and its keys are destroyed. This cannot be taken back.
      </Change>
      <Change
        label="Cancel order"
        typed={orderId}
        onDone={onDone}
        change={async () => {
          const { cancelled } = await call('ops.cancelOrder', { orderId }, { confirmed: true });
          return `Order ${orderId} is cancelled: ${number(cancelled)} profiles are closed.`;
        }}
      >
        What is not installed is closed, and nothing more of the order is delivered. This cannot be taken
        back.
      </Change>
    </SpaceBetween>
  );
}
