import type { Bytes } from '../../shared/codec/bytes.ts';

/** Something that takes octets of somebody else's. */
export interface Target {
  readonly kind: string;
  /** What is right as it stands; inputs are made of it. */
  readonly seeds: readonly Bytes[];
  /** Of a body in JSON: what its members are, which are changed by their meaning as well. */
  readonly json?: readonly unknown[];
  /** Takes an input. Answers `refused` or throws a Refusal where it is; whatever else it throws is a failure of ours. */
  readonly run: (input: Bytes) => unknown;
}

/** Targets that share something to be closed in the end. */
export interface Targets {
  readonly targets: readonly Target[];
  close(): Promise<void>;
}
