import type { Runtime } from '../../../shared/runtime.ts';
import type { Person } from '../../../shared/service/api/actor.ts';
import { personOf } from '../../deployment/acting-person.ts';
import { DeploymentFolder } from '../../deployment/folder.ts';

/** Runs a command on a deployment that exists; a server may be running on it. */
export async function withDeployment<T>(
  folder: string,
  run: (runtime: Runtime, deployment: DeploymentFolder, by: Person) => Promise<T>,
): Promise<T> {
  const deployment = await DeploymentFolder.existing(folder);
  const runtime = await deployment.openRuntime({ lanes: 'none' });
  try {
    return await run(runtime, deployment, await personOf(runtime, 'administrator'));
  } finally {
    if ((await runtime.standing.why()) === undefined) {
      await runtime.keyUses.round();
      await runtime.audit.chain();
    }
    await runtime.close();
  }
}
