import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { CallError } from '../api/client.ts';

/** What went wrong, and another try. */
export function Problem({
  error,
  onRetry,
}: {
  readonly error: Error | undefined;
  readonly onRetry?: () => void;
}) {
  if (error === undefined) return null;
  const codes = error instanceof CallError ? error.codes : undefined;
  return (
    <Alert type="error" action={onRetry && <Button onClick={onRetry}>Try again</Button>}>
      {error.message}
      {codes !== undefined && ` (${codes})`}
    </Alert>
  );
}
