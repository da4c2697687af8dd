import Button from '@cloudscape-design/components/button';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useEffect } from 'react';
import { Problem } from './problem.tsx';

interface PageProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  readonly error?: Error | undefined;
  readonly loading?: boolean;
  readonly onReload?: () => void;
  readonly children: ReactNode;
}

export function Page({ title, description, actions, error, loading = false, onReload, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} – SM-DPf console`;
  }, [title]);
  const buttons = (
    <SpaceBetween direction="horizontal" size="xs">
      {onReload && <Button iconName="refresh" ariaLabel="Refresh" loading={loading} onClick={onReload} />}
      {actions}
    </SpaceBetween>
  );
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={description} actions={buttons}>
          {title}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Problem error={error} {...(onReload !== undefined && { onRetry: onReload })} />
        {children}
      </SpaceBetween>
    </ContentLayout>
  );
}
