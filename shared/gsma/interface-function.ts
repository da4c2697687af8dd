import type { Bytes } from '../codec/bytes.ts';
import type { Caller, PartyRole } from '../service/api/caller.ts';
import type { Services } from '../service/api/services.ts';
import type { TransferPurpose } from '../service/api/transfers.ts';
import type { CallSubject } from './call-log.ts';
import type { ObjectCheck } from './check.ts';
import type { PortNeeds } from './port-needs.ts';

/** Kinds of objects that belong to somebody; a call of another party is answered as if they did not exist (I7). */
export type OwnedKind = 'order' | 'job' | 'batch' | 'report' | 'eum' | 'eid' | 'transfer';

/** "esbpp.requestBpp": the interface and the function. */
export type FunctionName = `${'es2f' | 'esed1' | 'esbpp' | 'es9plus' | 'admin' | 'ops'}.${string}`;

/**
 * One function of the interfaces: the row from which its URL, its permission, its Lambda with grants and bundle, its
 * place in the embedded server and its name in logs follow. It is the export of a module that its path names:
 * `es2f.closeOrder` is `closeOrder` of `functions/es2f/close-order.ts`.
 */
interface FunctionRow<Path extends FunctionName, Input> {
  readonly path: Path;
  /** Kinds of objects that belong to somebody and that a call reaches by what it names. */
  readonly reaches: readonly OwnedKind[];
  /** What its input may be uploaded as; of openTransfer, what it opens uploads for. */
  readonly transfers?: readonly TransferPurpose[];
  readonly needs: PortNeeds;
  /** Works on signatures, chains or profiles, many in a call: takes a whole core. */
  readonly wholeCore?: true;
  /** Octets of its HTTP body; MAX_BODY unless given. */
  readonly maxBody?: number;
  /** A URL path by which it is called as well. */
  readonly alsoAt?: string;
  /** Checks the members beside `header`. */
  readonly body: ObjectCheck<Input>;
  /** The input that a body of application/octet-stream stands for; absent where the body is JSON only. */
  fromDer?(der: Bytes): Input;
  /** Identifiers of the input for the log. */
  subject?(input: Input): CallSubject;
}

/** A function that only registered parties of one role may call (I7), by mutual TLS. */
export interface PartyFunction<Path extends FunctionName = FunctionName, Input = unknown>
  extends FunctionRow<Path, Input> {
  /**
   * Which role may call it. Orders, jobs and reports inside a function are the services' matter, by the caller's
   * identifier. What else an administrator does needs the deployment itself (`smdpf trust`, `party`, `keys`): trust is
   * not given out over the network, only taken back.
   */
  readonly role: PartyRole;
  /**
   * Begins before the register has said again that the caller is who it was the last time, and waits for that itself
   * (`confirmed`) before anything comes of it.
   */
  readonly readsAhead?: true;
  call(
    services: Services,
    caller: Caller,
    input: Input,
    confirmed: Promise<unknown>,
  ): Promise<FunctionAnswer>;
}

/** A function for devices in the field: no party, server TLS only, trusted by the eUICC's signature alone. */
export interface FieldFunction<Path extends FunctionName = FunctionName, Input = unknown>
  extends FunctionRow<Path, Input> {
  readonly role: 'anyone';
  /** Takes a notification, which is answered by 204 without a body. */
  call(services: Services, input: Input): Promise<void>;
}

export type InterfaceFunction = PartyFunction | FieldFunction;

export const partyFunction = <const Path extends FunctionName, Input>(
  row: PartyFunction<Path, Input>,
): PartyFunction<Path, Input> => row;

export const fieldFunction = <const Path extends FunctionName, Input>(
  row: FieldFunction<Path, Input>,
): FieldFunction<Path, Input> => row;

/** Parties and devices in the field call at addresses of their own: TLS asks the ones for a certificate, not the others. */
export type Side = 'parties' | 'field';

export const sideOf = ({ role }: Pick<InterfaceFunction, 'role'>): Side =>
  role === 'anyone' ? 'field' : 'parties';

export interface FunctionAnswer {
  /** Members beside `header`. Written member by member: what else a service's object holds stays here. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Some items of the call were refused: Executed-WithWarning. */
  readonly warning?: boolean;
  /** What `Accept: application/octet-stream` gets instead of the JSON, where the function has such an object. */
  readonly der?: Bytes;
  readonly subject?: CallSubject;
}
