import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';
import { useLogin, useMayChange } from '../session/context.ts';
import { useNotices } from './notices.tsx';
import { Problem } from './problem.tsx';

interface ChangeProps {
  /** On the button, and what is confirmed: `Close order`. */
  readonly label: string;
  /** What happens, and what cannot be taken back. */
  readonly children: ReactNode;
  /** Typed by whoever confirms, where the change cannot be taken back. */
  readonly typed?: string;
  readonly disabled?: boolean;
  /** What else is asked for before the change. */
  readonly fields?: ReactNode;
  readonly dialog?: DialogTerms;
  /** Makes the change, and says what came of it. */
  readonly change: () => Promise<string>;
  readonly onDone?: () => void;
}

/** Of a change under a person's own key. */
interface DialogTerms {
  /** On the button that confirms, where it is another word than `label`. */
  readonly confirm?: string;
  /** Under which name the audit log will have it; the login's unless given. */
  readonly name?: string | undefined;
  /** What else was asked for is there. */
  readonly ready: boolean;
}

/** A button for a change: asks first, says under whose name it is written down, and shows what came of it. */
export function Change({ label, children, disabled = false, onDone, ...dialog }: ChangeProps) {
  const mayChange = useMayChange();
  const [open, setOpen] = useState(false);
  if (!mayChange) return null;
  return (
    <>
      <Button disabled={disabled} onClick={() => setOpen(true)}>
        {label}
      </Button>
      {open && (
        <ConfirmDialog
          {...dialog}
          label={label}
          onClose={(done) => {
            setOpen(false);
            if (done) onDone?.();
          }}
        >
          {children}
        </ConfirmDialog>
      )}
    </>
  );
}

interface DialogProps extends Omit<ChangeProps, 'disabled' | 'onDone'> {
  readonly onClose: (done: boolean) => void;
}

function ConfirmDialog({ label, children, typed, fields, dialog, change, onClose }: DialogProps) {
  const { person } = useLogin();
  const notices = useNotices();
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const ready = !busy && dialog?.ready !== false && (typed === undefined || text.trim() === typed);
  const confirm = async () => {
    if (!ready) return;
    setBusy(true);
    try {
      notices.tell(await change());
      onClose(true);
    } catch (problem) {
      setError(problem as Error);
      setBusy(false);
    }
  };
  const buttons = (
    <Box float="right">
      <SpaceBetween direction="horizontal" size="xs">
        <Button variant="link" onClick={() => onClose(false)}>
          Leave as it is
        </Button>
        <Button variant="primary" loading={busy} disabled={!ready} onClick={() => void confirm()}>
          {dialog?.confirm ?? label}
        </Button>
      </SpaceBetween>
    </Box>
  );
  return (
    <Modal
      visible
      header={`${label}?`}
      closeAriaLabel="Close"
      footer={buttons}
      onDismiss={() => onClose(false)}
    >
      <SpaceBetween size="m">
        <div>{children}</div>
        {typed !== undefined && (
          <FormField label={`To confirm, type ${typed}`}>
            <Input
              value={text}
              onChange={({ detail }) => setText(detail.value)}
              onKeyDown={({ detail }) => detail.key === 'Enter' && void confirm()}
              autoFocus
            />
          </FormField>
        )}
        {fields}
        <Box color="text-body-secondary">The audit log has this under the name {dialog?.name ?? person}.</Box>
        <Problem error={error} />
      </SpaceBetween>
    </Modal>
  );
}
