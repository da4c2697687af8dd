import type { Bytes } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import type { Caller } from '../service/api/caller.ts';
import type { Services } from '../service/api/services.ts';
import type { TransferPurpose } from '../service/api/transfers.ts';
import type { ObjectRef } from '../vault/vault.ts';
import type { CallSubject } from './call-log.ts';
import type { ObjectCheck } from './check.ts';

/**
 * How one function of the interfaces reads its body, calls the services and writes its answer. `Who` is the party
 * that calls, undefined for a function that is trusted by signature alone.
 */
export interface FunctionBinding<Input = unknown, Who extends Caller | undefined = Caller> {
  /** As in the path. */
  readonly name: string;
  /** Checks the members beside `header`. */
  readonly body: ObjectCheck<Input>;
  /** The input that a body of application/octet-stream stands for; absent where the body is JSON only. */
  fromDer?(der: Bytes): Input;
  /** Identifiers of the input for the log. */
  subject?(input: Input): CallSubject;
  /** Undefined answers a notification: 204, no body. */
  call(services: Services, caller: Who, input: Input): Promise<FunctionAnswer | undefined>;
}

export interface FunctionAnswer {
  /** Members beside `header`. Written member by member: what else a service's object holds stays here. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Some items of the call were refused: Executed-WithWarning. */
  readonly warning?: boolean;
  /** What `Accept: application/octet-stream` gets instead of the JSON, where the function has such an object. */
  readonly der?: Bytes;
  readonly subject?: CallSubject;
}

/** The object itself or the transfer that carried it, which is opened for the member's name: exactly one is in the body. */
export async function inlineOrTransferred(
  services: Services,
  caller: Caller,
  purpose: Exclude<TransferPurpose, 'euiccData'>,
  inline: Bytes | undefined,
  transferId: string | undefined,
): Promise<Bytes> {
  requireOneOf(purpose, inline, transferId);
  return inline ?? (await services.transfers.received(caller, transferId!, purpose));
}

/** The same for a function that reads a large object where it lies. */
export async function inlineOrObject(
  services: Services,
  caller: Caller,
  { name, purpose }: { name: string; purpose: TransferPurpose },
  inline: Bytes | undefined,
  transferId: string | undefined,
): Promise<Bytes | ObjectRef> {
  requireOneOf(name, inline, transferId);
  return inline ?? (await services.transfers.receivedObject(caller, transferId!, purpose));
}

function requireOneOf(name: string, inline: Bytes | undefined, transferId: string | undefined): void {
  if ((inline === undefined) === (transferId === undefined))
    refuse(
      inline === undefined ? 'mandatoryElementMissing' : 'protocolFormat',
      `the body has exactly one of ${name} and transferId`,
    );
}
