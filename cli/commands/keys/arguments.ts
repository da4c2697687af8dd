import type { KeyRole } from '../../../shared/keys/provider.ts';
import type { CurveName } from '../../../sim/index.ts';

export interface FolderArgument {
  readonly folder: string;
}

export interface NewKeyArguments extends FolderArgument {
  readonly role: KeyRole;
  readonly curve: CurveName;
  readonly key?: string;
  /** False: data keys are left to the servers, which may use wrapping keys where whoever rotates may not. */
  readonly rewrap?: boolean;
}

export interface RequestArguments extends FolderArgument {
  readonly organization?: string;
  readonly name?: string;
  readonly smdpOid?: string;
  readonly policy: 'v2' | 'v3';
  readonly out?: string;
}
