import type { Login } from './login.ts';
import { digest, newSecret } from './secrets.ts';

const MINUTE_MS = 60_000;

/** Milliseconds. */
export interface SessionLives {
  /** Without a request. */
  readonly idleMs: number;
  /** In all, whatever happens. */
  readonly absoluteMs: number;
  /** After which the cookie's value is replaced. */
  readonly rotateMs: number;
}

export const SESSION_LIVES: SessionLives = {
  idleMs: 30 * MINUTE_MS,
  absoluteMs: 12 * 60 * MINUTE_MS,
  rotateMs: 15 * MINUTE_MS,
};

/** Requests that were under way when the value changed still come with the one before. */
const OVERLAP_MS = 30_000;
/** More are not kept; the one that was idle longest goes. */
const LIMIT = 1_000;

export interface Session {
  readonly login: Login;
  /** What each change has to carry beside the cookie: no other page can read it. */
  readonly csrf: string;
  /** Milliseconds since 1970. */
  readonly endsAtMs: number;
}

interface Kept extends Session {
  /** Digests of the cookie's value, and of the one before until `formerUntilMs`. */
  current: string;
  former?: { readonly digest: string; readonly untilMs: number };
  rotatedAtMs: number;
  seenAtMs: number;
}

/** Sessions of the console, in memory: a restart of the server ends them all. Tokens are kept as digests. */
export class Sessions {
  readonly #lives: SessionLives;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();

  /** `now` in milliseconds since 1970. */
  constructor(now: () => number, lives: SessionLives = SESSION_LIVES) {
    this.#now = now;
    this.#lives = lives;
  }

  /** A new session, always under a new token: what a browser had before a login is worth nothing after it. */
  open(login: Login): { readonly token: string; readonly session: Session } {
    const now = this.#now();
    const token = newSecret();
    const kept: Kept = {
      login,
      csrf: newSecret(),
      endsAtMs: now + this.#lives.absoluteMs,
      current: digest(token),
      rotatedAtMs: now,
      seenAtMs: now,
    };
    this.#sweep();
    this.#kept.set(kept.current, kept);
    return { token, session: kept };
  }

  /** The session of a token, and the token that takes its place when it is time for another. */
  use(token: string | undefined): { readonly session: Session; readonly renewed?: string } | undefined {
    const found = this.#find(token);
    if (found === undefined) return undefined;
    const now = this.#now();
    found.seenAtMs = now;
    const isFormer = found.former?.digest === digest(token!);
    if (isFormer || now - found.rotatedAtMs < this.#lives.rotateMs) return { session: found };
    const renewed = newSecret();
    if (found.former !== undefined) this.#kept.delete(found.former.digest);
    found.former = { digest: found.current, untilMs: now + OVERLAP_MS };
    found.current = digest(renewed);
    found.rotatedAtMs = now;
    this.#kept.set(found.current, found);
    return { session: found, renewed };
  }

  /** Ends the session of a token, under whatever token it is known. */
  end(token: string | undefined): Session | undefined {
    const found = this.#find(token);
    if (found !== undefined) this.#forget(found);
    return found;
  }

  #find(token: string | undefined): Kept | undefined {
    if (token === undefined) return undefined;
    const key = digest(token);
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const now = this.#now();
    if (now >= kept.endsAtMs || now - kept.seenAtMs >= this.#lives.idleMs) {
      this.#forget(kept);
      return undefined;
    }
    if (kept.former?.digest === key && now >= kept.former.untilMs) return undefined;
    return kept;
  }

  #forget(kept: Kept): void {
    this.#kept.delete(kept.current);
    if (kept.former !== undefined) this.#kept.delete(kept.former.digest);
  }

  /** What is over goes when somebody logs in; so does the session idle longest where there are too many. */
  #sweep(): void {
    const now = this.#now();
    const all = [...new Set(this.#kept.values())];
    for (const kept of all)
      if (now >= kept.endsAtMs || now - kept.seenAtMs >= this.#lives.idleMs) this.#forget(kept);
    if (all.length < LIMIT) return;
    const oldest = all.reduce((a, b) => (a.seenAtMs <= b.seenAtMs ? a : b));
    this.#forget(oldest);
  }
}
