import { STATUS_CODES, type StatusName } from './status-codes.ts';

/**
 * The one error family of the server.
 *
 * - `Refusal`: what somebody else gave us is not acceptable. It carries a GSMA subject and reason code and a
 *   message that is safe to send back: never a secret, never a stack.
 * - `Fault`: something of ours failed (storage, key provider, a broken rule of our own). The caller learns only
 *   that the service failed; the message is for the operator's log.
 */
export abstract class SmdpfError extends Error {
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * What is wrong with octets that cannot be read: they end too early, are of another kind than belongs there, or break a rule
 * of the kind that they are.
 */
export type Defect = 'cutOff' | 'otherKind' | 'rule';

export interface RefusalDetails {
  /** What the refusal is about: an EID, an ICCID, an order, a tag path … never secret material. */
  readonly subjectIdentifier?: string;
  /** Where in the received bytes, counted from their first octet. */
  readonly offset?: number;
  readonly defect?: Defect;
  /** After how many seconds the same call may succeed. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

export class Refusal extends SmdpfError {
  readonly code: StatusName;
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly subjectIdentifier: string | undefined;
  readonly offset: number | undefined;
  readonly defect: Defect | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: StatusName, message: string, details: RefusalDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.subjectCode = STATUS_CODES[code].subject;
    this.reasonCode = STATUS_CODES[code].reason;
    this.subjectIdentifier = details.subjectIdentifier;
    this.offset = details.offset;
    this.defect = details.defect;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

export type FaultCode =
  | 'configuration'
  | 'ledger'
  | 'vault'
  | 'keyProvider'
  | 'keyProviderThrottled'
  | 'dispatcher'
  | 'notifier'
  | 'invariant';

export class Fault extends SmdpfError {
  readonly code: FaultCode;
  /** True where the same call may succeed later: a throttled key service, a busy store, a token pulled out. */
  readonly retryable: boolean;

  constructor(code: FaultCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** Throws a Refusal; an expression, so that `x ?? refuse(…)` reads as the rule does. */
export function refuse(code: StatusName, message: string, details?: RefusalDetails): never {
  throw new Refusal(code, message, details);
}

/** What was read; undefined where that was refused, for whoever has words of their own for it, or none. */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Ends the process's work on a broken assumption of our own code, in words. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Fault('invariant', message);
}
