import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { CallError } from '../api/client.ts';
import { Copy } from './copy.tsx';

/** What went wrong, and another try. */
export function Problem({
  error,
  onRetry,
}: {
  readonly error: Error | undefined;
  readonly onRetry?: () => void;
}) {
  if (error === undefined) return null;
  const { codes, callId, wayOut }: Partial<CallError> = error instanceof CallError ? error : {};
  return (
    <Alert type="error" action={onRetry && <Button onClick={onRetry}>Try again</Button>}>
      {error.message}
      {codes !== undefined && ` (${codes})`}
      {wayOut !== undefined && <div>{wayOut}</div>}
      {callId !== undefined && (
        <div>
          Call <Copy text={callId} what="the call" />
        </div>
      )}
    </Alert>
  );
}
