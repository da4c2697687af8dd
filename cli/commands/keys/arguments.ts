import type { KeyRole } from '../../../shared/keys/provider.ts';
import type { CurveName } from '../../../sim/index.ts';
import type { Folder } from '../folder-commands.ts';

export interface NewKeyArguments extends Folder {
  readonly role: KeyRole;
  readonly curve: CurveName;
  readonly key?: string;
  /** False: data keys are left to the servers, which may use wrapping keys where whoever rotates may not. */
  readonly rewrap?: boolean;
}

export interface RequestArguments extends Folder {
  readonly organization?: string;
  readonly name?: string;
  readonly smdpOid?: string;
  readonly policy: 'v2' | 'v3';
  readonly out?: string;
}
