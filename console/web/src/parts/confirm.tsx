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
  /** Makes the change, and says what came of it. */
  readonly change: () => Promise<string>;
  readonly onDone?: () => void;
}

/** A button for a change: asks first, says under whose name it is written down, and shows what came of it. */
export function Change({ label, children, typed, disabled = false, change, onDone }: ChangeProps) {
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
          label={label}
          typed={typed}
          change={change}
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

interface DialogProps {
  readonly label: string;
  readonly children: ReactNode;
  readonly typed: string | undefined;
  readonly change: () => Promise<string>;
  readonly onClose: (done: boolean) => void;
}

function ConfirmDialog({ label, children, typed, change, onClose }: DialogProps) {
  const { person } = useLogin();
  const notices = useNotices();
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const ready = !busy && (typed === undefined || text.trim() === typed);
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
          {label}
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
        <Box color="text-body-secondary">The audit log has this under the name {person}.</Box>
        <Problem error={error} />
      </SpaceBetween>
    </Modal>
  );
}
