import type { Login } from './login.ts';
import { digest, newSecret } from './secrets.ts';

/** Time to open it; whoever starts the server is at the screen. */
const LIFE_MS = 60 * 60_000;

/** Links that log in once. The secret stands behind the `#`, which browsers send to nobody and no log has. */
export class LoginLinks {
  readonly #now: () => number;
  readonly #open = new Map<string, { readonly login: Login; readonly untilMs: number }>();

  /** `now` in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The part of a link after the console's address. */
  make({ person, role }: Pick<Login, 'person' | 'role'>): string {
    const secret = newSecret();
    const login: Login = { person, role, by: 'link' };
    this.#open.set(digest(secret), { login, untilMs: this.#now() + LIFE_MS });
    return `/#login=${secret}`;
  }

  /** Who a secret lets in, once. */
  take(secret: string): Login | undefined {
    const key = digest(secret);
    const found = this.#open.get(key);
    this.#open.delete(key);
    return found !== undefined && this.#now() < found.untilMs ? found.login : undefined;
  }
}
