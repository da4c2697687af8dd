/** What the server tells of the session; see console/server/console.ts. */
export interface Methods {
  readonly link: boolean;
  readonly certificate: boolean;
  readonly oidc: boolean;
}

export interface Login {
  readonly person: string;
  readonly role: 'viewer' | 'administrator';
  readonly by: string;
}

export interface SessionState {
  readonly methods: Methods;
  readonly login?: Login;
  readonly csrf?: string;
  readonly endsAt?: string;
}

export async function readSession(): Promise<SessionState> {
  const response = await fetch('/session', { cache: 'no-store' });
  if (!response.ok) throw new Error('The server cannot be reached.');
  return (await response.json()) as SessionState;
}

/** The secret of a login link, which is taken out of the address before anything else sees it. */
export function takeLoginSecret(): string | undefined {
  const secret = /^#login=([\w-]+)$/.exec(location.hash)?.[1];
  if (secret !== undefined) history.replaceState(null, '', '#/');
  return secret;
}

const PLACE = 'smdpf-place';

/** Remembers the page that somebody wanted, who has to log in first. A place is a part of these pages and of no other. */
export function keepPlace(): void {
  if (/^#\/./.test(location.hash)) sessionStorage.setItem(PLACE, location.hash);
}

/** Goes to the page that was wanted before the login. */
export function takePlace(): void {
  const place = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  if (place !== null && /^(?:#\/?)?$/.test(location.hash)) location.replace(place);
}

/** Says why where it did not work. */
export async function logIn(by: 'link' | 'certificate', secret = ''): Promise<string | undefined> {
  const response = await fetch(`/session/${by}`, { method: 'POST', body: secret });
  if (response.ok) return undefined;
  const { error } = (await response.json().catch(() => ({}))) as { error?: string };
  return error ?? `the server answered ${response.status}`;
}

export async function logOut(csrf: string): Promise<void> {
  await fetch('/session/end', { method: 'POST', headers: { 'x-csrf-token': csrf } });
}
