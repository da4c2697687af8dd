import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { Methods } from './session.ts';

interface LoginPageProps {
  readonly methods: Methods;
  readonly problem: string | undefined;
  readonly onCertificate: () => void;
}

export function LoginPage({ methods, problem, onCertificate }: LoginPageProps) {
  return (
    <main className="login">
      <Container header={<Header variant="h1">SM-DPf console</Header>}>
        <SpaceBetween size="l">
          {problem !== undefined && <Alert type="warning">{problem}</Alert>}
          {methods.oidc && (
            <Button variant="primary" href="/session/oidc" fullWidth>
              Log in with your account
            </Button>
          )}
          {methods.certificate && (
            <Button onClick={onCertificate} fullWidth>
              Log in with a client certificate
            </Button>
          )}
          <Box color="text-body-secondary">
            Whoever starts the server gets a link that logs in once:{' '}
            <Box variant="code">smdpf serve --console</Box>
          </Box>
        </SpaceBetween>
      </Container>
    </main>
  );
}
