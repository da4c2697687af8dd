import type { Handle } from 'pkcs11js';
import { type Bytes, wipe } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import type { Pkcs11Uri } from '../uri.ts';
import { type Cryptoki, ckr, ckrName, loadCryptoki } from './module.ts';
import type { TokenKey } from './objects.ts';
import { SessionPool } from './session-pool.ts';

export interface TokenOptions {
  readonly modulePath: string;
  /** Which slot holds the token: label, serial, slot-id, manufacturer, model; each one given must agree. */
  readonly selector: Pick<Pkcs11Uri, 'token' | 'serial' | 'slotId' | 'manufacturer' | 'model'>;
  /** Asked for at each login and wiped after it, so that no PIN stays in memory. */
  readonly pin: () => Promise<Bytes>;
  readonly sessions: number;
}

/** What is valid between a login and the loss of the token. */
export interface Connection {
  readonly cryptoki: Cryptoki;
  readonly slot: Handle;
  readonly sessions: SessionPool;
  /** Keys by URI: object handles do not outlive the connection. */
  readonly keys: Map<string, TokenKey>;
}

/** One token: found, logged in, and found again after it was lost. */
export class Token {
  readonly #options: TokenOptions;
  #connection: Promise<Connection> | undefined;
  /** A refused PIN is never tried again: three tries lock most tokens. */
  #pinRefused: Fault | undefined;

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  /**
   * Runs the operation in a session of its own. Where the token, its sessions or the login were lost, connects
   * anew and tries once more; a token that stays away is a retryable Fault.
   */
  async use<T>(operation: (connection: Connection, session: Handle) => Promise<T>): Promise<T> {
    try {
      return await this.#attempt(operation);
    } catch (error) {
      if (!isLost(error)) throw error;
    }
    try {
      return await this.#attempt(operation);
    } catch (error) {
      if (!isLost(error)) throw error;
      throw new Fault('keyProvider', `the token is out of reach: ${ckrName(error)}`, {
        cause: error,
        retryable: true,
      });
    }
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    connection?.sessions.close();
  }

  async #attempt<T>(operation: (connection: Connection, session: Handle) => Promise<T>): Promise<T> {
    this.#connection ??= this.#connect();
    const current = this.#connection;
    let connection: Connection;
    try {
      connection = await current;
    } catch (error) {
      if (this.#connection === current) this.#connection = undefined;
      throw error;
    }
    try {
      return await connection.sessions.use((session) => operation(connection, session));
    } catch (error) {
      if (isLost(error)) {
        if (this.#connection === current) this.#connection = undefined;
        connection.sessions.close();
      }
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    if (this.#pinRefused !== undefined) throw this.#pinRefused;
    const cryptoki = loadCryptoki(this.#options.modulePath);
    const slot = this.#findSlot(cryptoki);
    const { library, constants } = cryptoki;
    const open = () => library.C_OpenSession(slot, constants.CKF_SERIAL_SESSION);
    const sessions = new SessionPool(
      open,
      (session) => library.C_CloseSession(session),
      this.#options.sessions,
    );
    try {
      await sessions.use((session) => this.#login(cryptoki, session));
    } catch (error) {
      sessions.close();
      throw error;
    }
    return { cryptoki, slot, sessions, keys: new Map() };
  }

  #findSlot({ library }: Cryptoki): Handle {
    const { selector } = this.#options;
    const slots = library.C_GetSlotList(true).filter((slot) => {
      const info = tokenInfo(library, slot);
      if (info === undefined) return false;
      const agrees = (wanted: string | undefined, padded: string) =>
        wanted === undefined || wanted === padded.replace(/[ \0]+$/, '');
      return (
        agrees(selector.token, info.label) &&
        agrees(selector.serial, info.serialNumber) &&
        agrees(selector.manufacturer, info.manufacturerID) &&
        agrees(selector.model, info.model) &&
        (selector.slotId === undefined || selector.slotId === handleNumber(slot))
      );
    });
    if (slots.length > 1) throw new Fault('configuration', 'the pkcs11 URI fits several tokens');
    return (
      slots[0] ??
      notThere(`no token fits the pkcs11 URI (token ${selector.token ?? selector.serial ?? selector.slotId})`)
    );
  }

  async #login({ library, constants }: Cryptoki, session: Handle): Promise<void> {
    const pin = await this.#options.pin();
    try {
      // pkcs11js takes a string, which cannot be wiped; the octets it was made from can
      library.C_Login(session, constants.CKU_USER, Buffer.from(pin).toString('utf8'));
    } catch (cause) {
      const code = ckr(cause);
      if (code === constants.CKR_USER_ALREADY_LOGGED_IN) return;
      if (code !== undefined && PIN_REFUSED.has(code)) {
        this.#pinRefused = new Fault('configuration', `the token refuses the PIN: ${ckrName(cause)}`);
        throw this.#pinRefused;
      }
      throw cause;
    } finally {
      wipe(pin);
    }
  }
}

/** Undefined of a slot that cannot tell: its token was pulled just now, or it is another's that is broken. */
function tokenInfo(library: Cryptoki['library'], slot: Handle) {
  try {
    return library.C_GetTokenInfo(slot);
  } catch (error) {
    if (ckr(error) === undefined) throw error;
    return undefined;
  }
}

function notThere(message: string): never {
  throw new Fault('keyProvider', message, { retryable: true });
}

function handleNumber(handle: Handle): number {
  return Number(handle.length === 8 ? handle.readBigUInt64LE() : handle.readUInt32LE());
}

/** CKR_PIN_INCORRECT, _INVALID, _LEN_RANGE, _EXPIRED, _LOCKED (PKCS#11 v2.40 section 5.1). */
const PIN_REFUSED: ReadonlySet<number> = new Set([0xa0, 0xa1, 0xa2, 0xa3, 0xa4]);

/** Sessions, handles or the login are gone, or the token is. CKR_GENERAL_ERROR is not among them. */
const LOST: ReadonlySet<number> = new Set([
  0x03, // CKR_SLOT_ID_INVALID
  0x30, // CKR_DEVICE_ERROR
  0x32, // CKR_DEVICE_REMOVED
  0x60, // CKR_KEY_HANDLE_INVALID
  0x82, // CKR_OBJECT_HANDLE_INVALID
  0xb0, // CKR_SESSION_CLOSED
  0xb3, // CKR_SESSION_HANDLE_INVALID
  0xe0, // CKR_TOKEN_NOT_PRESENT
  0xe1, // CKR_TOKEN_NOT_RECOGNIZED
  0x101, // CKR_USER_NOT_LOGGED_IN
  0x190, // CKR_CRYPTOKI_NOT_INITIALIZED
]);

function isLost(error: unknown): boolean {
  const code = ckr(error);
  return code !== undefined && LOST.has(code);
}
