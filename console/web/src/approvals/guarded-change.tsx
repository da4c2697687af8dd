import Box from '@cloudscape-design/components/box';
import { type ReactNode, useState } from 'react';
import { type Answer, call, type Schemas } from '../api/client.ts';
import { time } from '../format.ts';
import { Change } from '../parts/confirm.tsx';
import { newRequest, type OwnKey, signDecision } from './own-key.ts';
import { OwnKeyField } from './own-key-field.tsx';

interface GuardedChangeProps {
  readonly label: string;
  readonly typed: string;
  readonly children: ReactNode;
  readonly action: Schemas['GuardedAction'];
  readonly subject: string;
  readonly list: Answer<'ops.listApprovals'> | undefined;
  /** Makes the change where one person is enough. */
  readonly change: () => Promise<string>;
  readonly onDone: () => void;
}

/** A change that may take two administrators: it is made at once where it does not, else asked for under the person's own key. */
export function GuardedChange({ list, action, subject, change, children, ...of }: GuardedChangeProps) {
  const [key, setKey] = useState<OwnKey>();
  if (list === undefined) return null;
  const open = list.approvals.find(
    (one) =>
      one.action === action &&
      one.subject === subject &&
      ['waiting', 'approved', 'begun'].includes(one.state),
  );
  if (open !== undefined)
    return (
      <a href="#/approvals">{open.state === 'waiting' ? 'waits for a second person' : 'was agreed to'}</a>
    );
  if (!list.guarded.includes(action))
    return (
      <Change {...of} change={change}>
        {children}
      </Change>
    );
  const ask = async () => {
    const decision = { deployment: list.deployment, request: newRequest(), action, subject } as const;
    const signed = await signDecision(key!, { ...decision, decision: 'request' });
    const { approval } = await call('ops.signApproval', { decision: signed }, { confirmed: true });
    return `${approval.requestedBy} has asked for it: another administrator agrees under Approvals, until ${time(approval.endsAt)}.`;
  };
  return (
    <Change
      {...of}
      dialog={{ confirm: 'Ask for a second person', name: key?.name, ready: key !== undefined }}
      change={ask}
      onDone={() => {
        setKey(undefined);
        of.onDone();
      }}
      fields={<OwnKeyField administrators={list.administrators} opened={key} onOpen={setKey} />}
    >
      {children}
      <Box padding={{ top: 's' }}>
        This takes two administrators. You ask for it now, and nothing changes until another one has agreed;
        an approval holds for {list.hours} hours.
      </Box>
    </Change>
  );
}
