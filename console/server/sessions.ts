import { number, object, oneOf, optional, type TypeOf, text } from '../../shared/service/records/schema.ts';
import { CONSOLE_ROLES, LOGIN_WAYS, type Login } from './login.ts';
import { digest, newSecret } from './secrets.ts';
import { type ConsoleStore, readStored } from './store.ts';

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
/** A use is written down no more often. */
const SEEN_MS = MINUTE_MS;
/** Characters of a token that name its session and stay when the rest is replaced: 96 bits; the rest are 162. */
const NAME = 16;

export interface Session {
  readonly login: Login;
  /** What each change has to carry beside the cookie: no other page can read it. */
  readonly csrf: string;
  /** Milliseconds since 1970. */
  readonly endsAtMs: number;
}

/** A session as it is stored, in JSON. */
const keptSession = object({
  login: object({ person: text, role: oneOf(...CONSOLE_ROLES), by: oneOf(...LOGIN_WAYS) }),
  csrf: text,
  endsAtMs: number,
  /** Digests of the cookie's value, and of the one before until `untilMs`. */
  current: text,
  former: optional(object({ digest: text, untilMs: number })),
  rotatedAtMs: number,
  seenAtMs: number,
});

type Kept = TypeOf<typeof keptSession>;

interface Found {
  readonly name: string;
  readonly stored: string;
  readonly kept: Kept;
}

/** Sessions of the console. Tokens are kept as digests. */
export class Sessions {
  readonly #lives: SessionLives;
  readonly #store: ConsoleStore;
  readonly #now: () => number;

  /** `now` in milliseconds since 1970. */
  constructor(store: ConsoleStore, now: () => number, lives: SessionLives = SESSION_LIVES) {
    this.#store = store;
    this.#now = now;
    this.#lives = lives;
  }

  /** A new session, always under a new token: what a browser had before a login is worth nothing after it. */
  async open(login: Login): Promise<{ readonly token: string; readonly session: Session }> {
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
    await this.#keep(nameOf(token), kept);
    return { token, session: kept };
  }

  /** The session of a token, and the token that takes its place when it is time for another. */
  async use(
    token: string | undefined,
  ): Promise<{ readonly session: Session; readonly renewed?: string } | undefined> {
    const found = await this.#find(token);
    if (found === undefined || token === undefined) return undefined;
    const { kept, name, stored } = found;
    const now = this.#now();
    const isFormer = kept.former?.digest === digest(token);
    if (isFormer || now - kept.rotatedAtMs < this.#lives.rotateMs) {
      if (now - kept.seenAtMs >= SEEN_MS) await this.#keep(name, { ...kept, seenAtMs: now }, stored);
      return { session: kept };
    }
    const renewed = `${token.slice(0, NAME)}${newSecret().slice(NAME)}`;
    const former = { digest: kept.current, untilMs: now + OVERLAP_MS };
    const rotated = { ...kept, current: digest(renewed), former, rotatedAtMs: now, seenAtMs: now };
    // where another request has replaced it at the same moment, its answer has the new one
    const isOurs = await this.#keep(name, rotated, stored);
    return isOurs ? { session: kept, renewed } : { session: kept };
  }

  /** Ends the session of a token, under whatever token it is known. */
  async end(token: string | undefined): Promise<Session | undefined> {
    const found = await this.#find(token);
    if (found === undefined) return undefined;
    await this.#store.take(found.name);
    return found.kept;
  }

  /** A session that nobody uses leaves the store by itself. */
  #keep(name: string, kept: Kept, before?: string): Promise<boolean> {
    const untilMs = Math.min(kept.endsAtMs, kept.seenAtMs + this.#lives.idleMs);
    return this.#store.put(name, JSON.stringify(kept), untilMs, before);
  }

  async #find(token: string | undefined): Promise<Found | undefined> {
    if (token === undefined) return undefined;
    const name = nameOf(token);
    const stored = await this.#store.get(name);
    if (stored === undefined) return undefined;
    const kept = readStored(keptSession, stored);
    const key = digest(token);
    const isFormer = kept.former?.digest === key && this.#now() < kept.former.untilMs;
    return kept.current === key || isFormer ? { name, stored, kept } : undefined;
  }
}

const nameOf = (token: string): string => `session ${digest(token.slice(0, NAME))}`;
