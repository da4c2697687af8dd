import type { Handle } from 'pkcs11js';

/**
 * Sessions of one token. A session does one operation at a time, since C_SignInit and C_Sign belong together;
 * at most `size` are open, opened when first needed, and further operations wait their turn.
 */
export class SessionPool {
  readonly #open: () => Handle;
  readonly #dispose: (session: Handle) => void;
  readonly #size: number;
  readonly #idle: Handle[] = [];
  readonly #waiting: (() => void)[] = [];
  #opened = 0;
  #closed = false;

  constructor(open: () => Handle, dispose: (session: Handle) => void, size: number) {
    this.#open = open;
    this.#dispose = dispose;
    this.#size = size;
  }

  async use<T>(operation: (session: Handle) => Promise<T>): Promise<T> {
    while (this.#idle.length === 0 && this.#opened >= this.#size && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const session = this.#idle.pop() ?? this.#openOne();
    try {
      return await operation(session);
    } finally {
      this.#release(session);
    }
  }

  /** Idle sessions now, busy ones when their operation ends: the library may still be working in them. */
  close(): void {
    this.#closed = true;
    for (const session of this.#idle.splice(0)) this.#discard(session);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #openOne(): Handle {
    const session = this.#open();
    this.#opened += 1;
    return session;
  }

  #release(session: Handle): void {
    if (this.#closed) this.#discard(session);
    else this.#idle.push(session);
    this.#waiting.shift()?.();
  }

  #discard(session: Handle): void {
    this.#opened -= 1;
    try {
      this.#dispose(session);
    } catch {
      // the pool is closed because its sessions are gone, or are no longer wanted
    }
  }
}
