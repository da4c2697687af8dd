import { present } from '../../shared/present.ts';
import { openRuntime, type Runtime } from '../../shared/runtime.ts';
import type { RuntimeConfig } from '../../shared/runtime-config.ts';
import type { StoreName } from '../../shared/service/restore/identity.ts';
import { readRuntimeConfig } from '../input/files.ts';
import { DeploymentFolder } from './folder.ts';

/** A deployment: in a folder, or where a RuntimeConfig says, such as that of a stack on AWS. */
export interface Where {
  readonly folder: string;
  /** File of the RuntimeConfig, in place of the folder. */
  readonly config?: string;
  /** Another ledger than the configuration's, by URI. */
  readonly ledger?: string;
}

export const CONFIG_OPTION = [
  '--config <file>',
  'instead of a folder: a RuntimeConfig, such as the output Runtime of a stack',
] as const;

export async function configOf({ folder, config, ledger }: Where): Promise<RuntimeConfig> {
  const own = present({ ledger });
  if (config !== undefined) return { ...(await readRuntimeConfig(config)), ...own };
  return { ...(await DeploymentFolder.existing(folder)).runtimeConfig(), ...own };
}

/** Opens its stores; no work of its own is taken up. `mayLack`: those that need not be there. */
export async function openRuntimeOf(where: Where, mayLack: readonly StoreName[] = []): Promise<Runtime> {
  return await openRuntime(await configOf(where), { lanes: 'none', mayLack });
}
