import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import type { ReadBody } from '../../../shared/gsma/received-call.ts';
import type { Connections } from './connections.ts';

/** Lets calls of one listener in by what they cost (I13), and counts what they hold until they end. */
export interface Admission {
  readonly connections: Connections;
  open(request: IncomingMessage): AdmittedCall;
}

export interface AdmittedCall {
  /** Takes what the call may hold and reads its body; refuses with 1.2/6.4 or 1.1/6.4 and Retry-After. */
  readonly readBody: (...of: Parameters<ReadBody>) => Promise<Bytes | undefined>;
  /** The call was answered with so many octets, after so many reads of the stores. */
  end(octetsOfAnswer: number, reads: number): void;
}
