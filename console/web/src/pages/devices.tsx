import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { TableProps } from '@cloudscape-design/components/table';
import { useState } from 'react';
import { type Answer, call, type Schemas } from '../api/client.ts';
import { REPLACEABLE } from '../api/states.ts';
import { useCall } from '../api/use-call.ts';
import { day, grouped, number } from '../format.ts';
import { Change } from '../parts/confirm.tsx';
import { Copy } from '../parts/copy.tsx';
import { List, Mono } from '../parts/list.tsx';
import { DeviceLink, JobLink, OrderLink, ProfileLink } from '../parts/named-links.tsx';
import { Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import { When } from '../parts/when.tsx';
import type { PageProps } from '../router.ts';
import { goTo, hrefOf } from '../router.ts';

type HistoryEntry = Schemas['HistoryEntry'];
type Profile = Schemas['FoundProfile'];
type DeviceKey = Schemas['DeviceKey'];

/** A device by its EID, or a profile by its ICCID: the whole history. */
export function DevicesPage({ place }: PageProps) {
  const [, id] = place.path;
  if (id === undefined) return <Ask />;
  return /^\d{32}$/.test(id) ? <Device eid={id} /> : <OneProfile iccid={id} />;
}

function Ask() {
  const [text, setText] = useState('');
  const digits = text.replace(/\s/g, '');
  const right = /^(?:\d{18,20}|\d{32})$/.test(digits);
  return (
    <Page title="Devices" description="The whole history of a device or a profile">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (right) goTo(hrefOf(['devices', digits]));
        }}
      >
        <Form actions={<Button formAction="submit">Show</Button>}>
          <Container>
            <FormField
              label="EID or ICCID"
              description="32 digits of an eUICC, or 19 or 20 of a profile"
              errorText={text === '' || right ? undefined : `That is ${digits.length} digits`}
            >
              <Input value={text} onChange={({ detail }) => setText(detail.value)} inputMode="numeric" />
            </FormField>
          </Container>
        </Form>
      </form>
    </Page>
  );
}

const HISTORY: TableProps.ColumnDefinition<HistoryEntry>[] = [
  { id: 'at', header: 'At', cell: ({ at }) => <When at={at} />, minWidth: 190 },
  {
    id: 'event',
    header: 'What',
    cell: ({ event }) => <State of={event} />,
    isRowHeader: true,
    minWidth: 130,
  },
  { id: 'detail', header: 'Cause', cell: ({ detail }) => detail ?? '–' },
  { id: 'iccid', header: 'ICCID', cell: ({ iccid }) => <ProfileLink iccid={iccid} /> },
  { id: 'eid', header: 'EID', cell: ({ eid }) => <DeviceLink eid={eid} /> },
  {
    id: 'order',
    header: 'Order',
    cell: ({ orderId }) => (orderId === undefined ? '–' : <OrderLink id={orderId} />),
  },
  {
    id: 'transaction',
    header: 'Transaction',
    cell: ({ transactionId }) => <Mono>{transactionId ?? '–'}</Mono>,
  },
];

const History = ({ entries }: { readonly entries: readonly HistoryEntry[] }) => (
  <List
    title="History"
    rows={entries}
    keyOf={({ at, event, iccid }) => `${at} ${event} ${iccid}`}
    columns={HISTORY}
    empty="Nothing has happened yet"
  />
);

const PROFILES: TableProps.ColumnDefinition<Profile>[] = [
  { id: 'iccid', header: 'ICCID', cell: ({ iccid }) => <ProfileLink iccid={iccid} />, isRowHeader: true },
  { id: 'state', header: 'State', cell: ({ state }) => <State of={state} />, minWidth: 130 },
  { id: 'order', header: 'Order', cell: ({ orderId }) => <OrderLink id={orderId} /> },
  { id: 'detail', header: 'Detail', cell: ({ detail }) => detail ?? '–' },
];

const KEYS: TableProps.ColumnDefinition<DeviceKey>[] = [
  { id: 'keyId', header: 'One-time key', cell: ({ keyId }) => <Mono>{keyId}</Mono>, isRowHeader: true },
  { id: 'state', header: 'State', cell: ({ state }) => <State of={state} />, minWidth: 130 },
  {
    id: 'transaction',
    header: 'Transaction',
    cell: ({ transactionId }) => <Mono>{transactionId ?? '–'}</Mono>,
  },
];

function Device({ eid }: { readonly eid: string }) {
  const { answer, error, loading, reload } = useCall('ops.findDevice', { eid });
  return (
    <Page title={`Device ${grouped(eid)}`} error={error} loading={loading} onReload={reload}>
      {answer && (
        <SpaceBetween size="l">
          <Facts device={answer} />
          <List
            title="Profiles"
            rows={answer.profiles}
            keyOf={({ iccid }) => iccid}
            columns={PROFILES}
            empty="No profile was bound to this device"
          />
          <List
            title="One-time keys"
            rows={answer.keys}
            keyOf={({ keyId }) => keyId}
            columns={KEYS}
            empty="None"
          />
          <History entries={answer.history} />
        </SpaceBetween>
      )}
    </Page>
  );
}

const Facts = ({ device }: { readonly device: Answer<'ops.findDevice'> }) => (
  <Container header={<Header variant="h2">eUICC</Header>}>
    <KeyValuePairs
      columns={4}
      items={[
        { label: 'EID', value: <Copy text={device.eid} what="EID" /> },
        { label: 'EUM (EIN)', value: device.ein },
        { label: 'Suite', value: device.suite },
        { label: 'CI', value: <Mono>{device.ciPkId}</Mono> },
        { label: 'Certificate ends', value: day(device.notAfter) },
        { label: 'Revoked', value: device.revokedAt === undefined ? 'no' : <When at={device.revokedAt} /> },
        { label: 'Device manufacturers', value: device.deviceManufacturers.join(', ') },
        {
          label: 'One-time keys free',
          value: number(device.keys.filter(({ state }) => state === 'free').length),
        },
      ]}
    />
  </Container>
);

function OneProfile({ iccid }: { readonly iccid: string }) {
  const { answer, error, loading, reload } = useCall('ops.findProfile', { iccid });
  return (
    <Page
      title={`Profile ${grouped(iccid)}`}
      error={error}
      loading={loading}
      onReload={reload}
      actions={answer && <ProfileChanges profile={answer} onDone={reload} />}
    >
      {answer && (
        <SpaceBetween size="l">
          <Container>
            <KeyValuePairs
              columns={4}
              items={[
                { label: 'ICCID', value: <Copy text={iccid} what="ICCID" /> },
                { label: 'State', value: <State of={answer.state} /> },
                { label: 'EID', value: <DeviceLink eid={answer.eid} /> },
                { label: 'Order', value: <OrderLink id={answer.orderId} /> },
                { label: 'Position', value: number(answer.position) },
                { label: 'Transaction', value: <Copy text={answer.transactionId} what="transaction" /> },
                { label: 'Request', value: answer.jobId === undefined ? '–' : <JobLink id={answer.jobId} /> },
                { label: 'Device manufacturer', value: answer.party ?? '–' },
                { label: 'Detail', value: answer.detail ?? '–' },
              ]}
            />
          </Container>
          <History entries={answer.history} />
        </SpaceBetween>
      )}
    </Page>
  );
}

function ProfileChanges({ profile, onDone }: { readonly profile: Profile; readonly onDone: () => void }) {
  const { orderId, iccid, state } = profile;
  if (REPLACEABLE.includes(state))
    return (
      <Change
        label="Replace profile"
        onDone={onDone}
        change={async () => {
          const { eid } = await call('ops.replaceProfile', { orderId, iccid }, { confirmed: true });
          return `The device ${eid} gets another profile with its next request.`;
        }}
      >
        Another profile of the order is set aside for this device. The ICCID <Box variant="code">{iccid}</Box>{' '}
        stays bound to it for good.
      </Change>
    );
  if (state !== 'Available' && state !== 'Bound') return null;
  return (
    <Change
      label="Cancel profile"
      typed={iccid}
      onDone={onDone}
      change={async () => {
        await call('ops.cancelOrder', { orderId, iccid }, { confirmed: true });
        return `Profile ${iccid} is cancelled.`;
      }}
    >
      The profile is closed and will never be delivered. This cannot be taken back.
    </Change>
  );
}
