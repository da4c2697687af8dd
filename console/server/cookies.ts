/** With this prefix browsers take a cookie from this host alone, over TLS, for all of its paths (RFC 6265bis section 4.1.3.2). */
const PREFIX = '__Host-smdpf-';

/** Who is logged in. No other site's page can have it sent along. */
export const SESSION_COOKIE = `${PREFIX}session`;
/** A login that is on its way through the provider, which leads back from another site: Lax, and worth nothing by itself. */
export const LOGIN_COOKIE = `${PREFIX}login`;

export function setCookie(name: string, value: string, sameSite: 'Strict' | 'Lax'): string {
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=${sameSite}`;
}

export const clearCookie = (name: string): string => `${setCookie(name, '', 'Strict')}; Max-Age=0`;

/** The value of a cookie that we made; undefined where there is none, several, or another form. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}
