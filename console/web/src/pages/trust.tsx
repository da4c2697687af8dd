import Container from '@cloudscape-design/components/container';
import FileUpload from '@cloudscape-design/components/file-upload';
import Header from '@cloudscape-design/components/header';
import type { TableProps } from '@cloudscape-design/components/table';
import { useState } from 'react';
import { type Answer, call, type Schemas } from '../api/client.ts';
import { useCall, usePages } from '../api/use-call.ts';
import { GuardedChange } from '../approvals/guarded-change.tsx';
import { day, number, short } from '../format.ts';
import { Change } from '../parts/confirm.tsx';
import { Copy } from '../parts/copy.tsx';
import { fileTexts } from '../parts/file-texts.ts';
import { List } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import type { PageProps } from '../router.ts';
import { useMayChange } from '../session/context.ts';
import { ExpiryTimeline } from './expiry-timeline.tsx';
import { expiringColumns, KIND_WORDS } from './trust-columns.tsx';

type Trust = Schemas['TrustEntry'];
type KeysLeft = Schemas['KeysLeft'];

/** A hundred years: everything that ends at all. */
const DAYS = 36_500;

/** Whom this server trusts, what it signs with, and when each of them ends. */
export function TrustPage(_: PageProps) {
  const trust = useCall('ops.listTrust', {});
  const expiring = useCall('ops.listExpiring', { days: DAYS });
  const approvals = useCall('ops.listApprovals', {});
  const reload = () => {
    trust.reload();
    expiring.reload();
    approvals.reload();
  };
  const ends = expiring.answer?.expiring ?? [];
  return (
    <Page
      title="Trust and keys"
      error={trust.error ?? expiring.error}
      loading={trust.loading || expiring.loading}
      onReload={reload}
    >
      <Container header={<Header variant="h2">What ends when</Header>}>
        <ExpiryTimeline ends={ends} />
      </Container>
      <List
        title="Ends within 90 days"
        rows={ends.filter(({ daysLeft }) => daysLeft <= 90)}
        keyOf={({ kind, name }) => `${kind} ${name}`}
        columns={expiringColumns}
        empty="Nothing ends within 90 days"
        loading={expiring.loading}
      />
      <List
        title="Certificates, lists and keys"
        rows={trust.answer?.trust ?? []}
        keyOf={({ kind, id, certificate }) => `${kind} ${id} ${certificate ?? ''}`}
        columns={trustColumns(approvals.answer, reload)}
        empty="Nothing is trusted yet: smdpf trust"
        loading={trust.loading}
      />
      <BringList onDone={reload} />
      <KeysLeftList />
    </Page>
  );
}

const trustColumns = (
  approvals: Answer<'ops.listApprovals'> | undefined,
  onDone: () => void,
): TableProps.ColumnDefinition<Trust>[] => [
  { id: 'kind', header: 'Kind', cell: ({ kind }) => KIND_WORDS[kind] ?? kind },
  { id: 'name', header: 'Name', cell: ({ name }) => name, isRowHeader: true, minWidth: 190 },
  {
    id: 'id',
    header: 'Identifier',
    cell: ({ id }) => (
      <Copy text={id} what="identifier">
        <span className="mono" title={id}>
          {short(id, 12)}
        </span>
      </Copy>
    ),
  },
  { id: 'state', header: 'State', cell: ({ state }) => <State of={state} />, minWidth: 150 },
  {
    id: 'validity',
    header: 'Valid',
    minWidth: 150,
    cell: ({ notBefore, notAfter }) =>
      notAfter === undefined
        ? '–'
        : notBefore === undefined
          ? `until ${day(notAfter)}`
          : `${day(notBefore)} until ${day(notAfter)}`,
  },
  {
    id: 'change',
    header: 'Change',
    cell: (entry) => <Retire entry={entry} approvals={approvals} onDone={onDone} />,
  },
];

function Retire({
  entry: { kind, certificate, name, state },
  approvals,
  onDone,
}: {
  readonly entry: Trust;
  readonly approvals: Answer<'ops.listApprovals'> | undefined;
  readonly onDone: () => void;
}) {
  if (kind !== 'dppb' || certificate === undefined || state === 'retired') return '–';
  return (
    <GuardedChange
      label="Retire"
      typed={name}
      action="key.retire"
      subject={certificate}
      list={approvals}
      onDone={onDone}
      change={async () => {
        await call('ops.retireCertificate', { certificate }, { confirmed: true });
        return `${name} binds nothing any more.`;
      }}
    >
      Nothing is bound under this certificate any more. Results that were bound under it are still verified.
      This cannot be taken back.
    </GuardedChange>
  );
}

/** Takes in a revocation list that its distribution point did not give. */
function BringList({ onDone }: { readonly onDone: () => void }) {
  const mayChange = useMayChange();
  const [files, setFiles] = useState<readonly File[]>([]);
  if (!mayChange) return null;
  const [file] = files;
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <Change
              label="Bring list"
              disabled={file === undefined}
              onDone={() => {
                setFiles([]);
                onDone();
              }}
              change={async () => {
                const crl = base64Of(await derOf(file!));
                const taken = await call('admin.addCrl', { crl }, { confirmed: true });
                return taken.isNew
                  ? `List ${taken.number} is taken: it revokes ${number(taken.revoked)} certificates.`
                  : `List ${taken.number} was here already.`;
              }}
            >
              {file?.name} is taken in, if its issuer has signed it. What it revokes is refused from then on.
            </Change>
          }
        >
          Bring a revocation list
        </Header>
      }
    >
      <FileUpload
        value={[...files]}
        onChange={({ detail }) => setFiles(detail.value)}
        i18nStrings={fileTexts('Choose a file', 'Drop a list here', 'Remove the file')}
        constraintText="A CRL (RFC 5280) in DER or PEM"
        showFileSize
        ariaRequired={false}
      />
    </Container>
  );
}

async function derOf(file: File): Promise<Uint8Array> {
  const octets = new Uint8Array(await file.arrayBuffer());
  const [, pem] = /-----BEGIN X509 CRL-----([\s\S]+?)-----END/.exec(new TextDecoder().decode(octets)) ?? [];
  return pem === undefined
    ? octets
    : Uint8Array.from(atob(pem.replace(/\s/g, '')), (char) => char.charCodeAt(0));
}

function base64Of(octets: Uint8Array): string {
  let binary = '';
  for (const octet of octets) binary += String.fromCharCode(octet);
  return btoa(binary);
}

const KEYS_LEFT: TableProps.ColumnDefinition<KeysLeft>[] = [
  {
    id: 'deviceManufacturers',
    header: 'Device manufacturers',
    cell: ({ deviceManufacturers }) => deviceManufacturers.join(', '),
    isRowHeader: true,
  },
  { id: 'ein', header: 'EUM (EIN)', cell: ({ ein }) => ein },
  { id: 'left', header: 'Left', cell: ({ left }) => number(left) },
  { id: 'registered', header: 'Registered', cell: ({ registered }) => number(registered) },
  { id: 'bound', header: 'Bound', cell: ({ bound }) => number(bound) },
  { id: 'closed', header: 'Closed', cell: ({ closed }) => number(closed) },
];

function KeysLeftList() {
  const { entries, more, loading, loadMore } = usePages('ops.listKeysLeft', {}, ({ keysLeft }) => keysLeft);
  return (
    <List
      title="One-time keys left"
      rows={entries}
      keyOf={({ ein, deviceManufacturers }) => `${ein} ${deviceManufacturers.join()}`}
      columns={KEYS_LEFT}
      empty="No one-time key is registered: EUMs send them with their eUICC data, esed1.registerEuiccData"
      loading={loading}
      onMore={more ? loadMore : undefined}
    />
  );
}
