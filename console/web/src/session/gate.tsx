import { useCallback, useEffect, useState } from 'react';
import { setPass } from '../api/client.ts';
import { App } from '../app.tsx';
import { LoginContext } from './context.ts';
import { LoginPage } from './login-page.tsx';
import { keepPlace, logIn, readSession, type SessionState, takeLoginSecret, takePlace } from './session.ts';

/** The pages for whoever is logged in, and a way in for everybody else. */
export function Gate() {
  const [state, setState] = useState<SessionState>();
  const [problem, setProblem] = useState<string>();

  const look = useCallback(async () => {
    try {
      const session = await readSession();
      setPass({
        headers: () => ({ 'x-csrf-token': session.csrf ?? '' }),
        onEnd: () => {
          keepPlace();
          setProblem('The session is over. Please log in again.');
          setState({ methods: session.methods });
        },
      });
      if (session.login === undefined) keepPlace();
      else takePlace();
      setState(session);
    } catch (error) {
      setProblem((error as Error).message);
      setState({ methods: { link: true, certificate: false, oidc: false } });
    }
  }, []);

  const open = useCallback(
    async (by: 'link' | 'certificate', secret?: string) => {
      setProblem(await logIn(by, secret));
      await look();
    },
    [look],
  );

  useEffect(() => {
    const followLink = () => {
      const secret = takeLoginSecret();
      if (secret !== undefined) void open('link', secret);
      return secret !== undefined;
    };
    addEventListener('hashchange', followLink);
    if (location.hash === '#login-refused') {
      setProblem(
        'The provider let nobody in: its answer did not fit, or it gives you no role in the console.',
      );
      history.replaceState(null, '', '#/');
    }
    if (!followLink()) void look();
    return () => removeEventListener('hashchange', followLink);
  }, [look, open]);

  if (state === undefined) return null;
  if (state.login === undefined)
    return (
      <LoginPage methods={state.methods} problem={problem} onCertificate={() => void open('certificate')} />
    );
  return (
    <LoginContext value={state.login}>
      <App csrf={state.csrf ?? ''} endsAt={state.endsAt ?? ''} onLoggedOut={look} />
    </LoginContext>
  );
}
