import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { TableProps } from '@cloudscape-design/components/table';
import { type ReactNode, useState } from 'react';
import { type Answer, call, type Schemas } from '../api/client.ts';
import { useCall } from '../api/use-call.ts';
import { type OwnKey, signDecision } from '../approvals/own-key.ts';
import { OwnKeyField } from '../approvals/own-key-field.tsx';
import { ago, short } from '../format.ts';
import { Change } from '../parts/confirm.tsx';
import { Copy } from '../parts/copy.tsx';
import { List } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import { When } from '../parts/when.tsx';

type Approval = Schemas['ApprovalEntry'];
type Approvals = Answer<'ops.listApprovals'>;

const isOpen = ({ state }: Approval) => ['waiting', 'approved', 'begun'].includes(state);

/** What takes two administrators: what waits for the second one, what was agreed to, and what became of the rest. */
export function ApprovalsPage() {
  const { answer, error, loading, reload } = useCall('ops.listApprovals', {}, 10_000);
  const trust = useCall('ops.listTrust', {});
  const nameOf = (subject: string) =>
    trust.answer?.trust.find(({ certificate }) => certificate === subject)?.name;
  const open = answer?.approvals.filter(isOpen) ?? [];
  return (
    <Page
      title="Approvals"
      description={answer && policyText(answer)}
      error={error}
      loading={loading}
      onReload={reload}
    >
      <List
        title="Waiting"
        rows={open}
        keyOf={({ request }) => request}
        columns={[
          ...commonColumns(nameOf),
          {
            id: 'change',
            header: 'Change',
            minWidth: 200,
            cell: (approval) =>
              answer && <Decide approval={approval} list={answer} nameOf={nameOf} onDone={reload} />,
          },
        ]}
        empty="Nothing waits for a second administrator"
        loading={loading}
      />
      <List
        title="Over"
        rows={answer?.approvals.filter((one) => !isOpen(one)) ?? []}
        keyOf={({ request }) => request}
        columns={[
          ...commonColumns(nameOf),
          { id: 'doneBy', header: 'Done by', cell: ({ doneBy }) => doneBy ?? '–' },
        ]}
        empty="No request is over yet"
        loading={loading}
      />
    </Page>
  );
}

function policyText({ guarded, hours, administrators }: Approvals): string {
  if (guarded.length === 0)
    return 'No action takes two administrators here: smdpf approvals policy says which do.';
  const names = administrators.map(({ name }) => name).join(', ');
  return `Two of ${names} for ${guarded.join(', ')}; an approval holds for ${hours} hours.`;
}

type NameOf = (subject: string) => string | undefined;

const commonColumns = (nameOf: NameOf): TableProps.ColumnDefinition<Approval>[] => [
  {
    id: 'action',
    header: 'What',
    minWidth: 250,
    cell: ({ action, meaning, subject }) => (
      <>
        <strong>{action}</strong>
        {nameOf(subject) !== undefined && <div>{nameOf(subject)}</div>}
        <Copy text={subject} what="what it is of">
          <span className="mono" title={subject}>
            {short(subject, 20)}
          </span>
        </Copy>
        <Box color="text-body-secondary">{meaning}</Box>
      </>
    ),
    isRowHeader: true,
  },
  {
    id: 'state',
    header: 'State',
    minWidth: 130,
    cell: (one) => (
      <>
        <State of={one.state} />
        {isOpen(one) && (
          <Box color="text-body-secondary">
            until <When at={one.endsAt} /> ({ago(one.endsAt)})
          </Box>
        )}
      </>
    ),
  },
  {
    id: 'requestedBy',
    header: 'Asked by',
    cell: ({ requestedBy, requestedAt }) => (
      <>
        {requestedBy}
        <Box color="text-body-secondary">
          <When at={requestedAt} />
        </Box>
      </>
    ),
  },
  {
    id: 'approvedBy',
    header: 'Agreed by',
    cell: ({ approvedBy, approvedAt }) =>
      approvedBy === undefined ? (
        '–'
      ) : (
        <>
          {approvedBy}
          <Box color="text-body-secondary">
            <When at={approvedAt} />
          </Box>
        </>
      ),
  },
];

interface DecideProps {
  readonly approval: Approval;
  readonly list: Approvals;
  readonly nameOf: NameOf;
  readonly onDone: () => void;
}

/** What somebody may do about a request: agree or decline, and do it once another one has agreed. */
function Decide({ approval, list, nameOf, onDone }: DecideProps) {
  const { request, action, subject, state, meaning, requestedBy } = approval;
  const what = `${action} of ${nameOf(subject) ?? subject}`;
  const words = (
    <SpaceBetween size="xs">
      <div>
        {requestedBy} asks for <strong>{what}</strong>: {meaning}.
      </div>
      <Copy text={subject} what="what it is of">
        <span className="mono identifier">{subject}</span>
      </Copy>
    </SpaceBetween>
  );
  const send = (decision: 'approve' | 'withdraw', said: string) => async (own: OwnKey) => {
    const signed = await signDecision(own, {
      deployment: list.deployment,
      request,
      action,
      subject,
      decision,
    });
    await call('ops.signApproval', { decision: signed }, { confirmed: true });
    return `${own.name} ${said} ${what}.`;
  };
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {state === 'waiting' && (
        <Signed label="Approve" list={list} onDone={onDone} change={send('approve', 'has agreed to')}>
          {words}
        </Signed>
      )}
      {state !== 'waiting' && action === 'key.retire' && /^[0-9a-f]{64}$/.test(subject) && (
        <Signed
          label="Retire"
          list={list}
          onDone={onDone}
          typed={nameOf(subject)}
          change={async (own) => {
            const decision = 'begin';
            const begin = await signDecision(own, {
              deployment: list.deployment,
              request,
              action,
              subject,
              decision,
            });
            await call('ops.retireCertificate', { certificate: subject, begin }, { confirmed: true });
            return `${nameOf(subject) ?? subject} binds nothing any more.`;
          }}
        >
          {words}
        </Signed>
      )}
      {state !== 'waiting' && action !== 'key.retire' && (
        <Box>The one or the other runs the command again that asked for it.</Box>
      )}
      <Signed label="Decline" list={list} onDone={onDone} change={send('withdraw', 'has declined')}>
        {words}
      </Signed>
    </SpaceBetween>
  );
}

interface SignedProps {
  readonly label: string;
  readonly list: Approvals;
  readonly children: ReactNode;
  readonly typed?: string | undefined;
  readonly change: (own: OwnKey) => Promise<string>;
  readonly onDone: () => void;
}

/** A decision under a person's own key. */
function Signed({ label, list, children, typed, change, onDone }: SignedProps) {
  const [key, setKey] = useState<OwnKey>();
  return (
    <Change
      label={label}
      {...(typed !== undefined && { typed })}
      dialog={{ name: key?.name, ready: key !== undefined }}
      fields={<OwnKeyField administrators={list.administrators} opened={key} onOpen={setKey} />}
      change={() => change(key!)}
      onDone={() => {
        setKey(undefined);
        onDone();
      }}
    >
      {children}
    </Change>
  );
}
